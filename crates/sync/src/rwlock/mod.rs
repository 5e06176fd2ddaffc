//! `RwLock`: a batch semaphore. A reader takes one permit, a writer all of them.

#![allow(unsafe_code)]

mod gate;
mod mapped;
mod owned_mapped;
mod owned_read;
mod owned_write;
mod read;
mod write;

pub use mapped::RwLockMappedWriteGuard;
pub use owned_mapped::OwnedRwLockMappedWriteGuard;
pub use owned_read::OwnedRwLockReadGuard;
pub use owned_write::OwnedRwLockWriteGuard;
pub use read::RwLockReadGuard;
pub use write::RwLockWriteGuard;

use crate::TryLockError;
use crate::batch::{Acquire, Batch};
use core::cell::UnsafeCell;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use gate::{Read, ReadOwned, Write, WriteOwned};
use shinkan_base::canary;
use shinkan_context::services::block_on;
use shinkan_trace::Kind;
use std::sync::Arc;

/// A lock that many tasks may hold to read, or one to write, also while they await.
///
/// Tasks get it in the order in which they asked: readers that come after a writer that waits,
/// wait too, so that nobody starves. So a task that reads must not ask again while it reads.
///
/// # Examples
/// ```
/// use shinkan_sync::RwLock;
///
/// # futures::executor::block_on(async {
/// let lock = RwLock::new(5);
/// {
///     let (a, b) = (lock.read().await, lock.read().await);
///     assert_eq!(*a + *b, 10);
/// }
/// *lock.write().await += 1;
/// assert_eq!(*lock.read().await, 6);
/// # });
/// ```
pub struct RwLock<T: ?Sized> {
    pub(crate) max: u32,
    pub(crate) batch: Batch,
    pub(crate) value: UnsafeCell<T>,
}

// SAFETY:
// - the value moves with the lock.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY:
// - threads that share the lock get `&T` (Sync) and, one at a time, `&mut T` (Send).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A free lock around `value`.
    #[inline]
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self {
            max: Self::MAX_READERS,
            batch: Batch::new(Kind::RwLock, Self::MAX_READERS as usize),
            value: UnsafeCell::new(value),
        }
    }

    /// A free lock around `value` that at most `max_reads` tasks can read at once.
    ///
    /// # Panics
    /// If `max_reads` is 0, or more than `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> Self {
        assert!(
            max_reads > 0,
            "a RwLock may not be created with 0 readers, since nobody could read it: let one at \
             least"
        );
        assert!(
            max_reads <= Self::MAX_READERS,
            "an RwLock for {max_reads} readers was asked for; it can have {} at most",
            Self::MAX_READERS
        );
        Self {
            max: max_reads,
            batch: Batch::new(Kind::RwLock, max_reads as usize),
            value: UnsafeCell::new(value),
        }
    }

    /// Gives the value back.
    #[inline]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    pub(crate) const MAX_READERS: u32 = u32::MAX >> 3;

    /// A writer has become a reader.
    #[inline]
    fn release_all_but_one(&self) {
        let kept = if canary("rwlock_downgrade_all") { 0 } else { 1 };
        self.batch.release(self.max as usize - kept);
    }

    /// Waits until it can read.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped, but the place in the queue.
    #[inline]
    #[track_caller]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        Acquire::new(Read(self), 1, Location::caller())
    }

    /// Waits until it can read; the guard keeps the lock alive and may be sent to another task.
    ///
    /// # Cancel safety
    /// As [`RwLock::read`].
    #[inline]
    #[track_caller]
    pub fn read_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockReadGuard<T>> {
        Acquire::new(ReadOwned(self), 1, Location::caller())
    }

    /// Waits until it can write.
    ///
    /// # Cancel safety
    /// As [`RwLock::read`].
    #[inline]
    #[track_caller]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        Acquire::new(Write(self), self.max as usize, Location::caller())
    }

    /// Waits until it can write; the guard keeps the lock alive and may be sent to another task.
    ///
    /// # Cancel safety
    /// As [`RwLock::read`].
    #[inline]
    #[track_caller]
    pub fn write_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockWriteGuard<T>> {
        let max = self.max as usize;
        Acquire::new(WriteOwned(self), max, Location::caller())
    }

    /// Blocks the thread until it can read. For threads that drive no runtime.
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        block_on(self.read())
    }

    /// Blocks the thread until it can write. For threads that drive no runtime.
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        block_on(self.write())
    }

    /// Reads, if it can at once.
    ///
    /// # Errors
    /// If somebody writes, or waits to write.
    #[inline]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        self.batch.try_acquire(1).map_err(|_| TryLockError(()))?;
        // SAFETY: the permit was taken just now.
        Ok(unsafe { RwLockReadGuard::new(&self.batch, self.value.get()) })
    }

    /// Reads, if it can at once; the guard keeps the lock alive.
    ///
    /// # Errors
    /// As [`RwLock::try_read`].
    #[inline]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        self.batch.try_acquire(1).map_err(|_| TryLockError(()))?;
        let value = self.value.get();
        // SAFETY: the permit was taken just now.
        Ok(unsafe { OwnedRwLockReadGuard::new(self, value) })
    }

    /// Writes, if it can at once.
    ///
    /// # Errors
    /// If somebody reads, writes, or waits.
    #[inline]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        self.batch.try_acquire(self.max as usize).map_err(|_| TryLockError(()))?;
        Ok(RwLockWriteGuard::new(self))
    }

    /// Writes, if it can at once; the guard keeps the lock alive.
    ///
    /// # Errors
    /// As [`RwLock::try_write`].
    #[inline]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        self.batch.try_acquire(self.max as usize).map_err(|_| TryLockError(()))?;
        Ok(OwnedRwLockWriteGuard::new(self))
    }

    /// The value, by exclusive borrow: there is nobody to lock out.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(value) => out.field("data", &&*value),
            Err(_) => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
