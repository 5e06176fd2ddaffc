//! The atomics of the models: loom's, which explores what the memory model allows.
//! This file and `atomics_std.rs` are the only switch to loom.

pub use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
pub use loom::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What a waiting loop calls between two looks.
pub mod hint {
    pub use loom::hint::spin_loop;
    /// Tells the checker that this thread waits for another.
    pub fn yield_now() {
        loom::thread::yield_now();
    }
}

/// loom's lock without the poison.
#[derive(Debug, Default)]
pub struct Mutex<T>(loom::sync::Mutex<T>);

/// The guard of [`Mutex`].
pub type MutexGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

impl<T> Mutex<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        match self.0.lock() {
            Ok(guard) => guard,
            Err(poison) => poison.into_inner(),
        }
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }

    /// Gives the value back.
    pub fn into_inner(self) -> T {
        match self.0.into_inner() {
            Ok(value) => value,
            Err(poison) => poison.into_inner(),
        }
    }
}

/// loom's cell with a `get_mut` that needs no unsafe code.
#[derive(Debug)]
pub struct UnsafeCell<T>(loom::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }

    /// Gives the value back.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }

    /// Calls `f` with a pointer through which it may read; the checker records a read.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.0.with(f)
    }

    /// Calls `f` with a pointer through which it may write; the checker records a write.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(f)
    }

    /// The value, by exclusive borrow.
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY:
        // - exclusive: `&mut self` says that no other borrow of the cell lives.
        self.0.with_mut(|value| unsafe { &mut *value })
    }
}

/// Atomics for statics and for counters that no protocol depends on: never loom's, so they can be
/// made in a constant.
pub mod plain {
    pub use core::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    };
}
