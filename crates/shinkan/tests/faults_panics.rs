//! Panics in places that are not a task's poll, and handles that nobody waits for.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use shinkan::runtime::Runtime;
use shinkan::sync::{Notify, oneshot};
use shinkan::task::JoinSet;

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("in a drop");
    }
}

struct PanicsOnWake;

impl Wake for PanicsOnWake {
    fn wake(self: Arc<Self>) {
        panic!("in a waker");
    }
}

fn still_runs(runtime: &Runtime) {
    let mut set = JoinSet::new();
    for n in 0..32 {
        set.spawn_on(async move { n }, runtime.handle());
    }
    assert_eq!(runtime.block_on(set.join_all()).len(), 32);
}

#[test]
fn in_the_drop_of_a_future_that_is_aborted() {
    let runtime = Runtime::new().unwrap();
    let held = PanicsOnDrop;
    let task = runtime.spawn(async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    task.abort();
    let error = runtime.block_on(task).unwrap_err();
    assert!(error.is_panic() || error.is_cancelled());
    still_runs(&runtime);
}

#[test]
fn in_the_drop_of_an_output_that_nobody_takes() {
    let runtime = Runtime::new().unwrap();
    let ended = Arc::new(AtomicUsize::new(0));
    for _ in 0..8 {
        let ended = ended.clone();
        drop(runtime.spawn(async move {
            ended.fetch_add(1, Ordering::SeqCst);
            PanicsOnDrop
        }));
    }
    while ended.load(Ordering::SeqCst) < 8 {
        std::thread::yield_now();
    }
    still_runs(&runtime);
}

#[test]
fn in_a_waker_of_somebody_else() {
    let runtime = Runtime::new().unwrap();
    let notify = Arc::new(Notify::new());
    // One who waits has a waker that panics; the other is a task, and is woken all the same.
    let mut first = Box::pin(notify.clone().notified_owned());
    let waker = Waker::from(Arc::new(PanicsOnWake));
    assert!(first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let (ready, is_ready) = oneshot::channel();
    let waits = notify.clone();
    let task = runtime.spawn(async move {
        let mut notified = std::pin::pin!(waits.notified());
        notified.as_mut().enable();
        ready.send(()).unwrap();
        notified.await;
    });
    runtime.block_on(is_ready).unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| notify.notify_waiters())).unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "in a waker");
    runtime.block_on(task).unwrap();
    still_runs(&runtime);
}

#[test]
fn in_a_joiners_waker() {
    let runtime = Runtime::new().unwrap();
    let (release, wait) = oneshot::channel::<()>();
    let mut task = runtime.spawn(async move { drop(wait.await) });
    let waker = Waker::from(Arc::new(PanicsOnWake));
    assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    release.send(()).unwrap();
    while !task.is_finished() {
        std::thread::yield_now();
    }
    runtime.block_on(task).unwrap();
    still_runs(&runtime);
}

#[test]
fn in_a_blocking_closure() {
    let runtime = Runtime::new().unwrap();
    let closure = runtime.spawn_blocking(|| panic!("in a closure"));
    assert!(runtime.block_on(closure).unwrap_err().is_panic());
    assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 5)).unwrap(), 5);
}

#[test]
fn in_the_future_of_block_on() {
    let runtime = Runtime::new().unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { panic!("of main") })));
    assert!(panic.is_err());
    still_runs(&runtime);
}

#[test]
fn in_one_task_of_a_set() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let mut set = JoinSet::new();
        set.spawn(async { panic!("of one") });
        set.spawn(async {});
        let mut ends = [0, 0];
        while let Some(end) = set.join_next().await {
            ends[usize::from(end.is_err())] += 1;
        }
        assert_eq!(ends, [1, 1]);
    });
}

#[test]
fn nothing_leaks_when_handles_tasks_and_runtime_are_dropped() {
    struct Counted(Arc<AtomicUsize>);
    impl Counted {
        fn new(alive: &Arc<AtomicUsize>) -> Self {
            alive.fetch_add(1, Ordering::SeqCst);
            Self(alive.clone())
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let alive = Arc::new(AtomicUsize::new(0));
    let runtime = Runtime::new().unwrap();
    let mut kept = Vec::new();
    for n in 0..100 {
        let held = Counted::new(&alive);
        let task = runtime.spawn(async move {
            if n % 2 == 0 {
                std::future::pending::<()>().await;
            }
            held
        });
        match n % 5 {
            0 => task.abort(),
            1 => kept.push(task),
            _ => drop(task),
        }
    }
    drop(runtime);
    drop(kept);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn a_future_is_not_polled_after_its_end() {
    struct Once(bool);
    impl Future for Once {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            assert!(!self.0, "polled after the end");
            self.0 = true;
            // A wake-up that is under way when the task ends.
            cx.waker().wake_by_ref();
            Poll::Ready(())
        }
    }
    let runtime = Runtime::new().unwrap();
    for _ in 0..100 {
        runtime.block_on(runtime.spawn(Once(false))).unwrap();
    }
}
