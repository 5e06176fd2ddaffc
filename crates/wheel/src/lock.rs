//! The lock of a wheel: one compare-and-swap takes it, one store gives it back.
//!
//! A timeout that does not fire takes it twice, for some ten nanoseconds each, and hardly ever meets
//! anybody. A lock that can put its waiters to sleep needs a second exchange at each unlock, to learn
//! of them; that was 14 of a timeout's 180 ns. So here a waiter finds out by itself: it spins, then
//! lets others run, then pauses.
//!
//! ```text
//! row  held   the wheel belongs to
//!  1   false  nobody
//!  2   true   the guard
//! ```
//!
//! (1) `lock` 1→2, a compare-and-swap. (2) the guard's drop 2→1.
//!
//! # Orderings
//!
//! (2) is Release, (1) is Acquire: what one guard's owner did is over for the next.

#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use shinkan_base::atomics::{AtomicBool, Ordering, hint};
use shinkan_base::canary;

/// Looks of a waiter without giving its processor away: some microseconds.
const SPINS: u32 = 100;
/// Looks until it pauses; before these it lets others run.
const LOOKS: u32 = 200;

/// A value for one thread at a time.
pub struct Lock<T> {
    held: AtomicBool,
    pause: fn(),
    value: UnsafeCell<T>,
}

/// The right to the value, until it is dropped.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
    // `Sync` where `&mut T` is, and not more.
    _value: PhantomData<&'a mut T>,
}

// SAFETY: the value is sent from guard to guard, one at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// Guards a value. `pause` is called, over and over, by who waits for very long: the holder may
    /// have lost its processor to a waiter of higher priority, and gets it back meanwhile.
    pub fn new(value: T, pause: fn()) -> Self {
        Self { held: AtomicBool::new(false), pause, value: UnsafeCell::new(value) }
    }

    /// Waits for the value. Not for user code, and not for long.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        if !self.try_take() {
            self.take_slow();
        }
        Guard { lock: self, _value: PhantomData }
    }

    /// (1)
    #[inline(always)]
    fn try_take(&self) -> bool {
        if canary("timer_lock_twice") {
            // Two steps of what must be one.
            let free = !self.held.load(Ordering::Acquire);
            self.held.store(true, Ordering::Relaxed);
            return free;
        }
        let order =
            if canary("timer_lock_relaxed") { Ordering::Relaxed } else { Ordering::Acquire };
        self.held.compare_exchange(false, true, order, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn take_slow(&self) {
        let mut looks = 0;
        while self.held.load(Ordering::Relaxed) || !self.try_take() {
            looks = LOOKS.min(looks + 1);
            match looks {
                0..SPINS => hint::spin_loop(),
                SPINS..LOOKS => hint::yield_now(),
                _ => (self.pause)(),
            }
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: row 2, and the guard is ours.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: row 2, and the guard is ours alone.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    /// (2)
    #[inline(always)]
    fn drop(&mut self) {
        let order =
            if canary("timer_unlock_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        self.lock.held.store(false, order);
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(shinkan_loom)))]
mod tests {
    use super::Lock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    #[test]
    fn threads_take_turns() {
        let lock = Lock::new(0, thread::yield_now);
        let times = if cfg!(miri) { 50 } else { 100_000 };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..times).for_each(|_| *lock.lock() += 1));
            }
        });
        assert_eq!(*lock.lock(), 4 * times);
    }

    #[test]
    fn who_waits_for_long_pauses() {
        static PAUSES: AtomicU32 = AtomicU32::new(0);
        let lock = Lock::new((), || {
            PAUSES.fetch_add(1, Ordering::Relaxed);
        });
        thread::scope(|scope| {
            let guard = lock.lock();
            scope.spawn(|| drop(lock.lock()));
            while PAUSES.load(Ordering::Relaxed) < 3 {
                thread::yield_now();
            }
            drop(guard);
        });
    }

    #[test]
    fn a_panic_of_the_holder_unlocks() {
        let lock = Lock::new(0, thread::yield_now);
        let holder = || assert!(*lock.lock() != 0, "on purpose");
        assert!(thread::scope(|scope| scope.spawn(holder).join()).is_err());
        assert_eq!(*lock.lock(), 0);
    }
}
