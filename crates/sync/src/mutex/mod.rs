//! `Mutex`: a batch semaphore of one permit, and the cell that the permit opens.

#![allow(unsafe_code)]

mod guard;
mod mapped;
mod owned;
mod owned_mapped;

pub use guard::MutexGuard;
pub use mapped::MappedMutexGuard;
pub use owned::OwnedMutexGuard;
pub use owned_mapped::OwnedMappedMutexGuard;

use crate::batch::{Acquire, Batch, Gate};
use core::cell::UnsafeCell;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::wait::WaitKind;
use shinkan_context::services::block_on;
use shinkan_trace::Kind;
use std::sync::Arc;

/// A lock that a task may hold while it awaits.
///
/// Tasks get it in the order in which they asked. It is not poisoned: if a task panics while it
/// holds the lock, the next one gets it and finds the value as it was left.
///
/// Where no `.await` stands between lock and unlock, a blocking lock such as
/// [`std::sync::Mutex`] is the better choice, also in async code.
///
/// # Examples
/// ```
/// use shinkan_sync::Mutex;
///
/// # futures::executor::block_on(async {
/// let count = Mutex::new(1);
/// *count.lock().await += 1;
/// assert_eq!(*count.lock().await, 2);
/// # });
/// ```
pub struct Mutex<T: ?Sized> {
    pub(crate) batch: Batch,
    pub(crate) value: UnsafeCell<T>,
}

/// Says that the lock was not free.
#[derive(Debug)]
pub struct TryLockError(pub(crate) ());

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("operation would block")
    }
}

impl std::error::Error for TryLockError {}

// SAFETY:
// - the value moves with the lock.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY:
// - of all threads that share the lock, one has access to the value at a time.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

struct Borrow<'a, T: ?Sized>(&'a Mutex<T>);

// SAFETY:
// - a borrowed lock does not move while the borrow lives.
unsafe impl<'a, T: ?Sized> Gate for Borrow<'a, T> {
    type Output = MutexGuard<'a, T>;
    const KIND: WaitKind = WaitKind::Mutex;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.batch
    }

    #[inline]
    fn granted(self, _permits: usize) -> Self::Output {
        MutexGuard::new(self.0)
    }

    fn refused(self) -> Self::Output {
        unreachable!("nobody closes the semaphore of a Mutex")
    }
}

struct Share<T: ?Sized>(Arc<Mutex<T>>);

// SAFETY:
// - what an `Arc` holds does not move while the `Arc` lives.
unsafe impl<T: ?Sized> Gate for Share<T> {
    type Output = OwnedMutexGuard<T>;
    const KIND: WaitKind = WaitKind::Mutex;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.batch
    }

    #[inline]
    fn granted(self, _permits: usize) -> Self::Output {
        OwnedMutexGuard::new(self.0)
    }

    fn refused(self) -> Self::Output {
        unreachable!("nobody closes the semaphore of a Mutex")
    }
}

impl<T: ?Sized> Mutex<T> {
    /// A free lock around `value`.
    #[inline]
    #[track_caller]
    pub fn new(value: T) -> Self
    where
        T: Sized,
    {
        Self { batch: Batch::new(Kind::Mutex, 1), value: UnsafeCell::new(value) }
    }

    /// Waits for the lock, which is released when the guard is dropped.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped, but the place in the queue.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::Mutex;
    /// # futures::executor::block_on(async {
    /// let lock = Mutex::new(String::new());
    /// lock.lock().await.push('a');
    /// assert_eq!(lock.into_inner(), "a");
    /// # });
    /// ```
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        Acquire::new(Borrow(self), 1, Location::caller())
    }

    /// Waits for the lock; the guard keeps it alive and may be sent to another task.
    ///
    /// # Cancel safety
    /// As [`Mutex::lock`].
    #[inline]
    #[track_caller]
    pub fn lock_owned(self: Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>> {
        Acquire::new(Share(self), 1, Location::caller())
    }

    /// Blocks the thread until it has the lock. For threads that drive no runtime, where the lock
    /// is shared with tasks.
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::Mutex;
    /// let lock = Mutex::new(1);
    /// *lock.blocking_lock() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        block_on(self.lock())
    }

    /// Blocks the thread until it has the lock; the guard keeps it alive.
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        block_on(self.lock_owned())
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// If somebody has it, or waits for it.
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        match self.batch.try_acquire_last() {
            Ok(()) => Ok(MutexGuard::new(self)),
            Err(_) => Err(TryLockError(())),
        }
    }

    /// Takes the lock if it is free; the guard keeps it alive.
    ///
    /// # Errors
    /// As [`Mutex::try_lock`].
    #[inline]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        match self.batch.try_acquire_last() {
            Ok(()) => Ok(OwnedMutexGuard::new(self)),
            Err(_) => Err(TryLockError(())),
        }
    }

    /// The value, by exclusive borrow: there is nobody to lock out.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Gives the value back.
    #[inline]
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.value.into_inner()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(value) => out.field("data", &&*value),
            Err(_) => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
