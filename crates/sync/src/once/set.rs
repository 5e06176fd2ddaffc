//! `SetOnce`: a slot and a `Notify`, whose lock says which of two writers is first.

#![allow(unsafe_code)]

use super::Slot;
use crate::Notify;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::wait::WaitKind;
use shinkan_base::{auto, canary};

/// A cell that one task fills and others wait for.
///
/// # Examples
/// ```
/// use shinkan_sync::SetOnce;
///
/// static READY: SetOnce<u32> = SetOnce::const_new();
///
/// std::thread::spawn(|| READY.set(7).unwrap());
/// # futures::executor::block_on(async {
/// assert_eq!(*READY.wait().await, 7);
/// # });
/// ```
pub struct SetOnce<T> {
    pub(crate) slot: Slot<T>,
    pub(crate) is_set: Notify,
}

// SAFETY:
// - it owns its value.
unsafe impl<T: Send> Send for SetOnce<T> {}
// SAFETY:
// - a value goes in through `&` (Send), and comes out as `&T` for several threads (Sync).
// - one thread fills the slot, the first under the lock; others look when it is full (`set`).
unsafe impl<T: Send + Sync> Sync for SetOnce<T> {}

const _: () = {
    const fn fields<T: Send>() {
        auto::sent::<Slot<T>>();
        auto::sent::<Notify>();
        auto::shared::<Notify>();
    }
    fields::<()>();
};

/// The cell has a value; here is the other.
#[derive(Debug, PartialEq, Eq)]
pub struct SetOnceError<T>(pub T);

impl<T> SetOnce<T> {
    /// An empty cell.
    pub fn new() -> Self {
        Self { slot: Slot::new(), is_set: Notify::new() }
    }

    /// A cell with a value, or an empty one.
    pub fn new_with(value: Option<T>) -> Self {
        match value {
            Some(value) => Self { slot: Slot::full(value), is_set: Notify::new() },
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

    /// Fills the cell and wakes all that wait for it.
    ///
    /// # Errors
    /// The value, if the cell has one.
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        if canary("set_once_notify_first") {
            self.is_set.notify_waiters();
        }
        {
            let _one_writer = self.is_set.queue.lock();
            if self.initialized() {
                return Err(SetOnceError(value));
            }
            // SAFETY: empty, and whoever fills it holds the lock.
            unsafe { self.slot.fill(value) };
        }
        if !canary("set_once_notify_first") {
            self.is_set.notify_waiters();
        }
        Ok(())
    }

    /// The value, if it has one.
    pub fn into_inner(mut self) -> Option<T> {
        self.slot.take()
    }

    /// Waits until the cell is filled.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = &T> {
        let place = Location::caller();
        async move {
            loop {
                let early = if canary("set_once_look_first") { Some(self.get()) } else { None };
                // Made before the look, so that it ends if the cell is filled after it.
                let is_set = self.is_set.notified_as(WaitKind::OnceCell, place);
                if let Some(value) = early.unwrap_or_else(|| self.get()) {
                    return value;
                }
                is_set.await;
            }
        }
    }
}

impl<T> Drop for SetOnce<T> {
    fn drop(&mut self) {
        drop(self.slot.take());
    }
}

impl<T> Default for SetOnce<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone> Clone for SetOnce<T> {
    fn clone(&self) -> Self {
        Self::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for SetOnce<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for SetOnce<T> {}

impl<T> From<T> for SetOnce<T> {
    fn from(value: T) -> Self {
        Self::new_with(Some(value))
    }
}

impl<T: fmt::Debug> fmt::Debug for SetOnce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetOnce").field("value", &self.get()).finish()
    }
}

impl<T> fmt::Display for SetOnceError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetOnceError")
    }
}

impl<T: fmt::Debug> std::error::Error for SetOnceError<T> {}
