//! The receiving side of the broadcast channel.

use super::error::{RecvError, TryRecvError};
use super::ring::Ring;
use crate::leaf;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use shinkan_base::atomics::Ordering;
use shinkan_base::wait::WaitKind;
use shinkan_context::services::block_on;
use std::sync::Arc;

/// Gets every message that is sent while it exists, unless it is too slow.
pub struct Receiver<T> {
    ring: Arc<Ring<T>>,
    next: u64,
}

impl<T> Receiver<T> {
    /// The ring counts it already.
    pub(super) fn new(ring: Arc<Ring<T>>, next: u64) -> Self {
        Self { ring, next }
    }

    /// How many messages were sent that this receiver has not had, with those that it has lost.
    pub fn len(&self) -> usize {
        (self.ring.position() - self.next) as usize
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
        receive(self, Location::caller())
    }

    /// Takes the next message, if there is one.
    ///
    /// # Errors
    /// As [`recv`](Receiver::recv), or [`TryRecvError::Empty`] if there is none yet.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.ring.receive(&mut self.next)
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

async fn receive<T: Clone>(
    receiver: &mut Receiver<T>,
    place: &'static Location<'static>,
) -> Result<T, RecvError> {
    // A receiver that is behind, as most are, is spared the node of a waiter and its state.
    if let Some(received) = (FirstLook { receiver, place }).await {
        return received;
    }
    let resource = leaf::address(&*receiver.ring);
    leaf::cooperative(resource, place, wait(receiver, place)).await
}

/// Ends in its first poll that has budget, with what there is. A type of its own rather than a
/// `poll_fn`, whose poll the compiler does not inline.
struct FirstLook<'a, T> {
    receiver: &'a mut Receiver<T>,
    place: &'static Location<'static>,
}

impl<T: Clone> Future for FirstLook<'_, T> {
    type Output = Option<Result<T, RecvError>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let place = self.place;
        let Receiver { ring, next } = &mut *self.receiver;
        let unit = ready!(leaf::proceed(cx, leaf::address(&**ring), place));
        let received = look(ring, next);
        if received.is_some() {
            unit.made_progress();
        }
        Poll::Ready(received)
    }
}

async fn wait<T: Clone>(
    receiver: &mut Receiver<T>,
    place: &'static Location<'static>,
) -> Result<T, RecvError> {
    let Receiver { ring, next } = receiver;
    loop {
        // Made before the look, so that it ends if something is sent after it.
        let sent = ring.sent.notified_as(WaitKind::BroadcastRecv, place);
        if let Some(received) = look(ring, next) {
            return received;
        }
        sent.await;
    }
}

/// Nothing where it must wait. A function of its own, so that no message is in the future while it
/// waits: it is `Sync` though the message need not be.
#[inline(always)]
fn look<T: Clone>(ring: &Ring<T>, next: &mut u64) -> Option<Result<T, RecvError>> {
    match ring.receive(next) {
        Ok(value) => Some(Ok(value)),
        Err(TryRecvError::Lagged(n)) => Some(Err(RecvError::Lagged(n))),
        Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
        Err(TryRecvError::Empty) => None,
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.ring.leave(self.next);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Receiver")
    }
}
