//! The senders of a bounded channel.

#![allow(unsafe_code)]

use super::chan::{self, Bounded, Chan, Tx};
use super::error::{SendError, SendTimeoutError, TrySendError};
use super::permit::{OwnedPermit, Permit, PermitIterator};
use super::receiver::Receiver;
use crate::batch::{Acquire, Batch, Gate, Refusal};
use crate::exclusive::Exclusive;
use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use shinkan_base::atomics::Arc;
use shinkan_base::wait::WaitKind;
use shinkan_context::services;
use shinkan_trace::Kind;

/// Makes a channel with room for `buffer` messages.
///
/// # Panics
/// If `buffer` is 0, or more than [`Semaphore::MAX_PERMITS`](crate::Semaphore::MAX_PERMITS).
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        buffer > 0,
        "`mpsc::channel` was asked for a channel with room for 0 messages: it needs room for one \
         at least"
    );
    let limit = Bounded { permits: Batch::new(Kind::Channel, buffer), bound: buffer };
    let (tx, rx) = chan::channel(limit, Location::caller());
    (Sender { tx }, Receiver { rx })
}

/// Sends messages into a bounded channel. Clones are further senders of the same channel.
pub struct Sender<T> {
    pub(super) tx: Tx<T, Bounded>,
}

/// A sender that does not keep the channel open: the receiver may find the end though it exists.
pub struct WeakSender<T> {
    chan: Arc<Chan<T, Bounded>>,
}

struct SendGate<'a, T> {
    tx: &'a Tx<T, Bounded>,
    value: T,
}

struct ReserveGate<'a, T>(&'a Tx<T, Bounded>);

struct OwnedGate<T>(Tx<T, Bounded>);

// SAFETY:
// - the permits are in the shared channel, which does not move while the sender lives.
unsafe impl<T> Gate for SendGate<'_, T> {
    type Output = Result<(), SendError<T>>;
    const KIND: WaitKind = WaitKind::MpscSend;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.tx.0.limit.permits
    }

    #[inline]
    fn granted(self, _permits: usize) -> Self::Output {
        self.tx.0.queue.push(self.value);
        Ok(())
    }

    fn refused(self) -> Self::Output {
        Err(SendError(self.value))
    }

    fn gave_back(&self) {
        self.tx.0.permits_came_back();
    }
}

// SAFETY: as above.
unsafe impl<'a, T> Gate for ReserveGate<'a, T> {
    type Output = Result<(&'a Tx<T, Bounded>, usize), SendError<()>>;
    const KIND: WaitKind = WaitKind::MpscSend;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.0.limit.permits
    }

    #[inline]
    fn granted(self, permits: usize) -> Self::Output {
        Ok((self.0, permits))
    }

    fn refused(self) -> Self::Output {
        Err(SendError(()))
    }

    fn gave_back(&self) {
        self.0.0.permits_came_back();
    }
}

// SAFETY: as above.
unsafe impl<T> Gate for OwnedGate<T> {
    type Output = Result<OwnedPermit<T>, SendError<()>>;
    const KIND: WaitKind = WaitKind::MpscSend;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.0.limit.permits
    }

    #[inline]
    fn granted(self, _permits: usize) -> Self::Output {
        Ok(OwnedPermit::new(self.0))
    }

    fn refused(self) -> Self::Output {
        Err(SendError(()))
    }

    fn gave_back(&self) {
        self.0.0.permits_came_back();
    }
}

impl<T> Sender<T> {
    #[inline]
    fn permits(&self) -> &Batch {
        &self.tx.0.limit.permits
    }

    /// Sends a message; waits while there is no room.
    ///
    /// # Errors
    /// The message itself, if the receiver was closed or dropped. A message that was sent may still
    /// be dropped with the receiver.
    ///
    /// # Cancel safety
    /// The message is not sent if it is dropped, and the place in the queue is lost. To keep the
    /// message, [`reserve`](Sender::reserve) room first.
    #[inline]
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        Acquire::new(SendGate { tx: &self.tx, value }, 1, Location::caller())
    }

    /// Waits until the receiver is closed or dropped.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        self.tx.closed(Location::caller())
    }

    /// Sends a message if there is room now.
    ///
    /// # Errors
    /// The message, with the reason.
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        match self.permits().try_acquire(1) {
            Ok(()) => {
                self.tx.0.queue.push(message);
                Ok(())
            }
            Err(Refusal::Closed) => Err(TrySendError::Closed(message)),
            Err(Refusal::NoPermits) => Err(TrySendError::Full(message)),
        }
    }

    /// Sends a message; waits for room, but not longer than `timeout`, by the clock of the runtime
    /// that polls this.
    ///
    /// # Errors
    /// The message, with the reason.
    ///
    /// # Cancel safety
    /// As [`Sender::send`].
    ///
    /// # Panics
    /// When polled outside a runtime with time enabled.
    #[track_caller]
    pub fn send_timeout(
        &self,
        value: T,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), SendTimeoutError<T>>> {
        let place = Location::caller();
        async move {
            let mut room = pin!(Acquire::new(ReserveGate(&self.tx), 1, place));
            let mut sleep = None;
            let room = poll_fn(|cx| {
                if let Poll::Ready(room) = room.as_mut().poll(cx) {
                    return Poll::Ready(Some(room));
                }
                let sleep = sleep.get_or_insert_with(|| Exclusive::new(sleep_for(timeout, place)));
                sleep.get_mut().as_mut().poll(cx).map(|()| None)
            });
            match room.await {
                None => Err(SendTimeoutError::Timeout(value)),
                Some(Err(_)) => Err(SendTimeoutError::Closed(value)),
                Some(Ok((tx, _))) => {
                    tx.0.queue.push(value);
                    Ok(())
                }
            }
        }
    }

    /// Blocks the thread until the message is sent. For threads that drive no runtime.
    ///
    /// # Errors
    /// As [`Sender::send`].
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        services::block_on(self.send(value))
    }

    /// Whether the receiver was closed or dropped.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.tx.0.is_closed()
    }

    /// Waits for room for one message.
    ///
    /// # Errors
    /// If the receiver was closed or dropped.
    ///
    /// # Cancel safety
    /// The place in the queue is lost if it is dropped.
    #[inline]
    #[track_caller]
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<'_, T>, SendError<()>>> {
        let room = Acquire::new(ReserveGate(&self.tx), 1, Location::caller());
        async move { room.await.map(|(tx, _)| Permit::new(tx)) }
    }

    /// Waits for room for `n` messages.
    ///
    /// # Errors
    /// If the receiver was closed or dropped, or if the channel can never have so much room.
    ///
    /// # Cancel safety
    /// The place in the queue is lost if it is dropped.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::mpsc;
    /// # futures::executor::block_on(async {
    /// let (sender, mut receiver) = mpsc::channel(3);
    /// for (i, permit) in sender.reserve_many(2).await.unwrap().enumerate() {
    ///     permit.send(i);
    /// }
    /// let mut got = Vec::new();
    /// assert_eq!(receiver.recv_many(&mut got, 10).await, 2);
    /// assert_eq!(got, [0, 1]);
    /// # });
    /// ```
    #[track_caller]
    pub fn reserve_many(
        &self,
        n: usize,
    ) -> impl Future<Output = Result<PermitIterator<'_, T>, SendError<()>>> {
        let place = Location::caller();
        async move {
            if n > self.max_capacity() {
                return Err(SendError(()));
            }
            let (tx, n) = Acquire::new(ReserveGate(&self.tx), n, place).await?;
            Ok(PermitIterator::new(tx, n))
        }
    }

    /// Waits for room for one message. The permit takes the sender with it, and gives it back when
    /// it is used.
    ///
    /// # Errors
    /// If the receiver was closed or dropped.
    ///
    /// # Cancel safety
    /// The sender is dropped with it, and the place in the queue is lost.
    #[inline]
    #[track_caller]
    pub fn reserve_owned(self) -> impl Future<Output = Result<OwnedPermit<T>, SendError<()>>> {
        Acquire::new(OwnedGate(self.tx), 1, Location::caller())
    }

    /// Reserves room for one message if there is some now.
    ///
    /// # Errors
    /// The reason why not.
    #[inline]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.try_permits(1)?;
        Ok(Permit::new(&self.tx))
    }

    /// Reserves room for `n` messages if there is so much now.
    ///
    /// # Errors
    /// The reason why not.
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        if n > self.max_capacity() {
            return Err(TrySendError::Full(()));
        }
        self.try_permits(n)?;
        Ok(PermitIterator::new(&self.tx, n))
    }

    /// Reserves room for one message if there is some now. The permit takes the sender with it.
    ///
    /// # Errors
    /// The sender, with the reason.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        match self.try_permits(1) {
            Ok(()) => Ok(OwnedPermit::new(self.tx)),
            Err(TrySendError::Full(())) => Err(TrySendError::Full(self)),
            Err(TrySendError::Closed(())) => Err(TrySendError::Closed(self)),
        }
    }

    #[inline]
    fn try_permits(&self, n: usize) -> Result<(), TrySendError<()>> {
        self.permits().try_acquire(n).map_err(|refusal| match refusal {
            Refusal::Closed => TrySendError::Closed(()),
            Refusal::NoPermits => TrySendError::Full(()),
        })
    }

    /// Whether both are of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.tx.same_channel(&other.tx)
    }

    /// For how many messages there is room now.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.permits().available()
    }

    /// For how many messages there is room when it is empty.
    #[inline]
    pub fn max_capacity(&self) -> usize {
        self.tx.0.limit.bound
    }

    /// A sender that does not keep the channel open.
    #[must_use = "this makes a weak sender and leaves the strong one as it is"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::new(&self.tx.0)
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

type Sleep = core::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn sleep_for(timeout: Duration, place: &'static Location<'static>) -> Sleep {
    match services::installed() {
        Some(services) => (services.sleep)(timeout),
        None => panic!(
            "`Sender::send_timeout`, called at {place}, needs a clock: poll it inside a runtime \
             with time enabled"
        ),
    }
}

impl<T> WeakSender<T> {
    fn new(chan: &Arc<Chan<T, Bounded>>) -> Self {
        chan.add_weak();
        Self { chan: chan.clone() }
    }

    /// A sender, if there is still one.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        Tx::of(&self.chan).map(|tx| Sender { tx })
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

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { tx: self.tx.clone() }
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self::new(&self.chan)
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        self.chan.remove_weak();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}
