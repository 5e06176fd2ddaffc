//! The guard of a part of a locked value that keeps the lock alive.

#![allow(unsafe_code)]

use super::Mutex;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Holds a shared [`Mutex`], keeps it alive, and gives access to a part of its value. Made by
/// [`OwnedMutexGuard::map`](super::OwnedMutexGuard::map).
#[must_use = "the lock is released when this is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    lock: Arc<Mutex<T>>,
    part: *mut U,
}

// SAFETY:
// - the guard is an exclusive borrow of the part, and owns a share of the lock.
unsafe impl<T: ?Sized + Send, U: ?Sized + Send> Send for OwnedMappedMutexGuard<T, U> {}
// SAFETY:
// - a shared guard gives shared access to the part, no more.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedMappedMutexGuard<T, U> {}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// # Safety
    /// The caller hands over the permit of `lock`, whose value `part` points into.
    #[inline]
    pub(super) unsafe fn new(lock: Arc<Mutex<T>>, part: *mut U) -> Self {
        Self { lock, part }
    }

    /// Narrows the guard further.
    #[inline]
    pub fn map<S: ?Sized, F>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        F: FnOnce(&mut U) -> &mut S,
    {
        let part: *mut S = f(&mut *this);
        // SAFETY: `part` points into the value that the lock guards, and the permit goes with it.
        unsafe { OwnedMappedMutexGuard::new(this.into_lock(), part) }
    }

    /// Narrows the guard further, if `f` finds a part.
    ///
    /// # Errors
    /// The guard itself, where `f` returns nothing.
    #[inline]
    pub fn try_map<S: ?Sized, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        let part: *mut S = match f(&mut *this) {
            Some(part) => part,
            None => return Err(this),
        };
        // SAFETY: as in `map`.
        Ok(unsafe { OwnedMappedMutexGuard::new(this.into_lock(), part) })
    }

    /// The lock, still held.
    #[inline]
    fn into_lock(self) -> Arc<Mutex<T>> {
        let this = ManuallyDrop::new(self);
        // SAFETY: read once; the guard around it is not dropped.
        unsafe { core::ptr::read(&this.lock) }
    }
}

impl<T: ?Sized, U: ?Sized> Drop for OwnedMappedMutexGuard<T, U> {
    #[inline]
    fn drop(&mut self) {
        self.lock.batch.release_last();
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedMappedMutexGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: the guard holds the permit that guards the part.
        unsafe { &*self.part }
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedMappedMutexGuard<T, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: the guard holds the permit, and is borrowed exclusively.
        unsafe { &mut *self.part }
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedMappedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedMappedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
