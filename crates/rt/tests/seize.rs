//! Cores that are taken from workers in user code: nothing is lost, nothing is polled twice, and
//! the thread that lost its core finishes its poll where it began.

use shinkan_rt::{Builder, Runtime, spawn, yield_now};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll};

fn multi(workers: usize) -> Runtime {
    // These tests take cores themselves: one that was taken already cannot be taken from where
    // they wait for it.
    Builder::new_multi_thread().worker_threads(workers).enable_all().no_seizing().build().unwrap()
}

/// Yields `left` times, counts its polls, and finds out if two threads poll it at once.
struct Counted {
    left: usize,
    polls: Arc<AtomicUsize>,
    inside: AtomicBool,
}

impl Future for Counted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        assert!(!self.inside.swap(true, Ordering::SeqCst), "polled twice at once");
        self.polls.fetch_add(1, Ordering::SeqCst);
        let thread = std::thread::current().id();
        for _ in 0..200 {
            std::hint::spin_loop();
        }
        assert_eq!(thread, std::thread::current().id());
        self.inside.store(false, Ordering::SeqCst);
        if self.left == 0 {
            return Poll::Ready(());
        }
        self.left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn a_thousand_seizures_beside_spawns_lose_and_double_no_poll() {
    let runtime = multi(2);
    let stop = Arc::new(AtomicBool::new(false));
    let (handle, its) = (runtime.handle().clone(), stop.clone());
    let seizer = std::thread::spawn(move || {
        let mut taken = 0;
        while !its.load(Ordering::SeqCst) {
            taken += usize::from(handle.seize_core(0)) + usize::from(handle.seize_core(1));
            std::thread::yield_now();
        }
        taken
    });
    let polls = Arc::new(AtomicUsize::new(0));
    let mut expected = 0;
    runtime.block_on(async {
        while runtime.metrics().seizure_count() < 1_000 {
            let tasks: Vec<_> = (0..100)
                .map(|i| {
                    let left = i % 8;
                    expected += left + 1;
                    spawn(Counted { left, polls: polls.clone(), inside: AtomicBool::new(false) })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        }
    });
    assert_eq!(polls.load(Ordering::SeqCst), expected);
    stop.store(true, Ordering::SeqCst);
    assert!(seizer.join().unwrap() >= 1_000);
}

#[test]
fn the_queue_of_a_stuck_worker_goes_on_without_it() {
    let runtime = multi(1);
    let handle = runtime.handle().clone();
    let (stuck, is_stuck) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    #[expect(clippy::async_yields_async, reason = "the handle is awaited once the core is gone")]
    let waits = runtime.spawn(async move {
        // The next in the queue of the only worker, which blocks before it gets there.
        let other = spawn(async { 9 });
        stuck.send(()).unwrap();
        released.recv().unwrap();
        other
    });
    is_stuck.recv().unwrap();
    while !handle.seize_core(0) {
        std::thread::yield_now();
    }
    // The seized core runs what is spawned from outside, and what was queued, while it is stuck.
    assert_eq!(runtime.block_on(runtime.spawn(async { 1 })).unwrap(), 1);
    while runtime.metrics().num_alive_tasks() > 1 {
        std::thread::yield_now();
    }
    release.send(()).unwrap();
    let other = runtime.block_on(waits).unwrap();
    assert_eq!(runtime.block_on(other).unwrap(), 9);
}

#[test]
fn a_runtime_ends_while_its_cores_are_taken() {
    for _ in 0..20 {
        let runtime = multi(2);
        let stop = Arc::new(AtomicBool::new(false));
        let (handle, its) = (runtime.handle().clone(), stop.clone());
        let seizer = std::thread::spawn(move || {
            while !its.load(Ordering::SeqCst) {
                handle.seize_core(0);
                handle.seize_core(1);
            }
        });
        for _ in 0..100 {
            runtime.spawn(async {
                loop {
                    yield_now().await;
                }
            });
        }
        while runtime.metrics().seizure_count() < 5 {
            std::thread::yield_now();
        }
        drop(runtime);
        stop.store(true, Ordering::SeqCst);
        seizer.join().unwrap();
    }
}

#[test]
fn a_timer_of_a_stuck_worker_fires_after_its_core_was_taken() {
    let runtime = multi(1);
    let handle = runtime.handle().clone();
    let place = std::panic::Location::caller();
    let (ended, has_ended) = mpsc::channel();
    let (registered, is_registered) = mpsc::channel();
    // Registered in the only worker's wheel, long before it is due.
    runtime.spawn(async move {
        let mut timer = Box::pin(shinkan_rt::Timer::after(std::time::Duration::from_millis(30)));
        std::future::poll_fn(|cx| {
            let polled = timer.as_mut().poll_elapsed(cx, place);
            let _ = registered.send(());
            polled
        })
        .await;
        ended.send(()).unwrap();
    });
    is_registered.recv().unwrap();
    let (stuck, is_stuck) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let task = runtime.spawn(async move {
        stuck.send(()).unwrap();
        released.recv().unwrap();
        // A timer of the tenant that lost its core goes to the wheel that is still served.
        let mut late = Box::pin(shinkan_rt::Timer::after(std::time::Duration::from_millis(1)));
        std::future::poll_fn(|cx| late.as_mut().poll_elapsed(cx, place)).await;
    });
    is_stuck.recv().unwrap();
    while !handle.seize_core(0) {
        std::thread::yield_now();
    }
    has_ended.recv().expect("the spare thread turns the wheel while the first one is stuck");
    release.send(()).unwrap();
    runtime.block_on(task).unwrap();
}
