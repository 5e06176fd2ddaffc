//! The atomics of production, counted: each write is noted under the place in the source that made
//! it, and with it whether another thread had written the same cache line before. Only in the build
//! that `cargo xtask writes` makes; it shows which words the workers share, and how often each is
//! written.
//!
//! Reads are not counted, nor the counters of `Arc`, nor the kernel's words. A lock counts once.

use core::panic::Location;
use core::sync::atomic as real;
use std::sync::atomic::Ordering::Relaxed;

pub use core::sync::atomic::{Ordering, fence};
pub use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

#[path = "atomics_std.rs"]
mod std_twin;
pub use std_twin::{MutexGuard, UnsafeCell, hint};

/// Atomics for statics: these can all be made in a constant.
pub mod plain {
    pub use super::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
}

/// Counted.
pub type AtomicBool = Counted<real::AtomicBool>;
/// Counted.
pub type AtomicU8 = Counted<real::AtomicU8>;
/// Counted.
pub type AtomicU16 = Counted<real::AtomicU16>;
/// Counted.
pub type AtomicU32 = Counted<real::AtomicU32>;
/// Counted.
pub type AtomicU64 = Counted<real::AtomicU64>;
/// Counted.
pub type AtomicUsize = Counted<real::AtomicUsize>;
/// Counted.
pub type AtomicPtr<T> = Counted<real::AtomicPtr<T>>;

/// One of core's atomics, whose writes are counted.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Counted<A>(A);

/// What the counted types of integers and pointers have in common.
pub trait Word {
    /// What it holds.
    type Value: Copy + PartialEq;
    /// As core's.
    fn load(&self, order: Ordering) -> Self::Value;
    /// As core's.
    fn store(&self, value: Self::Value, order: Ordering);
    /// As core's.
    fn swap(&self, value: Self::Value, order: Ordering) -> Self::Value;
    /// As core's.
    fn exchange(
        &self,
        old: Self::Value,
        new: Self::Value,
        done: Ordering,
        not: Ordering,
    ) -> Result<Self::Value, Self::Value>;
}

macro_rules! word {
    ($real:ty, $value:ty $(, $of:ident)?) => {
        impl$(<$of>)? Word for $real {
            type Value = $value;
            fn load(&self, order: Ordering) -> $value {
                self.load(order)
            }
            fn store(&self, value: $value, order: Ordering) {
                self.store(value, order);
            }
            fn swap(&self, value: $value, order: Ordering) -> $value {
                self.swap(value, order)
            }
            fn exchange(
                &self,
                old: $value,
                new: $value,
                done: Ordering,
                not: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(old, new, done, not)
            }
        }
    };
}

word!(real::AtomicBool, bool);
word!(real::AtomicU8, u8);
word!(real::AtomicU16, u16);
word!(real::AtomicU32, u32);
word!(real::AtomicU64, u64);
word!(real::AtomicUsize, usize);
word!(real::AtomicPtr<T>, *mut T, T);

/// What integers have beyond that.
pub trait Number: Word {
    /// As core's.
    fn add(&self, value: Self::Value, order: Ordering) -> Self::Value;
    /// As core's.
    fn sub(&self, value: Self::Value, order: Ordering) -> Self::Value;
    /// As core's.
    fn min(&self, value: Self::Value, order: Ordering) -> Self::Value;
    /// As core's.
    fn max(&self, value: Self::Value, order: Ordering) -> Self::Value;
}

/// What integers and bools have.
pub trait Bits: Word {
    /// As core's.
    fn or(&self, value: Self::Value, order: Ordering) -> Self::Value;
    /// As core's.
    fn and(&self, value: Self::Value, order: Ordering) -> Self::Value;
}

macro_rules! number {
    ($real:ty, $value:ty) => {
        impl Number for $real {
            fn add(&self, value: $value, order: Ordering) -> $value {
                self.fetch_add(value, order)
            }
            fn sub(&self, value: $value, order: Ordering) -> $value {
                self.fetch_sub(value, order)
            }
            fn min(&self, value: $value, order: Ordering) -> $value {
                self.fetch_min(value, order)
            }
            fn max(&self, value: $value, order: Ordering) -> $value {
                self.fetch_max(value, order)
            }
        }
    };
}

macro_rules! bits {
    ($real:ty, $value:ty) => {
        impl Bits for $real {
            fn or(&self, value: $value, order: Ordering) -> $value {
                self.fetch_or(value, order)
            }
            fn and(&self, value: $value, order: Ordering) -> $value {
                self.fetch_and(value, order)
            }
        }
    };
}

number!(real::AtomicU8, u8);
number!(real::AtomicU16, u16);
number!(real::AtomicU32, u32);
number!(real::AtomicU64, u64);
number!(real::AtomicUsize, usize);
bits!(real::AtomicBool, bool);
bits!(real::AtomicU8, u8);
bits!(real::AtomicU16, u16);
bits!(real::AtomicU32, u32);
bits!(real::AtomicU64, u64);
bits!(real::AtomicUsize, usize);

impl Counted<real::AtomicBool> {
    /// Wraps a value.
    pub const fn new(value: bool) -> Self {
        Self(real::AtomicBool::new(value))
    }
}

impl Counted<real::AtomicU8> {
    /// Wraps a value.
    pub const fn new(value: u8) -> Self {
        Self(real::AtomicU8::new(value))
    }
}

impl Counted<real::AtomicU16> {
    /// Wraps a value.
    pub const fn new(value: u16) -> Self {
        Self(real::AtomicU16::new(value))
    }
}

impl Counted<real::AtomicU32> {
    /// Wraps a value.
    pub const fn new(value: u32) -> Self {
        Self(real::AtomicU32::new(value))
    }
}

impl Counted<real::AtomicU64> {
    /// Wraps a value.
    pub const fn new(value: u64) -> Self {
        Self(real::AtomicU64::new(value))
    }
}

impl Counted<real::AtomicUsize> {
    /// Wraps a value.
    pub const fn new(value: usize) -> Self {
        Self(real::AtomicUsize::new(value))
    }
}

impl<T> Counted<real::AtomicPtr<T>> {
    /// Wraps a pointer.
    pub const fn new(value: *mut T) -> Self {
        Self(real::AtomicPtr::new(value))
    }
}

impl<A: Word> Counted<A> {
    /// As core's.
    pub fn load(&self, order: Ordering) -> A::Value {
        self.0.load(order)
    }

    /// As core's.
    #[track_caller]
    pub fn store(&self, value: A::Value, order: Ordering) {
        note(self, Location::caller());
        self.0.store(value, order);
    }

    /// As core's.
    #[track_caller]
    pub fn swap(&self, value: A::Value, order: Ordering) -> A::Value {
        note(self, Location::caller());
        self.0.swap(value, order)
    }

    /// As core's. One that fails counts too: it takes the line for itself all the same.
    ///
    /// # Errors
    /// The value that is there.
    #[track_caller]
    pub fn compare_exchange(
        &self,
        old: A::Value,
        new: A::Value,
        done: Ordering,
        not: Ordering,
    ) -> Result<A::Value, A::Value> {
        note(self, Location::caller());
        self.0.exchange(old, new, done, not)
    }

    /// As core's.
    ///
    /// # Errors
    /// The value that is there.
    #[track_caller]
    pub fn compare_exchange_weak(
        &self,
        old: A::Value,
        new: A::Value,
        done: Ordering,
        not: Ordering,
    ) -> Result<A::Value, A::Value> {
        note(self, Location::caller());
        self.0.exchange(old, new, done, not)
    }
}

impl<A: Number> Counted<A> {
    /// As core's.
    #[track_caller]
    pub fn fetch_add(&self, value: A::Value, order: Ordering) -> A::Value {
        note(self, Location::caller());
        self.0.add(value, order)
    }

    /// As core's.
    #[track_caller]
    pub fn fetch_sub(&self, value: A::Value, order: Ordering) -> A::Value {
        note(self, Location::caller());
        self.0.sub(value, order)
    }

    /// As core's.
    #[track_caller]
    pub fn fetch_min(&self, value: A::Value, order: Ordering) -> A::Value {
        note(self, Location::caller());
        self.0.min(value, order)
    }

    /// As core's.
    #[track_caller]
    pub fn fetch_max(&self, value: A::Value, order: Ordering) -> A::Value {
        note(self, Location::caller());
        self.0.max(value, order)
    }
}

impl<A: Bits> Counted<A> {
    /// As core's.
    #[track_caller]
    pub fn fetch_or(&self, value: A::Value, order: Ordering) -> A::Value {
        note(self, Location::caller());
        self.0.or(value, order)
    }

    /// As core's.
    #[track_caller]
    pub fn fetch_and(&self, value: A::Value, order: Ordering) -> A::Value {
        note(self, Location::caller());
        self.0.and(value, order)
    }
}

/// parking_lot's, whose taking counts as one write.
#[derive(Debug, Default)]
pub struct Mutex<T>(parking_lot::Mutex<T>);

impl<T> Mutex<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(parking_lot::Mutex::new(value))
    }

    /// Waits for the lock.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        note(self, Location::caller());
        self.0.lock()
    }

    /// The lock, if it is free.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        note(self, Location::caller());
        self.0.try_lock()
    }

    /// The value, by exclusive borrow.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Gives the value back.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// What was counted.
pub mod count {
    pub use super::{Writes, reset, writes};
}

/// How often one place of the source has written.
#[derive(Clone, Copy, Debug)]
pub struct Writes {
    /// The place.
    pub at: &'static Location<'static>,
    /// Its writes.
    pub all: u64,
    /// Those of them to a cache line that another thread had written last.
    pub moved: u64,
}

/// What was counted since the last [`reset`].
pub fn writes() -> Vec<Writes> {
    PLACES
        .iter()
        .filter_map(|place| {
            let at = *place.at.get()?;
            let all = place.all.load(Relaxed);
            (all > 0).then(|| Writes { at, all, moved: place.moved.load(Relaxed) })
        })
        .collect()
}

/// Begins anew.
pub fn reset() {
    for place in &PLACES {
        place.all.store(0, Relaxed);
        place.moved.store(0, Relaxed);
    }
}

struct Place {
    at: std::sync::OnceLock<&'static Location<'static>>,
    all: real::AtomicU64,
    moved: real::AtomicU64,
}

static PLACES: [Place; 2048] = [const {
    Place {
        at: std::sync::OnceLock::new(),
        all: real::AtomicU64::new(0),
        moved: real::AtomicU64::new(0),
    }
}; 2048];

/// Who has written a line last; lines that fall together only make a little noise.
static LAST: [real::AtomicU32; 1 << 18] = [const { real::AtomicU32::new(0) }; 1 << 18];
static THREADS: real::AtomicU32 = real::AtomicU32::new(0);

thread_local! {
    static THREAD: core::cell::Cell<u32> = const { core::cell::Cell::new(0) };
}

fn thread() -> u32 {
    THREAD.with(|thread| {
        if thread.get() == 0 {
            thread.set(THREADS.fetch_add(1, Relaxed) + 1);
        }
        thread.get()
    })
}

#[inline(never)]
fn note<T: ?Sized>(word: &T, at: &'static Location<'static>) {
    let line = core::ptr::from_ref(word).cast::<u8>().addr() >> 6;
    let me = thread();
    let before = LAST[line % LAST.len()].swap(me, Relaxed);
    let start = core::ptr::from_ref(at).addr() / align_of::<Location<'_>>();
    for step in 0..PLACES.len() {
        let place = &PLACES[(start + step) % PLACES.len()];
        if core::ptr::eq(*place.at.get_or_init(|| at), at) {
            place.all.fetch_add(1, Relaxed);
            if before != me && before != 0 {
                place.moved.fetch_add(1, Relaxed);
            }
            return;
        }
    }
}
