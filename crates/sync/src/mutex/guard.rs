//! The guard that borrows its lock.

#![allow(unsafe_code)]

use super::{MappedMutexGuard, Mutex};
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

/// Holds a [`Mutex`]; gives access to the value and unlocks when it is dropped.
#[must_use = "the lock is released when this is dropped"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    lock: &'a Mutex<T>,
}

// SAFETY:
// - a shared guard gives shared access to the value, no more.
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The caller holds the permit of `lock`.
    #[inline]
    pub(super) fn new(lock: &'a Mutex<T>) -> Self {
        Self { lock }
    }

    /// Narrows the guard to a part of the value. An associated function, so that it does not hide
    /// a method of the value.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::{Mutex, MutexGuard};
    /// # futures::executor::block_on(async {
    /// let pair = Mutex::new((1, 2));
    /// let mut first = MutexGuard::map(pair.lock().await, |pair| &mut pair.0);
    /// *first = 5;
    /// drop(first);
    /// assert_eq!(pair.into_inner(), (5, 2));
    /// # });
    /// ```
    #[inline]
    pub fn map<U: ?Sized, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let part: *mut U = f(&mut *this);
        let this = ManuallyDrop::new(this);
        // SAFETY:
        // - the permit goes from `this`, which is not dropped, to the new guard.
        // - `part` points into the value that it locks.
        unsafe { MappedMutexGuard::new(&this.lock.batch, part) }
    }

    /// Narrows the guard to a part of the value, if `f` finds one.
    ///
    /// # Errors
    /// The guard itself, where `f` returns nothing.
    #[inline]
    pub fn try_map<U: ?Sized, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let part: *mut U = match f(&mut *this) {
            Some(part) => part,
            None => return Err(this),
        };
        let this = ManuallyDrop::new(this);
        // SAFETY: as in `map`.
        Ok(unsafe { MappedMutexGuard::new(&this.lock.batch, part) })
    }

    /// The lock that this guard holds.
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.lock
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.batch.release_last();
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock's one permit.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock's one permit, and is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
