//! The senders of an unbounded channel.

use super::chan::{self, Chan, Tx, Unbounded};
use super::error::SendError;
use super::unbounded_receiver::UnboundedReceiver;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::atomics::Arc;

/// Makes a channel that always has room.
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (tx, rx) = chan::channel(Unbounded, Location::caller());
    (UnboundedSender { tx }, UnboundedReceiver { rx })
}

/// Sends messages into an unbounded channel. Clones are further senders of the same channel.
pub struct UnboundedSender<T> {
    tx: Tx<T, Unbounded>,
}

/// A sender that does not keep the channel open: the receiver may find the end though it exists.
pub struct WeakUnboundedSender<T> {
    chan: Arc<Chan<T, Unbounded>>,
}

impl<T> UnboundedSender<T> {
    /// Sends a message. Never waits.
    ///
    /// # Errors
    /// The message itself, if the receiver was closed or dropped.
    #[inline]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.tx.0.queue.push_open(message).map_err(SendError)
    }

    /// Waits until the receiver is closed or dropped.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        self.tx.closed(Location::caller())
    }

    /// Whether the receiver was closed or dropped.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.tx.0.is_closed()
    }

    /// Whether both are of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.tx.same_channel(&other.tx)
    }

    /// A sender that does not keep the channel open.
    #[must_use = "this makes a weak sender and leaves the strong one as it is"]
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender::new(&self.tx.0)
    }

    /// How many senders there are.
    pub fn strong_count(&self) -> usize {
        self.tx.0.strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.tx.0.weak_count()
    }
}

impl<T> WeakUnboundedSender<T> {
    fn new(chan: &Arc<Chan<T, Unbounded>>) -> Self {
        chan.add_weak();
        Self { chan: chan.clone() }
    }

    /// A sender, if there is still one.
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        Tx::of(&self.chan).map(|tx| UnboundedSender { tx })
    }

    /// How many senders there are.
    pub fn strong_count(&self) -> usize {
        self.chan.strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.chan.weak_count()
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        Self { tx: self.tx.clone() }
    }
}

impl<T> Clone for WeakUnboundedSender<T> {
    fn clone(&self) -> Self {
        Self::new(&self.chan)
    }
}

impl<T> Drop for WeakUnboundedSender<T> {
    fn drop(&mut self) {
        self.chan.remove_weak();
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedSender").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for WeakUnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakUnboundedSender").finish_non_exhaustive()
    }
}
