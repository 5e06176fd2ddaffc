//! **What runs here.** A task is a future, and any future will do: what an `async fn` returns, or a
//! type of your own with a `poll` function. `poll` says either "ready" or "pending". A future that
//! says "pending" must have kept the waker that it was given, and call it when it can go on: nobody
//! polls it again before. A waker is a value like others: it may be cloned, sent to another
//! thread, called twice, called when the task has long ended, or dropped without a call.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use shinkan::runtime::Runtime;

/// A signal that is given once. Its future waits for it.
#[derive(Clone, Default)]
struct Signal {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    given: bool,
    polls: u32,
    waker: Option<Waker>,
}

impl Signal {
    /// Gives the signal and returns the waker of whoever waits, not yet called.
    fn give(&self) -> Option<Waker> {
        let mut state = self.state.lock().unwrap();
        state.given = true;
        state.waker.take()
    }

    /// Waits, on this thread, until somebody has polled the future, and returns its waker.
    fn waker_once_polled(&self) -> Waker {
        loop {
            if let Some(waker) = self.state.lock().unwrap().waker.clone() {
                return waker;
            }
            std::thread::yield_now();
        }
    }

    fn polls(&self) -> u32 {
        self.state.lock().unwrap().polls
    }
}

impl Future for Signal {
    type Output = &'static str;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'static str> {
        let mut state = self.state.lock().unwrap();
        state.polls += 1;
        if state.given {
            return Poll::Ready("given");
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

async fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[test]
fn an_async_fn_runs() {
    let runtime = Runtime::new().unwrap();
    assert_eq!(runtime.block_on(add(1, 2)), 3);
    let spawned = runtime.spawn(add(3, 4));
    assert_eq!(runtime.block_on(spawned).unwrap(), 7);
}

#[test]
fn a_future_of_your_own_is_polled_again_only_when_its_waker_is_called() {
    let runtime = Runtime::new().unwrap();
    let signal = Signal::default();
    let task = runtime.spawn(signal.clone());
    let waker = signal.waker_once_polled();
    assert_eq!(signal.polls(), 1);

    // Another task runs from start to end meanwhile; nobody polls ours.
    runtime.block_on(async { shinkan::spawn(async {}).await.unwrap() });
    assert_eq!(signal.polls(), 1);

    signal.give();
    waker.wake();
    assert_eq!(runtime.block_on(task).unwrap(), "given");
    assert_eq!(signal.polls(), 2);
}

#[test]
fn a_boxed_future_is_spawned_like_any_other() {
    let runtime = Runtime::new().unwrap();
    let boxed: Pin<Box<dyn Future<Output = u32> + Send>> = Box::pin(add(5, 6));
    let task = runtime.spawn(boxed);
    assert_eq!(runtime.block_on(task).unwrap(), 11);
}

#[test]
fn a_waker_is_cloned_and_called_on_another_thread() {
    let runtime = Runtime::new().unwrap();
    let signal = Signal::default();
    let task = runtime.spawn(signal.clone());
    let waker = signal.waker_once_polled();
    let copy = waker.clone();
    drop(waker);
    signal.give();
    std::thread::spawn(move || copy.wake()).join().unwrap();
    assert_eq!(runtime.block_on(task).unwrap(), "given");
}

#[test]
fn a_waker_is_called_twice_and_after_the_end() {
    let runtime = Runtime::new().unwrap();
    let signal = Signal::default();
    let task = runtime.spawn(signal.clone());
    let waker = signal.waker_once_polled();
    signal.give();
    waker.wake_by_ref();
    waker.wake_by_ref();
    assert_eq!(runtime.block_on(task).unwrap(), "given");

    let polls = signal.polls();
    waker.wake_by_ref();
    waker.wake();
    // The runtime goes on, and the future that has ended is left alone.
    runtime.block_on(async { shinkan::spawn(async {}).await.unwrap() });
    assert_eq!(signal.polls(), polls);
}

#[test]
fn a_wake_up_without_need_polls_once_more_and_does_no_harm() {
    let runtime = Runtime::new().unwrap();
    let signal = Signal::default();
    let task = runtime.spawn(signal.clone());
    signal.waker_once_polled().wake();
    while signal.polls() < 2 {
        std::thread::yield_now();
    }
    assert!(!task.is_finished());
    signal.waker_once_polled();
    if let Some(waker) = signal.give() {
        waker.wake();
    }
    assert_eq!(runtime.block_on(task).unwrap(), "given");
}

#[test]
fn a_waker_outlives_task_and_runtime() {
    let runtime = Runtime::new().unwrap();
    let signal = Signal::default();
    let task = runtime.spawn(signal.clone());
    let waker = signal.waker_once_polled();
    drop(runtime);
    assert!(task.is_finished());
    waker.wake_by_ref();
    drop(task);
    waker.wake();
}

#[test]
fn a_future_that_drops_its_waker_is_never_polled_again_and_ends_with_the_runtime() {
    struct Forgetful(Arc<Mutex<u32>>);
    impl Future for Forgetful {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            *self.0.lock().unwrap() += 1;
            Poll::Pending
        }
    }
    let runtime = Runtime::new().unwrap();
    let polls = Arc::new(Mutex::new(0));
    let task = runtime.spawn(Forgetful(polls.clone()));
    while *polls.lock().unwrap() == 0 {
        std::thread::yield_now();
    }
    runtime.block_on(async { shinkan::spawn(async {}).await.unwrap() });
    assert!(!task.is_finished());
    drop(runtime);
    assert!(task.is_finished());
    assert_eq!(*polls.lock().unwrap(), 1);
}
