//! The exclusive guard of a part of a locked value.

#![allow(unsafe_code)]

use crate::batch::Batch;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

/// Holds an [`RwLock`](super::RwLock) alone and gives access to a part of its value. Made by
/// [`RwLockWriteGuard::map`](super::RwLockWriteGuard::map).
#[clippy::has_significant_drop]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    batch: &'a Batch,
    permits: u32,
    part: *mut T,
    _borrow: PhantomData<&'a mut T>,
}

// SAFETY:
// - the guard is an exclusive borrow of the part; others may read it later on other threads.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockMappedWriteGuard<'_, T> {}
// SAFETY:
// - a shared guard gives shared access to the part, no more.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockMappedWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// # Safety
    /// The caller hands over all permits of `batch`, which guard what `part` points to.
    #[inline]
    pub(super) unsafe fn new(batch: &'a Batch, permits: u32, part: *mut T) -> Self {
        Self { batch, permits, part, _borrow: PhantomData }
    }

    /// Narrows the guard further.
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let part: *mut U = f(&mut *this);
        let this = ManuallyDrop::new(this);
        // SAFETY: the permits go from `this`, which is not dropped, to the new guard.
        unsafe { RwLockMappedWriteGuard::new(this.batch, this.permits, part) }
    }

    /// Narrows the guard further, if `f` finds a part.
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
        let this = ManuallyDrop::new(this);
        // SAFETY: as in `map`.
        Ok(unsafe { RwLockMappedWriteGuard::new(this.batch, this.permits, part) })
    }
}

impl<T: ?Sized> Drop for RwLockMappedWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.batch.release(self.permits as usize);
    }
}

impl<U: ?Sized> Deref for RwLockMappedWriteGuard<'_, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: the guard holds all permits.
        unsafe { &*self.part }
    }
}

impl<U: ?Sized> DerefMut for RwLockMappedWriteGuard<'_, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: the guard holds all permits, and is borrowed exclusively.
        unsafe { &mut *self.part }
    }
}

impl<U: ?Sized + fmt::Debug> fmt::Debug for RwLockMappedWriteGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<U: ?Sized + fmt::Display> fmt::Display for RwLockMappedWriteGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
