//! The receiver of an unbounded channel.

use super::chan::{Rx, Unbounded};
use super::error::TryRecvError;
use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::task::{Context, Poll};
use shinkan_context::services::block_on;

/// Receives the messages of an unbounded channel, in the order in which each sender sent them.
pub struct UnboundedReceiver<T> {
    pub(super) rx: Rx<T, Unbounded>,
}

impl<T> Unpin for UnboundedReceiver<T> {}

impl<T> UnboundedReceiver<T> {
    /// Waits for the next message; `None` when all senders were dropped, or the channel was closed,
    /// and nothing is left.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::mpsc;
    /// # futures::executor::block_on(async {
    /// let (sender, mut receiver) = mpsc::unbounded_channel();
    /// sender.send("a").unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.recv().await, Some("a"));
    /// assert_eq!(receiver.recv().await, None);
    /// # });
    /// ```
    #[inline]
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
        let place = Location::caller();
        async move { poll_fn(|cx| self.rx.poll_recv(cx, place)).await }
    }

    /// Waits for the next messages and appends those that are there, up to `limit`, to `buffer`.
    /// Returns how many: 0 where [`recv`](UnboundedReceiver::recv) would return `None`, or if `limit` is 0.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> impl Future<Output = usize> {
        let place = Location::caller();
        async move { poll_fn(|cx| self.rx.poll_recv_many(cx, place, buffer, limit)).await }
    }

    /// Takes the next message, if there is one. A message whose sending has ended is there.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if one may come later, else [`TryRecvError::Disconnected`].
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.rx.try_recv()
    }

    /// Blocks the thread until the next message comes. For threads that drive no runtime.
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        block_on(self.recv())
    }

    /// Blocks the thread as [`recv_many`](UnboundedReceiver::recv_many) waits. For threads that drive no
    /// runtime.
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        block_on(self.recv_many(buffer, limit))
    }

    /// Has no further message sent. Those that were sent can be received: go on until
    /// [`recv`](UnboundedReceiver::recv) returns `None`, and nothing is lost.
    pub fn close(&mut self) {
        self.rx.close();
    }

    /// Whether it was closed, or all senders were dropped.
    pub fn is_closed(&self) -> bool {
        self.rx.is_closed()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.rx.len()
    }

    /// As [`recv`](UnboundedReceiver::recv), for a poll by hand. The task of the last call is woken when the
    /// next message comes, or the end.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let place = self.rx.place();
        self.rx.poll_recv(cx, place)
    }

    /// As [`recv_many`](UnboundedReceiver::recv_many), for a poll by hand.
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        let place = self.rx.place();
        self.rx.poll_recv_many(cx, place, buffer, limit)
    }

    /// How many senders there are.
    pub fn sender_strong_count(&self) -> usize {
        self.rx.chan.strong_count()
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.rx.chan.weak_count()
    }
}

impl<T> fmt::Debug for UnboundedReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedReceiver")
            .field("len", &self.len())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
