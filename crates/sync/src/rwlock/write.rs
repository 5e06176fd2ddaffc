//! The exclusive guard that borrows its lock.

#![allow(unsafe_code)]

use super::{RwLock, RwLockMappedWriteGuard, RwLockReadGuard};
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use shinkan_base::auto;

/// Holds an [`RwLock`] alone; unlocks when it is dropped.
#[must_use = "the lock is released when this is dropped"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
}

// SAFETY:
// - the guard's thread alone reaches the value: it may move it out (Send), and narrowed to one that
//   reads, it may share it with readers elsewhere (Sync).
// - a semaphore takes its permits back on any thread.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockWriteGuard<'_, T> {}
// SAFETY:
// - a shared guard gives shared access to the value, no more.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockWriteGuard<'_, T> {}

const _: () = {
    const fn fields<T: ?Sized + Send + Sync>() {
        auto::sent::<&RwLock<T>>();
        auto::shared::<&RwLock<T>>();
    }
    fields::<()>();
};

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// The caller holds all permits of `lock`.
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>) -> Self {
        Self { lock }
    }

    /// The lock, still held.
    #[inline]
    fn into_lock(self) -> &'a RwLock<T> {
        ManuallyDrop::new(self).lock
    }

    /// Keeps one permit. The reader is made before the others are released: a waker that panics
    /// then drops it.
    ///
    /// # Safety
    /// `part` is in the value.
    #[inline]
    unsafe fn into_reader<U: ?Sized>(self, part: *const U) -> RwLockReadGuard<'a, U> {
        let lock = self.into_lock();
        // SAFETY: one permit is kept for the new guard, and `part` is in the value.
        let reader = unsafe { RwLockReadGuard::new(&lock.batch, part) };
        lock.release_all_but_one();
        reader
    }

    /// Narrows the guard to a part of the value. An associated function, so that it does not hide
    /// a method of the value.
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let part: *mut U = f(&mut *this);
        let lock = this.into_lock();
        // SAFETY: the permits go to the new guard, and `part` is in the value that they guard.
        unsafe { RwLockMappedWriteGuard::new(&lock.batch, lock.max, part) }
    }

    /// Narrows the guard to a part of the value, if `f` finds one.
    ///
    /// # Errors
    /// The guard itself, where `f` returns nothing.
    #[inline]
    pub fn try_map<F, U: ?Sized>(
        mut this: Self,
        f: F,
    ) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let part: *mut U = match f(&mut *this) {
            Some(part) => part,
            None => return Err(this),
        };
        let lock = this.into_lock();
        // SAFETY: as in `map`.
        Ok(unsafe { RwLockMappedWriteGuard::new(&lock.batch, lock.max, part) })
    }

    /// The guard of the whole value, as one of a part.
    #[inline]
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        Self::map(this, |value| value)
    }

    /// Lets others read: the guard becomes one that reads, and nobody writes in between.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::RwLock;
    /// # futures::executor::block_on(async {
    /// let lock = RwLock::new(1);
    /// let mut guard = lock.write().await;
    /// *guard = 2;
    /// let guard = guard.downgrade();
    /// assert_eq!((*guard, *lock.read().await), (2, 2));
    /// # });
    /// ```
    #[inline]
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        let part = self.lock.value.get();
        // SAFETY: it is the value.
        unsafe { self.into_reader(part) }
    }

    /// Lets others read, and narrows the guard to a part of the value.
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
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
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
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
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.batch.release(self.lock.max as usize);
    }
}

impl<U: ?Sized> Deref for RwLockWriteGuard<'_, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: the guard holds all permits.
        unsafe { &*self.lock.value.get() }
    }
}

impl<U: ?Sized> DerefMut for RwLockWriteGuard<'_, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: the guard holds all permits, and is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<U: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<U: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
