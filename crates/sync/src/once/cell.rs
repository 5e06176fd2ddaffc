//! `OnceCell`: one permit, which the task that fills the cell holds.

#![allow(unsafe_code)]

use super::Slot;
use crate::Semaphore;
use crate::batch::{Acquire, Batch, Gate, Refusal};
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::wait::WaitKind;
use shinkan_base::{auto, canary};

/// A cell that is filled once, by an async function if need be.
///
/// If several tasks want to fill it, one does and the others wait for the value. If that one fails,
/// panics or is cancelled, the next tries.
///
/// # Examples
/// ```
/// use shinkan_sync::OnceCell;
///
/// static GREETING: OnceCell<String> = OnceCell::const_new();
///
/// # futures::executor::block_on(async {
/// let text = GREETING.get_or_init(|| async { "hello".to_owned() }).await;
/// assert_eq!(text, "hello");
/// # });
/// ```
pub struct OnceCell<T> {
    pub(crate) slot: Slot<T>,
    pub(crate) turn: Semaphore,
}

// SAFETY:
// - it owns its value.
unsafe impl<T: Send> Send for OnceCell<T> {}
// SAFETY:
// - a value goes in through `&` (Send), and comes out as `&T` for several threads (Sync).
// - one thread fills the slot, the one that has the permit; others look when it is full (`fill`).
unsafe impl<T: Send + Sync> Sync for OnceCell<T> {}

const _: () = {
    const fn fields<T: Send>() {
        auto::sent::<Slot<T>>();
        auto::sent::<Semaphore>();
        auto::shared::<Semaphore>();
    }
    fields::<()>();
};

/// Why a cell was not set; here is the value.
#[derive(Debug, PartialEq, Eq)]
pub enum SetError<T> {
    /// It has a value.
    AlreadyInitializedError(T),
    /// A task is just filling it.
    InitializingError(T),
}

/// The right to fill the cell, given back if it is not used.
struct Turn<'a>(&'a Batch);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !canary("once_turn_kept") {
            self.0.release(1);
        }
    }
}

struct TurnGate<'a>(&'a Batch);

// SAFETY:
// - a borrowed semaphore does not move while the borrow lives.
unsafe impl<'a> Gate for TurnGate<'a> {
    type Output = Option<Turn<'a>>;
    const KIND: WaitKind = WaitKind::OnceCell;

    fn semaphore(&self) -> &Batch {
        self.0
    }

    fn granted(self, _permits: usize) -> Self::Output {
        Some(Turn(self.0))
    }

    fn refused(self) -> Self::Output {
        None
    }
}

impl<T> OnceCell<T> {
    /// An empty cell.
    pub fn new() -> Self {
        Self { slot: Slot::new(), turn: Semaphore::new(1) }
    }

    /// A cell with a value, or an empty one.
    pub fn new_with(value: Option<T>) -> Self {
        match value {
            Some(value) => Self { slot: Slot::full(value), turn: Semaphore::new_closed() },
            None => Self::new(),
        }
    }

    /// Whether it has a value.
    #[inline]
    pub fn initialized(&self) -> bool {
        self.slot.is_filled()
    }

    /// The value, if it has one.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.slot.get()
    }

    /// The value, if it has one, by exclusive borrow.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.slot.get_mut()
    }

    /// Fills the cell with a value that is there already.
    ///
    /// # Errors
    /// The value, if the cell has one or is just being filled.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        if self.initialized() {
            return Err(SetError::AlreadyInitializedError(value));
        }
        match self.turn.batch.try_acquire(1) {
            Ok(()) => {
                self.fill(value, Turn(&self.turn.batch));
                Ok(())
            }
            Err(Refusal::NoPermits) => Err(SetError::InitializingError(value)),
            Err(Refusal::Closed) => Err(SetError::AlreadyInitializedError(value)),
        }
    }

    fn fill(&self, value: T, turn: Turn<'_>) -> &T {
        // The permit is gone for good.
        core::mem::forget(turn);
        if canary("once_closed_first") {
            self.turn.close();
        }
        // SAFETY:
        // - empty: the permit was there, and it is never given back after this.
        // - alone: there is one permit.
        let value = unsafe { self.slot.fill(value) };
        self.turn.close();
        value
    }

    /// The value; if there is none, `f` makes it, unless another task does first.
    ///
    /// # Cancel safety
    /// If it is dropped, so is the future of `f`, and another task may try.
    ///
    /// # Panics
    /// If `f` does; the cell stays empty. A cell that is asked for within its own `f` waits for
    /// ever.
    #[track_caller]
    pub fn get_or_init<F, Fut>(&self, f: F) -> impl Future<Output = &T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let place = Location::caller();
        async move {
            let made = self.get_or_fill(place, || async { Ok::<T, Infallible>(f().await) });
            match made.await {
                Ok(value) => value,
                Err(never) => match never {},
            }
        }
    }

    /// The value; if there is none, `f` makes it or fails, unless another task does first.
    ///
    /// # Errors
    /// That of `f`; the cell stays empty, and another task may try.
    ///
    /// # Cancel safety
    /// As [`OnceCell::get_or_init`].
    ///
    /// # Panics
    /// As [`OnceCell::get_or_init`].
    #[track_caller]
    pub fn get_or_try_init<E, F, Fut>(&self, f: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.get_or_fill(Location::caller(), f)
    }

    async fn get_or_fill<E, F, Fut>(&self, place: &'static Location<'static>, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        match Acquire::new(TurnGate(&self.turn.batch), 1, place).await {
            Some(turn) => {
                let value = f().await?;
                Ok(self.fill(value, turn))
            }
            None => match self.get() {
                Some(value) => Ok(value),
                None => unreachable!("the cell is closed when it was filled"),
            },
        }
    }

    /// The value, if it has one.
    pub fn into_inner(mut self) -> Option<T> {
        self.slot.take()
    }

    /// Takes the value out, if there is one, and leaves the cell empty.
    pub fn take(&mut self) -> Option<T> {
        core::mem::take(self).into_inner()
    }
}

impl<T> SetError<T> {
    /// Whether the cell had a value.
    pub fn is_already_init_err(&self) -> bool {
        matches!(self, Self::AlreadyInitializedError(_))
    }

    /// Whether the cell was just being filled.
    pub fn is_initializing_err(&self) -> bool {
        matches!(self, Self::InitializingError(_))
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyInitializedError(_) => "AlreadyInitializedError",
            Self::InitializingError(_) => "InitializingError",
        })
    }
}

impl<T: fmt::Debug> std::error::Error for SetError<T> {}

impl<T> Drop for OnceCell<T> {
    fn drop(&mut self) {
        drop(self.slot.take());
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    fn clone(&self) -> Self {
        Self::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        Self::new_with(Some(value))
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCell").field("value", &self.get()).finish()
    }
}
