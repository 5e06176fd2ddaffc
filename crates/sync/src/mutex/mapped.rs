//! The guard of a part of a locked value.

#![allow(unsafe_code)]

use crate::batch::Batch;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

/// Holds a [`Mutex`](super::Mutex) and gives access to a part of its value. Made by
/// [`MutexGuard::map`](super::MutexGuard::map).
#[must_use = "the lock is released when this is dropped"]
#[clippy::has_significant_drop]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    batch: &'a Batch,
    part: *mut T,
    _borrow: PhantomData<&'a mut T>,
}

// SAFETY:
// - the guard is an exclusive borrow of the part.
unsafe impl<T: ?Sized + Send> Send for MappedMutexGuard<'_, T> {}
// SAFETY:
// - a shared guard gives shared access to the part, no more.
unsafe impl<T: ?Sized + Sync> Sync for MappedMutexGuard<'_, T> {}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// # Safety
    /// The caller hands over the one permit of `batch`, which guards what `part` points to.
    #[inline]
    pub(super) unsafe fn new(batch: &'a Batch, part: *mut T) -> Self {
        Self { batch, part, _borrow: PhantomData }
    }

    /// Narrows the guard further.
    #[inline]
    pub fn map<U: ?Sized, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let part: *mut U = f(&mut *this);
        let this = ManuallyDrop::new(this);
        // SAFETY: the permit goes from `this`, which is not dropped, to the new guard.
        unsafe { MappedMutexGuard::new(this.batch, part) }
    }

    /// Narrows the guard further, if `f` finds a part.
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
        Ok(unsafe { MappedMutexGuard::new(this.batch, part) })
    }
}

impl<T: ?Sized> Drop for MappedMutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.batch.release_last();
    }
}

impl<T: ?Sized> Deref for MappedMutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the permit that guards the part.
        unsafe { &*self.part }
    }
}

impl<T: ?Sized> DerefMut for MappedMutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the permit, and is borrowed exclusively.
        unsafe { &mut *self.part }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MappedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MappedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
