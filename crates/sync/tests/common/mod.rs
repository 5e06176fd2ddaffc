//! A future that is polled by hand, and a waker that counts.

#![allow(dead_code)]

pub(crate) mod cases;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future and its own task.
pub(crate) struct Task<F: Future> {
    future: Option<Pin<Box<F>>>,
    count: Arc<Count>,
    seen: usize,
}

pub(crate) fn task<F: Future>(future: F) -> Task<F> {
    Task { future: Some(Box::pin(future)), count: Arc::default(), seen: 0 }
}

impl<F: Future> Task<F> {
    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(self.count.clone());
        self.seen = self.count.0.load(Ordering::SeqCst);
        self.poll_for(&waker)
    }

    /// Polls it for somebody else.
    pub(crate) fn poll_for(&mut self, waker: &Waker) -> Poll<F::Output> {
        self.pin().poll(&mut Context::from_waker(waker))
    }

    /// Drops the future, not the task.
    pub(crate) fn cancel(&mut self) {
        self.future = None;
    }

    /// How many wakers of this task there are.
    pub(crate) fn wakers(&self) -> usize {
        Arc::strong_count(&self.count) - 1
    }

    /// Whether it was woken since its last poll.
    pub(crate) fn is_woken(&self) -> bool {
        self.count.0.load(Ordering::SeqCst) > self.seen
    }

    pub(crate) fn pin(&mut self) -> Pin<&mut F> {
        self.future.as_mut().expect("not dropped").as_mut()
    }

    #[track_caller]
    pub(crate) fn is_pending(&mut self) {
        assert!(self.poll().is_pending(), "it should wait");
    }

    #[track_caller]
    pub(crate) fn is_pending_for<G: Future>(&mut self, other: &Task<G>) {
        assert!(self.poll_for(&Waker::from(other.count.clone())).is_pending(), "it should wait");
    }

    #[track_caller]
    pub(crate) fn ready(&mut self) -> F::Output {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it should be done"),
        }
    }

    /// The waker was called, and the poll after that ends it.
    #[track_caller]
    pub(crate) fn woken_and_ready(&mut self) -> F::Output {
        assert!(self.is_woken(), "it should have been woken");
        self.ready()
    }
}

/// A waker that panics.
pub(crate) fn panicking_waker() -> Waker {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("this waker panics");
        }
    }
    Waker::from(Arc::new(Panics))
}

/// Asserts that a panic happens, and returns its message.
#[track_caller]
pub(crate) fn panics<R>(f: impl FnOnce() -> R) -> String {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) {
        Ok(_) => panic!("it should have panicked"),
        Err(panic) => match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => (*panic.downcast::<&str>().expect("a message")).to_owned(),
        },
    }
}
