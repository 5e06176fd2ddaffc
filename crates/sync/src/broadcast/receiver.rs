//! The receiving side of the broadcast channel.

use super::error::{RecvError, TryRecvError};
use super::ring::{Ring, Seat};
use super::wait::Recv;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::atomics::Ordering;
use shinkan_context::services::block_on;
use std::sync::Arc;

/// Gets every message that is sent while it exists, unless it is too slow.
pub struct Receiver<T> {
    pub(super) ring: Arc<Ring<T>>,
    pub(super) seat: Seat,
}

impl<T> Receiver<T> {
    /// The ring counts it already.
    pub(super) fn new(ring: Arc<Ring<T>>, seat: Seat) -> Self {
        Self { ring, seat }
    }

    /// How many messages were sent that this receiver has not had, with those that it has lost.
    pub fn len(&self) -> usize {
        (self.ring.position() - self.seat.next) as usize
    }

    /// Whether it has had, or lost, all messages.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.ring, &other.ring)
    }

    /// How many senders there are.
    pub fn sender_strong_count(&self) -> usize {
        self.ring.senders.load(Ordering::Acquire)
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.ring.weak.load(Ordering::Acquire)
    }

    /// Whether all senders were dropped. There may be messages left.
    pub fn is_closed(&self) -> bool {
        self.sender_strong_count() == 0
    }
}

impl<T: Clone> Receiver<T> {
    /// A new receiver, which gets the messages that are sent from now on, not those that this one
    /// has not had yet.
    pub fn resubscribe(&self) -> Self {
        Self::new(self.ring.clone(), self.ring.join())
    }

    /// Waits for the next message.
    ///
    /// # Errors
    /// [`RecvError::Lagged`] if messages were lost: the next call returns the oldest that is left.
    /// [`RecvError::Closed`] if all senders were dropped and nothing is left.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Result<T, RecvError>> {
        Recv::new(self, Location::caller())
    }

    /// Takes the next message, if there is one.
    ///
    /// # Errors
    /// As [`recv`](Receiver::recv), or [`TryRecvError::Empty`] if there is none yet.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.ring.receive(&mut self.seat)
    }

    /// Blocks the thread until the next message comes. For threads that drive no runtime.
    ///
    /// # Errors
    /// As [`recv`](Receiver::recv).
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block_on(self.recv())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.ring.leave(self.seat.next);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Receiver")
    }
}
