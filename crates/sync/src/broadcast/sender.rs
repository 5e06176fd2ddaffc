//! The sending side of the broadcast channel.

use super::Receiver;
use super::error::SendError;
use super::ring::Ring;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::atomics::Ordering;
use shinkan_base::canary;
use shinkan_base::wait::WaitKind;
use std::sync::Arc;

/// Sends messages to all receivers. Clones send into the same channel.
pub struct Sender<T> {
    pub(super) ring: Arc<Ring<T>>,
}

/// A sender that does not keep the channel open.
pub struct WeakSender<T> {
    ring: Arc<Ring<T>>,
}

impl<T> Sender<T> {
    /// A sender of a channel that has no receiver yet.
    ///
    /// # Panics
    /// If `capacity` is 0, or more than `usize::MAX / 2`.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        assert!(
            capacity > 0,
            "a broadcast channel for 0 messages was asked for: it needs room for one at least"
        );
        assert!(
            capacity <= usize::MAX >> 1,
            "a broadcast channel for {capacity} messages was asked for: it can have {} at most",
            usize::MAX >> 1
        );
        Self { ring: Arc::new(Ring::new(capacity)) }
    }

    /// Sends a message to all receivers that there are, and returns how many. Never waits.
    ///
    /// # Errors
    /// The message itself, if there is no receiver. There may be one later, so a later call may
    /// succeed.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.ring.send(value).map_err(SendError)
    }

    /// A new receiver, which gets the messages that are sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(self.ring.clone(), self.ring.join())
    }

    /// A sender that does not keep the channel open.
    #[must_use = "this makes a weak sender and leaves the strong one as it is"]
    pub fn downgrade(&self) -> WeakSender<T> {
        self.ring.weak.fetch_add(1, Ordering::Relaxed);
        WeakSender { ring: self.ring.clone() }
    }

    /// How many messages some receiver has not had yet.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether every receiver has had every message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.ring.receivers()
    }

    /// Whether both are of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.ring, &other.ring)
    }

    /// Waits until there is no receiver.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            loop {
                // Made before the look, so that it ends if the last one goes after it.
                let unheard = self.ring.unheard.notified_as(WaitKind::BroadcastClosed, place);
                if self.receiver_count() == 0 {
                    return;
                }
                unheard.await;
            }
        }
    }

    /// How many senders there are.
    pub fn strong_count(&self) -> usize {
        self.ring.senders.load(Ordering::Acquire)
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.ring.weak.load(Ordering::Acquire)
    }
}

impl<T> WeakSender<T> {
    /// A sender, if there is still one.
    #[must_use]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let senders = &self.ring.senders;
        let mut count = senders.load(Ordering::Acquire);
        while count > 0 {
            match senders.compare_exchange_weak(
                count,
                count + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(Sender { ring: self.ring.clone() }),
                Err(now) => count = now,
            }
        }
        None
    }

    /// How many senders there are.
    pub fn strong_count(&self) -> usize {
        self.ring.senders.load(Ordering::Acquire)
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.ring.weak.load(Ordering::Acquire)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.ring.senders.fetch_add(1, Ordering::Relaxed);
        Self { ring: self.ring.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if canary("broadcast_end_first") {
            self.ring.end();
            self.ring.senders.fetch_sub(1, Ordering::AcqRel);
            return;
        }
        let order =
            if canary("broadcast_end_relaxed") { Ordering::Relaxed } else { Ordering::AcqRel };
        if self.ring.senders.fetch_sub(1, order) == 1 {
            self.ring.end();
        }
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        self.ring.weak.fetch_add(1, Ordering::Relaxed);
        Self { ring: self.ring.clone() }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        self.ring.weak.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Sender")
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::WeakSender")
    }
}
