//! A channel for one value, from one sender to one receiver.
//!
//! One allocation. The receiver is a future: await it.
//!
//! # Examples
//! ```
//! use shinkan_sync::oneshot;
//!
//! # futures::executor::block_on(async {
//! let (sender, receiver) = oneshot::channel();
//! std::thread::spawn(move || sender.send(3).unwrap());
//! assert_eq!(receiver.await, Ok(3));
//! # });
//! ```

pub mod error;
mod inner;
mod state;

use crate::leaf;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use error::{RecvError, TryRecvError};
use inner::{Found, Rx, Tx};
use shinkan_base::wait::WaitKind;
use shinkan_context::services::block_on;
use shinkan_trace::{Kind, Operation, Resource};

/// Sends the one value. Dropped without a value, it ends the receiver's wait with an error.
pub struct Sender<T> {
    tx: Option<Tx<T>>,
    trace: Resource,
}

/// Receives the one value: a future that ends with it, or with an error if the sender was dropped.
///
/// # Cancel safety
/// A pending receiver may be polled by another task; what is lost when it is dropped is the value.
pub struct Receiver<T> {
    rx: Option<Rx<T>>,
    trace: Resource,
    operation: Operation,
}

/// Makes a channel for one value.
#[inline]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let trace = Resource::new(Kind::Oneshot, 1, Location::caller());
    let (tx, rx) = inner::new(Location::caller());
    let operation = Operation::new(&trace, "Receiver::await");
    (Sender { tx: Some(tx), trace: trace.clone() }, Receiver { rx: Some(rx), trace, operation })
}

/// The future of [`Sender::closed`].
struct Closed<'a, T> {
    sender: &'a mut Sender<T>,
    place: &'static Location<'static>,
    // As the future of an async function would be.
    _pin: core::marker::PhantomPinned,
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.sender.poll_closed_at(cx, self.place)
    }
}

impl<T> Sender<T> {
    fn tx(&self) -> &Tx<T> {
        self.tx.as_ref().expect("only `send` takes it, with the sender")
    }

    /// Sends the value. Never waits.
    ///
    /// # Errors
    /// The value itself, if the receiver was closed or dropped. A value that was sent may still be
    /// dropped with the receiver.
    #[inline]
    pub fn send(mut self, value: T) -> Result<(), T> {
        match self.tx.take() {
            Some(tx) => tx.send(value).inspect(|()| self.trace.sent()),
            None => Err(value),
        }
    }

    /// Waits until the receiver is closed or dropped: the value is not wanted any more.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::oneshot;
    /// # futures::executor::block_on(async {
    /// let (mut sender, receiver) = oneshot::channel::<()>();
    /// drop(receiver);
    /// sender.closed().await;
    /// assert!(sender.is_closed());
    /// # });
    /// ```
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        let (place, trace) = (Location::caller(), self.trace.clone());
        let closed = Closed { sender: self, place, _pin: core::marker::PhantomPinned };
        shinkan_trace::operation(closed, &trace, "Sender::closed", "poll_closed")
    }

    /// Whether the receiver is closed or dropped.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.tx().is_closed()
    }

    /// Ready when the receiver is closed or dropped; else the task is woken when it is.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let place = self.tx().place();
        self.poll_closed_at(cx, place)
    }

    fn poll_closed_at(&self, cx: &mut Context<'_>, place: &'static Location<'static>) -> Poll<()> {
        let tx = self.tx();
        let unit = ready!(leaf::proceed(cx, tx.address(), place));
        if tx.poll_closed(cx.waker()) {
            unit.made_progress();
            return Poll::Ready(());
        }
        shinkan_context::pending(WaitKind::OneshotClosed, tx.address(), place);
        Poll::Pending
    }
}

impl<T> Drop for Sender<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(tx) = self.tx.take() {
            tx.give_up();
            self.trace.sender_dropped();
        }
    }
}

impl<T> Receiver<T> {
    /// Takes no value that was not sent yet: the sender learns that it is not wanted. A value that
    /// was sent before can still be received.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::oneshot;
    /// let (sender, mut receiver) = oneshot::channel();
    /// receiver.close();
    /// assert_eq!(sender.send(1), Err(1));
    /// assert!(receiver.try_recv().is_err());
    /// ```
    pub fn close(&mut self) {
        if let Some(rx) = &self.rx {
            rx.close();
            self.trace.receiver_dropped();
        }
    }

    /// Whether the outcome, a value or an error, was taken out already.
    #[inline]
    pub fn is_terminated(&self) -> bool {
        self.rx.is_none()
    }

    /// Whether there is no value to be taken out now.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rx.as_ref().is_none_or(|rx| !rx.has_value())
    }

    /// Takes the value, if it was sent.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if it may come later, [`TryRecvError::Closed`] if it will not, or
    /// was taken out already.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match Rx::try_recv(&mut self.rx) {
            Found::Value(value) => {
                self.trace.received();
                Ok(value)
            }
            Found::Never => Err(TryRecvError::Closed),
            Found::NotYet => Err(TryRecvError::Empty),
        }
    }

    /// Blocks the thread until the value comes. For threads that drive no runtime.
    ///
    /// # Errors
    /// If the sender is dropped without a value.
    ///
    /// # Panics
    /// On a thread that drives a runtime.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block_on(self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (polling, _) = this.operation.poll_made(&this.trace, "poll_recv");
        let polled = this.poll_recv(cx);
        polling.end(polled.is_ready());
        polled
    }
}

impl<T> Receiver<T> {
    #[inline(always)]
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let Some(rx) = &self.rx else {
            panic!("a oneshot receiver was polled after it had ended");
        };
        let (address, place) = (rx.address(), rx.place());
        let unit = ready!(leaf::proceed(cx, address, place));
        match Rx::poll_recv(&mut self.rx, cx.waker()) {
            Found::Value(value) => {
                unit.made_progress();
                self.trace.received();
                Poll::Ready(Ok(value))
            }
            Found::Never => {
                unit.made_progress();
                Poll::Ready(Err(RecvError(())))
            }
            Found::NotYet => {
                shinkan_context::pending(WaitKind::OneshotRecv, address, place);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Receiver<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(rx) = self.rx.take() {
            drop(rx.finish());
            self.trace.receiver_dropped();
        }
    }
}

// A value in flight is never borrowed, so neither side is more or less pinned by it.
impl<T> Unpin for Receiver<T> {}

// The value stands behind a pointer, so the sender may be moved whatever it is.
impl<T> Unpin for Sender<T> {}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("closed", &self.is_closed()).finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("terminated", &self.is_terminated()).finish()
    }
}
