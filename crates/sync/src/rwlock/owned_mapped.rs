//! The exclusive guard of a part of a locked value that keeps the lock alive.

#![allow(unsafe_code)]

use super::RwLock;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Holds a shared [`RwLock`] alone, keeps it alive, and gives access to a part of its value. Made
/// by [`OwnedRwLockWriteGuard::map`](super::OwnedRwLockWriteGuard::map).
#[clippy::has_significant_drop]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    lock: Arc<RwLock<T>>,
    part: *mut U,
}

// SAFETY:
// - the guard is an exclusive borrow of the part, and owns a share of the lock.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Send
    for OwnedRwLockMappedWriteGuard<T, U>
{
}
// SAFETY:
// - a shared guard gives shared access to the part, no more.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync
    for OwnedRwLockMappedWriteGuard<T, U>
{
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// # Safety
    /// The caller hands over all permits of `lock`, whose value `part` points into.
    #[inline]
    pub(super) unsafe fn new(lock: Arc<RwLock<T>>, part: *mut U) -> Self {
        Self { lock, part }
    }

    /// Narrows the guard further.
    #[inline]
    pub fn map<F, V: ?Sized>(mut this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        let part: *mut V = f(&mut *this);
        // SAFETY: the permits go to the new guard, and `part` is in the value that they guard.
        unsafe { OwnedRwLockMappedWriteGuard::new(this.into_lock(), part) }
    }

    /// Narrows the guard further, if `f` finds a part.
    ///
    /// # Errors
    /// The guard itself, where `f` returns nothing.
    #[inline]
    pub fn try_map<F, V: ?Sized>(
        mut this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        let part: *mut V = match f(&mut *this) {
            Some(part) => part,
            None => return Err(this),
        };
        // SAFETY: as in `map`.
        Ok(unsafe { OwnedRwLockMappedWriteGuard::new(this.into_lock(), part) })
    }

    /// The lock that this guard holds.
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }

    /// The lock, still held.
    #[inline]
    fn into_lock(self) -> Arc<RwLock<T>> {
        let this = ManuallyDrop::new(self);
        // SAFETY: read once; the guard around it is not dropped.
        unsafe { core::ptr::read(&this.lock) }
    }
}

impl<T: ?Sized, U: ?Sized> Drop for OwnedRwLockMappedWriteGuard<T, U> {
    #[inline]
    fn drop(&mut self) {
        self.lock.batch.release(self.lock.max as usize);
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedRwLockMappedWriteGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: the guard holds all permits.
        unsafe { &*self.part }
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedRwLockMappedWriteGuard<T, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: the guard holds all permits, and is borrowed exclusively.
        unsafe { &mut *self.part }
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockMappedWriteGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedRwLockMappedWriteGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
