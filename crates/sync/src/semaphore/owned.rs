//! Permits that keep their semaphore alive, and the methods that give them.

#![allow(unsafe_code)]

use super::{AcquireError, Semaphore, TryAcquireError};
use crate::batch::{Acquire, Batch, Gate};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::wait::WaitKind;
use shinkan_context::services::block_on;
use std::sync::Arc;

/// Permits of a shared [`Semaphore`], given back when this is dropped.
#[must_use = "the permits are given back when this is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
}

struct Share(Arc<Semaphore>);

// SAFETY:
// - what an `Arc` holds does not move while the `Arc` lives.
unsafe impl Gate for Share {
    type Output = Result<OwnedSemaphorePermit, AcquireError>;
    const KIND: WaitKind = WaitKind::Semaphore;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.batch
    }

    #[inline]
    fn granted(self, permits: usize) -> Self::Output {
        Ok(OwnedSemaphorePermit { semaphore: self.0, permits })
    }

    fn refused(self) -> Self::Output {
        Err(AcquireError::closed())
    }
}

impl Semaphore {
    /// Waits for a permit that is not bound to a borrow: it may be sent to another task.
    ///
    /// # Errors
    /// As [`Semaphore::acquire`].
    ///
    /// # Cancel safety
    /// As [`Semaphore::acquire`].
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::Semaphore;
    /// # futures::executor::block_on(async {
    /// let semaphore = std::sync::Arc::new(Semaphore::new(1));
    /// let permit = semaphore.clone().acquire_owned().await.unwrap();
    /// std::thread::spawn(move || drop(permit)).join().unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # });
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_owned(
        self: Arc<Self>,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        Acquire::new(Share(self), 1, Location::caller())
    }

    /// Waits for `n` permits that are not bound to a borrow.
    ///
    /// # Errors
    /// As [`Semaphore::acquire`].
    ///
    /// # Cancel safety
    /// As [`Semaphore::acquire_many`].
    #[inline]
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        Acquire::new(Share(self), n as usize, Location::caller())
    }

    /// Takes a permit that is there now and is not bound to a borrow.
    ///
    /// # Errors
    /// As [`Semaphore::try_acquire`].
    #[inline]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Takes `n` permits that are there now and are not bound to a borrow.
    ///
    /// # Errors
    /// As [`Semaphore::try_acquire_many`].
    #[inline]
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.batch.try_acquire(n as usize)?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits: n as usize })
    }

    /// Blocks the thread until there is a permit, which is not bound to a borrow.
    ///
    /// # Errors
    /// As [`Semaphore::acquire`].
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on(self.acquire_owned())
    }

    /// Blocks the thread until there are `n` permits, which are not bound to a borrow.
    ///
    /// # Errors
    /// As [`Semaphore::acquire`].
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on(self.acquire_many_owned(n))
    }
}

impl OwnedSemaphorePermit {
    /// Does not give the permits back: the semaphore has fewer from now on.
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Takes over the permits of `other`.
    ///
    /// # Panics
    /// If `other` is of another semaphore.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            Arc::ptr_eq(&self.semaphore, &other.semaphore),
            "`OwnedSemaphorePermit::merge` was given a permit of another semaphore: merge permits \
             of one semaphore only"
        );
        self.permits += core::mem::take(&mut other.permits);
    }

    /// Splits `n` permits off into a value of their own; nothing if there are fewer than `n`.
    pub fn split(&mut self, n: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(n)?;
        Some(Self { semaphore: self.semaphore.clone(), permits: n })
    }

    /// The semaphore that they are of.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// How many permits these are.
    #[inline]
    pub fn num_permits(&self) -> usize {
        self.permits
    }
}

impl Drop for OwnedSemaphorePermit {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.batch.release(self.permits);
    }
}

impl fmt::Debug for OwnedSemaphorePermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedSemaphorePermit")
            .field("sem", &self.semaphore)
            .field("permits", &self.permits)
            .finish()
    }
}
