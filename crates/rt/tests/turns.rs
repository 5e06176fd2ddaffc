//! Whose turn it is: what a task that yields lets pass, and what waits behind a worker that is
//! stuck.

use shinkan_context::budget;
use shinkan_driver::{Interest, Ready};
use shinkan_rt::{Builder, Handle, Runtime, Timer, spawn, yield_now};
use std::future::poll_fn;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::panic::Location;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// One worker, which nobody takes its core from: it alone could turn the driver.
fn multi() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().no_seizing().build().unwrap()
}

fn two() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().no_seizing().build().unwrap()
}

fn current() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Uses up the budget, and yields once for it.
async fn exhaust() {
    let mut yielded = false;
    poll_fn(|cx| {
        while !yielded {
            match budget::poll_proceed(cx) {
                Poll::Ready(unit) => unit.made_progress(),
                Poll::Pending => {
                    yielded = true;
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    })
    .await;
}

/// Whether a socket's event and a due timer were seen once the task has yielded.
async fn seen_after_one(how: impl Future<Output = ()>) -> (bool, bool) {
    let (socket, mut peer) = UnixStream::pair().unwrap();
    socket.set_nonblocking(true).unwrap();
    let io = Handle::current().io().clone();
    let source = io.register(socket.as_raw_fd(), Interest::READABLE, Ready::EMPTY).unwrap();
    let mut timer = pin!(Timer::after(Duration::from_millis(1)));
    let place = Location::caller();
    poll_fn(|cx| {
        assert!(timer.as_mut().poll_elapsed(cx, place).is_pending());
        Poll::Ready(())
    })
    .await;
    // The thread itself waits, so nobody turns the driver before the task yields.
    std::thread::sleep(Duration::from_millis(3));
    peer.write_all(b"here").unwrap();
    assert!(!source.ready_event(Interest::READABLE).ready.is_readable());
    how.await;
    let elapsed = poll_fn(|cx| Poll::Ready(timer.as_mut().poll_elapsed(cx, place).is_ready()));
    (source.ready_event(Interest::READABLE).ready.is_readable(), elapsed.await)
}

#[test]
fn who_yields_with_nothing_else_to_do_lets_the_driver_have_its_look() {
    for runtime in [multi(), current()] {
        let seen = runtime.block_on(runtime.spawn(async { seen_after_one(yield_now()).await }));
        assert_eq!(seen.unwrap(), (true, true));
    }
}

#[test]
fn who_has_used_up_its_budget_with_nothing_else_to_do_lets_the_driver_have_its_look() {
    for runtime in [multi(), current()] {
        let seen = runtime.block_on(runtime.spawn(async { seen_after_one(exhaust()).await }));
        assert_eq!(seen.unwrap(), (true, true));
    }
}

/// Tasks of more than 200 µs, each of which spawns the next.
#[derive(Default)]
struct Chain {
    polls: AtomicUsize,
    stop: AtomicBool,
    /// While a test has this, no task goes on.
    gate: Mutex<()>,
}

impl Chain {
    fn next(self: Arc<Self>) {
        std::thread::sleep(Duration::from_micros(200));
        drop(self.gate.lock());
        self.polls.fetch_add(1, Ordering::SeqCst);
        if !self.stop.load(Ordering::SeqCst) {
            spawn(async move { self.next() });
        }
    }

    fn polls(&self) -> usize {
        self.polls.load(Ordering::SeqCst)
    }
}

/// A worker that has learned how long its steps take, of [`Chain`].
fn busy_with_long_tasks() -> (Runtime, Arc<Chain>) {
    let mut builder = Builder::new_multi_thread();
    // Nor does the monitor take the core at the gate.
    let builder = builder.worker_threads(1).enable_all().no_seizing().stall_monitor(false);
    let runtime = builder.build().unwrap();
    let chain = Arc::new(Chain::default());
    let first = chain.clone();
    runtime.spawn(async move { first.next() });
    while chain.polls() < 400 {
        std::thread::yield_now();
    }
    (runtime, chain)
}

#[test]
fn long_tasks_do_not_hold_up_what_comes_from_outside() {
    let (runtime, chain) = busy_with_long_tasks();
    // All at once, however long this thread takes for it.
    let closed = chain.gate.lock().unwrap();
    let from_outside: Vec<_> = (0..16)
        .map(|_| {
            let chain = chain.clone();
            runtime.spawn(async move { chain.polls() })
        })
        .collect();
    drop(closed);
    let seen: Vec<usize> =
        from_outside.into_iter().map(|task| runtime.block_on(task).unwrap()).collect();
    chain.stop.store(true, Ordering::SeqCst);
    let most = seen.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(most <= 8, "{most} long polls between two of them");
}

#[test]
fn long_tasks_do_not_hold_up_a_timer_of_their_worker() {
    let (runtime, chain) = busy_with_long_tasks();
    let its = chain.clone();
    let most = runtime.spawn(async move {
        let mut most = 0;
        for _ in 0..8 {
            let before = its.polls();
            let mut timer = pin!(Timer::after(Duration::from_millis(1)));
            poll_fn(|cx| timer.as_mut().poll_elapsed(cx, Location::caller())).await;
            most = most.max(its.polls() - before);
        }
        most
    });
    let most = runtime.block_on(most).unwrap();
    chain.stop.store(true, Ordering::SeqCst);
    // 10 of them take 2 ms, which a timer of 1 ms may take, and one step has 4.
    assert!(most <= 24, "{most} long polls before a timer of 1 ms fired");
}

#[test]
fn what_is_next_behind_a_task_that_spins_is_run_by_another_worker() {
    let runtime = two();
    let has_run = Arc::new(AtomicBool::new(false));
    let spins = runtime.spawn(async move {
        let its = has_run.clone();
        let next = spawn(async move { its.store(true, Ordering::SeqCst) });
        while !has_run.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
        next.await.unwrap();
    });
    // The push told nobody; the other worker finds it when it looks around after other work.
    while !spins.is_finished() {
        runtime.block_on(runtime.spawn(async {})).unwrap();
    }
    runtime.block_on(spins).unwrap();
}

/// Pending until `duration` has passed.
async fn sleep(duration: Duration) {
    let mut timer = pin!(Timer::after(duration));
    poll_fn(|cx| timer.as_mut().poll_elapsed(cx, Location::caller())).await;
}

#[test]
fn a_timer_fires_though_its_worker_is_stuck_and_the_other_sleeps_without_a_deadline() {
    let runtime = two();
    let stuck = runtime.spawn(async {
        let has_fired = Arc::new(AtomicBool::new(false));
        let its = has_fired.clone();
        let sleeper = spawn(async move {
            sleep(Duration::from_millis(5)).await;
            its.store(true, Ordering::SeqCst);
        });
        // It registers its timer with this worker, and tells nobody.
        yield_now().await;
        while !has_fired.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        sleeper.await.unwrap();
    });
    runtime.block_on(stuck).unwrap();
}
