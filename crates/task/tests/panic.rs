//! User code that panics: in a poll, a drop, a waker. The state stays whole and the worker lives.

mod common;

use common::{Dropped, Gate, Runtime, output, poll};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Wake, Waker};

struct PanicsInDrop(&'static str);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

struct PanicsInWake;

impl Wake for PanicsInWake {
    fn wake(self: Arc<Self>) {
        panic!("in wake");
    }
}

#[test]
fn in_poll() {
    let rt = Runtime::new();
    let (dropped, guard) = Dropped::new();
    let handle = rt.spawn(async move {
        let _guard = guard;
        let n = 7;
        panic!("number {n}");
    });
    rt.run();
    assert_eq!((dropped.load(SeqCst), rt.0.panics.load(SeqCst)), (1, 1));
    let error = output::<shinkan_task::JoinHandle<()>>(handle).expect_err("it panicked");
    assert!(error.is_panic() && !error.is_cancelled());
    let id = error.id();
    assert_eq!(error.to_string(), format!("task {id} panicked with message \"number 7\""));
    assert_eq!(format!("{error:?}"), format!("JoinError::Panic(Id({id}), \"number 7\", ...)"));
    assert_eq!(error.into_panic().downcast_ref::<String>().map(String::as_str), Some("number 7"));
    assert!(rt.0.registry.is_empty());
}

#[test]
fn in_poll_with_a_payload_that_is_no_text() {
    let rt = Runtime::new();
    let handle = rt.spawn(async { panic_any(5u8) });
    rt.run();
    let error = output::<shinkan_task::JoinHandle<()>>(handle).expect_err("it panicked");
    let id = error.id();
    assert_eq!(error.to_string(), format!("task {id} panicked"));
    assert_eq!(format!("{error:?}"), format!("JoinError::Panic(Id({id}), ...)"));
    assert_eq!(std::io::Error::from(error).to_string(), "task panicked");
}

#[test]
fn into_panic_of_a_cancelled_task_panics() {
    let rt = Runtime::new();
    let handle = rt.spawn(async {});
    handle.abort();
    rt.run();
    let error = output(handle).expect_err("aborted");
    assert!(catch_unwind(AssertUnwindSafe(|| error.into_panic())).is_err());
}

#[test]
fn in_poll_and_then_in_the_drop_of_the_future() {
    struct Both;
    impl std::future::Future for Both {
        type Output = ();
        fn poll(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<()> {
            panic!("first")
        }
    }
    impl Drop for Both {
        fn drop(&mut self) {
            panic!("second");
        }
    }
    let rt = Runtime::new();
    let handle = rt.spawn(Both);
    rt.run();
    let error = output(handle).expect_err("it panicked");
    assert!(error.to_string().contains("first"));
}

#[test]
fn what_the_future_holds_is_dropped_while_the_panic_unwinds() {
    struct Asks(Arc<AtomicUsize>);
    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.store(1 + usize::from(std::thread::panicking()), SeqCst);
        }
    }
    let rt = Runtime::new();
    let seen = Arc::new(AtomicUsize::new(0));
    let asks = Asks(seen.clone());
    let handle = rt.spawn(std::future::poll_fn(move |_| -> std::task::Poll<()> {
        let _held = &asks;
        panic!("in the poll");
    }));
    rt.run();
    assert!(output(handle).is_err());
    assert_eq!(seen.load(SeqCst), 2, "1: dropped after the panic, 0: not at all");
    assert!(!std::thread::panicking());
}

#[test]
fn in_the_drop_of_the_future_once_it_is_done() {
    let rt = Runtime::new();
    let (dropped, guard) = Dropped::new();
    let bomb = PanicsInDrop("bomb");
    let mut guard = Some(guard);
    let handle = rt.spawn(std::future::poll_fn(move |_| {
        let _ = &bomb;
        std::task::Poll::Ready(guard.take())
    }));
    rt.run();
    let error = output(handle).err().expect("the drop panicked");
    assert!(error.to_string().contains("bomb"));
    // The output went, since the task gave an error instead.
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn in_the_drop_of_the_future_when_it_is_cancelled() {
    let rt = Runtime::new();
    let handle = rt.spawn(async {
        let _bomb = PanicsInDrop("bomb");
        std::future::pending::<()>().await
    });
    rt.run();
    handle.abort();
    rt.run();
    assert!(output(handle).expect_err("aborted").to_string().contains("bomb"));

    let handle = rt.spawn(async {
        let _bomb = PanicsInDrop("bomb");
        std::future::pending::<()>().await
    });
    rt.run();
    rt.0.registry.close_and_shutdown();
    assert!(output(handle).expect_err("shut down").is_panic());
}

#[test]
fn in_the_drop_of_an_output_that_nobody_wants() {
    let rt = Runtime::new();
    drop(rt.spawn(async { PanicsInDrop("dropped by the worker") }));
    rt.run();
    let handle = rt.spawn(async { PanicsInDrop("dropped by the handle") });
    rt.run();
    drop(handle);
    assert!(rt.0.registry.is_empty());
}

#[test]
fn in_the_drop_of_a_payload() {
    let rt = Runtime::new();
    drop(rt.spawn(async { panic_any(PanicsInDrop("payload")) }));
    rt.run();
    assert!(rt.0.registry.is_empty());
}

#[test]
fn in_the_joiners_waker() {
    let rt = Runtime::new();
    let gate = Gate::new();
    let mut handle = rt.spawn(gate.clone().wait());
    rt.run();
    assert!(poll(&mut handle, &Waker::from(Arc::new(PanicsInWake))).is_pending());
    gate.open().expect("it waits").wake();
    rt.run();
    assert!(output(handle).is_ok());
    assert!(rt.0.registry.is_empty());
}

#[test]
fn in_the_drop_of_the_joiners_waker() {
    struct Bomb(#[expect(dead_code)] PanicsInDrop);
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {}
    }
    let rt = Runtime::new();
    let mut handle = rt.spawn(std::future::pending::<()>());
    assert!(poll(&mut handle, &Waker::from(Arc::new(Bomb(PanicsInDrop("waker"))))).is_pending());
    // Another waker takes its place: the panic is the poll's, and the handle goes on.
    let replaced = catch_unwind(AssertUnwindSafe(|| poll(&mut handle, Waker::noop()).is_pending()));
    assert!(replaced.is_err());
    assert!(poll(&mut handle, Waker::noop()).is_pending());
    assert!(poll(&mut handle, &Waker::from(Arc::new(Bomb(PanicsInDrop("waker"))))).is_pending());
    drop(handle);
    rt.run();
}

#[test]
fn in_the_wake_of_the_task_that_polls_it_stays_in_the_poll() {
    let rt = Runtime::new();
    let bomb = Waker::from(Arc::new(PanicsInWake));
    let handle = rt.spawn(std::future::poll_fn(move |cx| {
        cx.waker().wake_by_ref();
        bomb.wake_by_ref();
        std::task::Poll::<()>::Pending
    }));
    assert_eq!(rt.run(), 1);
    assert!(output(handle).expect_err("it panicked").is_panic());
}
