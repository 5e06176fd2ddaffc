//! The shared guard that borrows its lock.

#![allow(unsafe_code)]

use crate::batch::Batch;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;

/// Holds an [`RwLock`](super::RwLock) with others that read; unlocks when it is dropped.
#[must_use = "the lock is released when this is dropped"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    batch: &'a Batch,
    part: *const T,
    _borrow: PhantomData<&'a T>,
}

// SAFETY:
// - the guard is a shared borrow of the value.
unsafe impl<T: ?Sized + Sync> Send for RwLockReadGuard<'_, T> {}
// SAFETY:
// - a shared guard gives shared access to the value, no more.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockReadGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// # Safety
    /// The caller hands over one permit of `batch`, which guards what `part` points to.
    #[inline]
    pub(super) unsafe fn new(batch: &'a Batch, part: *const T) -> Self {
        Self { batch, part, _borrow: PhantomData }
    }

    /// Narrows the guard to a part of the value. An associated function, so that it does not hide
    /// a method of the value.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::{RwLock, RwLockReadGuard};
    /// # futures::executor::block_on(async {
    /// let pair = RwLock::new((1, 2));
    /// let first = RwLockReadGuard::map(pair.read().await, |pair| &pair.0);
    /// assert_eq!(*first, 1);
    /// # });
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let part: *const U = f(&*this);
        let this = ManuallyDrop::new(this);
        // SAFETY: the permit goes from `this`, which is not dropped, to the new guard.
        unsafe { RwLockReadGuard::new(this.batch, part) }
    }

    /// Narrows the guard to a part of the value, if `f` finds one.
    ///
    /// # Errors
    /// The guard itself, where `f` returns nothing.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let part: *const U = match f(&*this) {
            Some(part) => part,
            None => return Err(this),
        };
        let this = ManuallyDrop::new(this);
        // SAFETY: as in `map`.
        Ok(unsafe { RwLockReadGuard::new(this.batch, part) })
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.batch.release(1);
    }
}

impl<U: ?Sized> Deref for RwLockReadGuard<'_, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: the guard holds a permit: nobody writes.
        unsafe { &*self.part }
    }
}

impl<U: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<U: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
