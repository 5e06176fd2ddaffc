//! The sending side of the watch channel.

use super::error::SendError;
use super::{CLOSED, Receiver, Ref, Shared, VERSION, channel};
use crate::leaf;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::atomics::Ordering;
use shinkan_base::canary;
use shinkan_base::wait::WaitKind;
use std::sync::Arc;

/// Changes the value that the receivers see. Clones send into the same channel.
pub struct Sender<T> {
    pub(super) shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// A sender of a channel that holds `init` and has no receiver yet.
    pub fn new(init: T) -> Self {
        channel(init).0
    }

    /// Replaces the value and tells the receivers.
    ///
    /// # Errors
    /// The value itself, if there is no receiver; the channel keeps the old one. Use
    /// [`send_replace`](Sender::send_replace) to set it for later receivers.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.receiver_count() == 0 {
            return Err(SendError(value));
        }
        drop(self.send_replace(value));
        Ok(())
    }

    /// Changes the value in its place and tells the receivers.
    ///
    /// # Panics
    /// If `modify` does; then the receivers are not told. It runs under the channel's lock, so it
    /// must not use the channel.
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Changes the value in its place, and tells the receivers if `modify` returns true. Returns
    /// what it returned.
    ///
    /// # Panics
    /// As [`send_modify`](Sender::send_modify).
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        if canary("watch_notify_first") {
            self.shared.changed.notify_waiters();
        }
        if canary("watch_version_early") {
            self.shared.state.fetch_add(VERSION, Ordering::Release);
        }
        {
            let mut value = self.shared.write();
            if !modify(&mut value) {
                return false;
            }
            if !canary("watch_version_early") {
                let order = if canary("watch_version_relaxed") {
                    Ordering::Relaxed
                } else {
                    Ordering::Release
                };
                self.shared.state.fetch_add(VERSION, order);
            }
        }
        if !canary("watch_notify_first") {
            self.shared.changed.notify_waiters();
        }
        true
    }

    /// Replaces the value, tells the receivers, and returns the old one. Works without receivers.
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|old| core::mem::swap(old, &mut value));
        value
    }

    /// The current value.
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref { value: self.shared.read(), has_changed: false }
    }

    /// Whether there is no receiver.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there is no receiver.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let place = Location::caller();
        let closed = async move {
            while !self.is_closed() {
                let unwatched = self.shared.unwatched.notified_as(WaitKind::WatchClosed, place);
                if self.is_closed() {
                    return;
                }
                unwatched.await;
            }
        };
        leaf::cooperative(leaf::address(&*self.shared), place, closed)
    }

    /// A new receiver, which counts the current value as seen.
    pub fn subscribe(&self) -> Receiver<T> {
        self.shared.receivers.fetch_add(1, Ordering::Relaxed);
        let (version, _) = self.shared.state();
        Receiver { shared: self.shared.clone(), version }
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.shared.receivers.load(Ordering::Relaxed)
    }

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        self.shared.senders.load(Ordering::Relaxed)
    }

    /// Whether both are of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.senders.fetch_add(1, Ordering::Relaxed);
        Self { shared: self.shared.clone() }
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.shared.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            if canary("watch_end_first") {
                self.shared.changed.notify_waiters();
                self.shared.state.fetch_or(CLOSED, Ordering::Release);
                return;
            }
            self.shared.state.fetch_or(CLOSED, Ordering::Release);
            self.shared.changed.notify_waiters();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("shared", &self.shared).finish()
    }
}
