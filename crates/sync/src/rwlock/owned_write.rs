//! The exclusive guard that keeps its lock alive.

#![allow(unsafe_code)]

use super::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, RwLock};
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use shinkan_base::auto;
use std::sync::Arc;

/// Holds a shared [`RwLock`] alone, and keeps it alive.
#[clippy::has_significant_drop]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    lock: Arc<RwLock<T>>,
}

// SAFETY:
// - the guard's thread alone reaches the value: it may move it out (Send), and narrowed to one that
//   reads, it may share it with readers elsewhere (Sync).
// - a semaphore takes its permits back on any thread.
unsafe impl<T: ?Sized + Send + Sync> Send for OwnedRwLockWriteGuard<T> {}
// SAFETY:
// - a shared guard gives shared access to the value, no more.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedRwLockWriteGuard<T> {}

const _: () = {
    const fn fields<T: ?Sized + Send + Sync>() {
        auto::sent::<Arc<RwLock<T>>>();
        auto::shared::<Arc<RwLock<T>>>();
    }
    fields::<()>();
};

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// The caller holds all permits of `lock`.
    #[inline]
    pub(super) fn new(lock: Arc<RwLock<T>>) -> Self {
        Self { lock }
    }

    /// The lock, still held.
    #[inline]
    fn into_lock(self) -> Arc<RwLock<T>> {
        let this = ManuallyDrop::new(self);
        // SAFETY: read once; the guard around it is not dropped.
        unsafe { core::ptr::read(&this.lock) }
    }

    /// Keeps one permit. The reader is made before the others are released: a waker that panics
    /// then drops it.
    ///
    /// # Safety
    /// `part` is in the value.
    #[inline]
    unsafe fn into_reader<U: ?Sized>(self, part: *const U) -> OwnedRwLockReadGuard<T, U> {
        // SAFETY: one permit is kept for the new guard, and `part` is in the value.
        let reader = unsafe { OwnedRwLockReadGuard::new(self.into_lock(), part) };
        OwnedRwLockReadGuard::rwlock(&reader).release_all_but_one();
        reader
    }

    /// Narrows the guard to a part of the value. An associated function, so that it does not hide
    /// a method of the value.
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let part: *mut U = f(&mut *this);
        // SAFETY: the permits go to the new guard, and `part` is in the value that they guard.
        unsafe { OwnedRwLockMappedWriteGuard::new(this.into_lock(), part) }
    }

    /// Narrows the guard to a part of the value, if `f` finds one.
    ///
    /// # Errors
    /// The guard itself, where `f` returns nothing.
    #[inline]
    pub fn try_map<F, U: ?Sized>(
        mut this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let part: *mut U = match f(&mut *this) {
            Some(part) => part,
            None => return Err(this),
        };
        // SAFETY: as in `map`.
        Ok(unsafe { OwnedRwLockMappedWriteGuard::new(this.into_lock(), part) })
    }

    /// The guard of the whole value, as one of a part.
    #[inline]
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        Self::map(this, |value| value)
    }

    /// Lets others read: the guard becomes one that reads, and nobody writes in between.
    #[inline]
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        let part = self.lock.value.get();
        // SAFETY: it is the value.
        unsafe { self.into_reader(part) }
    }

    /// Lets others read, and narrows the guard to a part of the value.
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let part: *const U = f(&*this);
        // SAFETY: `part` is in the value.
        unsafe { this.into_reader(part) }
    }

    /// Lets others read, and narrows the guard to a part of the value, if `f` finds one.
    ///
    /// # Errors
    /// The guard itself, where `f` returns nothing.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let part: *const U = match f(&*this) {
            Some(part) => part,
            None => return Err(this),
        };
        // SAFETY: `part` is in the value.
        Ok(unsafe { this.into_reader(part) })
    }

    /// The lock that this guard holds.
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T: ?Sized> Drop for OwnedRwLockWriteGuard<T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.batch.release(self.lock.max as usize);
    }
}

impl<U: ?Sized> Deref for OwnedRwLockWriteGuard<U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: the guard holds all permits.
        unsafe { &*self.lock.value.get() }
    }
}

impl<U: ?Sized> DerefMut for OwnedRwLockWriteGuard<U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: the guard holds all permits, and is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<U: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockWriteGuard<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<U: ?Sized + fmt::Display> fmt::Display for OwnedRwLockWriteGuard<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
