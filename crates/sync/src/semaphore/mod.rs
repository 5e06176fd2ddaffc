//! `Semaphore`: the public face of the batch semaphore. Called by user code; holds no unsafe code
//! but the two gates' word that their semaphore does not move.

#![allow(unsafe_code)]

mod owned;
mod permit;

pub use owned::OwnedSemaphorePermit;
pub use permit::SemaphorePermit;

use crate::batch::{Acquire, Batch, Gate, Refusal};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::wait::WaitKind;
use shinkan_context::services::block_on;
use shinkan_trace::Kind;

/// Counts permits, and lets tasks wait for them in turn.
///
/// Who asked first is served first: a task that asks for many permits collects them while others
/// behind it wait, even where there would be enough for those. So nobody starves.
///
/// # Examples
/// At most two of these at once:
/// ```
/// use shinkan_sync::Semaphore;
///
/// # futures::executor::block_on(async {
/// let semaphore = Semaphore::new(2);
/// let first = semaphore.acquire().await.unwrap();
/// let _second = semaphore.acquire().await.unwrap();
/// assert!(semaphore.try_acquire().is_err());
/// drop(first);
/// assert!(semaphore.try_acquire().is_ok());
/// # });
/// ```
pub struct Semaphore {
    pub(crate) batch: Batch,
}

/// Says that the semaphore was closed: nobody gets a permit of it any more.
#[derive(Debug)]
pub struct AcquireError(());

/// Why there was no permit at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore was closed.
    Closed,
    /// There are too few permits now.
    NoPermits,
}

impl AcquireError {
    pub(crate) fn closed() -> Self {
        Self(())
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("semaphore closed")
    }
}

impl std::error::Error for AcquireError {}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "semaphore closed",
            Self::NoPermits => "no permits available",
        })
    }
}

impl std::error::Error for TryAcquireError {}

impl From<Refusal> for TryAcquireError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Closed => Self::Closed,
            Refusal::NoPermits => Self::NoPermits,
        }
    }
}

struct Borrow<'a>(&'a Semaphore);

// SAFETY:
// - a borrowed semaphore does not move while the borrow lives.
unsafe impl<'a> Gate for Borrow<'a> {
    type Output = Result<SemaphorePermit<'a>, AcquireError>;
    const KIND: WaitKind = WaitKind::Semaphore;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.batch
    }

    #[inline]
    fn granted(self, permits: usize) -> Self::Output {
        Ok(SemaphorePermit::new(self.0, permits))
    }

    fn refused(self) -> Self::Output {
        Err(AcquireError::closed())
    }
}

impl Semaphore {
    /// The most permits that a semaphore can have: `usize::MAX >> 3`.
    pub const MAX_PERMITS: usize = Batch::MAX;

    /// A semaphore with `permits` permits.
    ///
    /// # Panics
    /// If `permits` exceeds [`Semaphore::MAX_PERMITS`].
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        Self { batch: Batch::new(Kind::Semaphore, permits) }
    }

    pub(crate) fn new_closed() -> Self {
        Self { batch: Batch::new_closed() }
    }

    /// The permits that are there now.
    #[inline]
    pub fn available_permits(&self) -> usize {
        self.batch.available()
    }

    /// Adds `n` permits, which go to those who wait first.
    ///
    /// # Panics
    /// If there would be more than [`Semaphore::MAX_PERMITS`].
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.batch.release(n);
    }

    /// Takes up to `n` of the permits that are there out of circulation, for good, and returns
    /// how many it took. Those that are in use are not counted.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::Semaphore;
    /// let semaphore = Semaphore::new(3);
    /// assert_eq!(semaphore.forget_permits(5), 3);
    /// assert_eq!(semaphore.available_permits(), 0);
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        self.batch.forget(n)
    }

    /// Waits for a permit, which is given back when it is dropped.
    ///
    /// # Errors
    /// If the semaphore is closed, before or while this waits.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped, but the place in the queue.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::Semaphore;
    /// # futures::executor::block_on(async {
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.acquire().await.unwrap();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// drop(permit);
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # });
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        Acquire::new(Borrow(self), 1, Location::caller())
    }

    /// Waits for `n` permits, which are given back together.
    ///
    /// # Errors
    /// As [`Semaphore::acquire`].
    ///
    /// # Cancel safety
    /// As [`Semaphore::acquire`]; permits that it collected so far go to the next in the queue.
    #[inline]
    #[track_caller]
    pub fn acquire_many(
        &self,
        n: u32,
    ) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        Acquire::new(Borrow(self), n as usize, Location::caller())
    }

    /// Takes a permit that is there now.
    ///
    /// # Errors
    /// [`TryAcquireError::NoPermits`] if there is none, [`TryAcquireError::Closed`] if the
    /// semaphore is closed.
    #[inline]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits that are there now.
    ///
    /// # Errors
    /// As [`Semaphore::try_acquire`], where there are fewer than `n`.
    #[inline]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.batch.try_acquire(n as usize)?;
        Ok(SemaphorePermit::new(self, n as usize))
    }

    /// Blocks the thread until there is a permit. For threads that drive no runtime.
    ///
    /// # Errors
    /// As [`Semaphore::acquire`].
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on(self.acquire())
    }

    /// Blocks the thread until there are `n` permits. For threads that drive no runtime.
    ///
    /// # Errors
    /// As [`Semaphore::acquire`].
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on(self.acquire_many(n))
    }

    /// Closes the semaphore: all that wait get an error, and so does whoever asks later. Permits
    /// that are in use stay so, and can be given back.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::{Semaphore, TryAcquireError};
    /// let semaphore = Semaphore::new(1);
    /// semaphore.close();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    /// ```
    pub fn close(&self) {
        self.batch.close();
    }

    /// Whether it was closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.batch.is_closed()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("permits", &self.available_permits()).finish()
    }
}
