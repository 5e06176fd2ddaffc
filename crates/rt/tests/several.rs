//! Several threads inside one runtime at once: each gets its turn, in whatever order they leave.

use shinkan_rt::{Builder, Handle, Runtime, Timer, yield_now};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

fn one() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn sleep(duration: Duration) {
    let mut timer = pin!(Timer::new(Instant::now() + duration));
    poll_fn(|cx| timer.as_mut().poll_elapsed(cx, Location::caller())).await;
}

/// Pending until `flag`; says by `polled` that it waits, and leaves its waker.
async fn until(flag: Arc<AtomicBool>, wakers: mpsc::Sender<Waker>) {
    poll_fn(|cx| {
        if flag.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        wakers.send(cx.waker().clone()).unwrap();
        Poll::Pending
    })
    .await;
}

#[test]
fn the_driving_thread_leaves_after_a_waiting_one_has_left() {
    for _ in 0..50 {
        let runtime = Arc::new(one());
        let (drives, is_driving) = mpsc::channel();
        let end_of_driver = Arc::new(AtomicBool::new(false));
        let driver = std::thread::spawn({
            let (runtime, end) = (runtime.clone(), end_of_driver.clone());
            move || runtime.block_on(until(end, drives))
        });
        let wake_driver = is_driving.recv().unwrap();
        // It needs the clock, so somebody has to drive.
        let sleeper = std::thread::spawn({
            let runtime = runtime.clone();
            move || {
                runtime.block_on(async {
                    for _ in 0..3 {
                        sleep(Duration::from_millis(1)).await;
                    }
                });
            }
        });
        // It waits for its own waker alone, and leaves before the driver does.
        let (waits, is_waiting) = mpsc::channel();
        let end = Arc::new(AtomicBool::new(false));
        let short = std::thread::spawn({
            let (runtime, end) = (runtime.clone(), end.clone());
            move || runtime.block_on(until(end, waits))
        });
        let waker = is_waiting.recv().unwrap();
        end.store(true, Ordering::SeqCst);
        waker.wake();
        short.join().unwrap();
        end_of_driver.store(true, Ordering::SeqCst);
        wake_driver.wake();
        driver.join().unwrap();
        sleeper.join().unwrap();
    }
}

#[test]
fn guards_that_are_dropped_in_the_wrong_order_leave_no_dead_runtime_behind() {
    let first = one();
    let second = one();
    let outer = first.handle().enter();
    let inner = second.handle().enter();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(outer))).is_err());
    drop(first);
    let _ = catch_unwind(AssertUnwindSafe(|| drop(inner)));
    drop(second);
    assert!(Handle::try_current().is_err());
}

#[test]
fn a_closure_waits_for_no_thread_that_becomes_a_worker() {
    // Every time a core moves to another thread, closures are submitted, one thread for all.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    for round in 1..=300 {
        let spawner = std::thread::spawn({
            let (handle, done) = (runtime.handle().clone(), done.clone());
            move || {
                handle.spawn_blocking(move || done.fetch_add(1, Ordering::SeqCst));
            }
        });
        let (handle, its) = (runtime.handle().clone(), done.clone());
        let moves = runtime.spawn(async move {
            let _ = handle;
            shinkan_rt::block_in_place(|| {
                while its.load(Ordering::SeqCst) < round {
                    std::thread::yield_now();
                }
            });
            yield_now().await;
        });
        runtime.block_on(moves).unwrap();
        spawner.join().unwrap();
    }
}

#[test]
fn a_closure_does_not_wait_for_a_thread_that_is_about_to_end() {
    let (ends, is_ending) = mpsc::channel();
    let go = Arc::new(AtomicBool::new(false));
    let its = go.clone();
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::ZERO)
        .on_thread_stop(move || {
            let _ = ends.send(());
            while !its.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        })
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 1)).unwrap(), 1);
    is_ending.recv().unwrap();
    let second = runtime.spawn_blocking(|| 2);
    go.store(true, Ordering::SeqCst);
    assert_eq!(runtime.block_on(second).unwrap(), 2);
}

#[test]
fn a_panic_in_the_start_hook_of_a_thread_costs_no_worker() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(|| panic!("a hook"))
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(runtime.spawn(async { 1 })).unwrap(), 1);
    assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 2)).unwrap(), 2);
}

#[test]
fn a_panic_in_the_name_of_a_thread_leaves_a_runtime_that_ends() {
    let named = AtomicUsize::new(0);
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name_fn(move || {
            assert!(named.fetch_add(1, Ordering::SeqCst) != 1, "no name");
            "named".into()
        })
        .build()
        .unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| runtime.spawn_blocking(|| 1))).is_err());
    assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 2)).unwrap(), 2);
    drop(runtime);
}

/// Wakes the next of a chain when it is dropped.
struct Chained(Arc<Chain>, usize);

struct Chain {
    wakers: std::sync::Mutex<Vec<Option<Waker>>>,
    dropped: AtomicUsize,
}

impl Drop for Chained {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
        let next = self.0.wakers.lock().unwrap().get_mut(self.1 + 1).and_then(Option::take);
        if let Some(next) = next {
            next.wake();
        }
    }
}

#[test]
fn the_end_of_a_runtime_takes_no_stack_for_each_task_that_wakes_the_next() {
    const TASKS: usize = 50_000;
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let wakers = std::sync::Mutex::new(vec![None; TASKS]);
    let chain = Arc::new(Chain { wakers, dropped: AtomicUsize::new(0) });
    let waiting = Arc::new(AtomicUsize::new(0));
    for at in 0..TASKS {
        let (link, waiting) = (Chained(chain.clone(), at), waiting.clone());
        runtime.spawn(poll_fn(move |cx| {
            let old = link.0.wakers.lock().unwrap()[link.1].replace(cx.waker().clone());
            if old.is_none() {
                waiting.fetch_add(1, Ordering::SeqCst);
            }
            Poll::<()>::Pending
        }));
    }
    while waiting.load(Ordering::SeqCst) < TASKS {
        std::thread::yield_now();
    }
    drop(runtime);
    assert_eq!(chain.dropped.load(Ordering::SeqCst), TASKS);
}
