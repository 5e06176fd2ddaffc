//! Wakers that are used late, twice, elsewhere, or by nobody.

mod common;

use common::{Dropped, Gate, Runtime, output, poll};
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Poll, Waker};
use std::thread;

#[test]
fn waker_after_completion() {
    let rt = Runtime::new();
    let gate = Gate::new();
    let handle = rt.spawn(gate.clone().wait());
    rt.run();
    let waker = gate.waker().expect("it waits");
    let (late, later) = (waker.clone(), waker.clone());
    gate.open().expect("it waits").wake();
    rt.run();
    assert!(output(handle).is_ok());
    waker.wake_by_ref();
    thread::spawn(move || late.wake()).join().expect("a late waker does nothing");
    assert_eq!(rt.0.queued(), 0);
    drop(waker);
    // The last reference goes on another thread, after runtime and registry.
    drop(rt);
    thread::spawn(move || later.wake()).join().expect("a late waker does nothing");
}

#[test]
#[expect(clippy::waker_clone_wake, reason = "both ways of waking are meant")]
fn two_wakers_one_poll() {
    let rt = Runtime::new();
    let gate = Gate::new();
    let _handle = rt.spawn(gate.clone().wait());
    rt.run();
    let waker = gate.waker().expect("it waits");
    assert!(waker.will_wake(&waker.clone()));
    waker.wake_by_ref();
    waker.wake_by_ref();
    waker.clone().wake();
    assert_eq!(rt.run(), 1);
    assert_eq!(gate.polls.load(SeqCst), 2);
}

#[test]
#[expect(clippy::waker_clone_wake, reason = "both ways of waking are meant")]
fn woken_while_polled_it_goes_behind_the_others() {
    let rt = Runtime::new();
    let mut left = 3;
    let handle = rt.spawn(std::future::poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        cx.waker().clone().wake();
        Poll::Pending
    }));
    assert_eq!(rt.run(), 4);
    assert_eq!(rt.0.yields.load(SeqCst), 3);
    assert!(output(handle).is_ok());
}

#[test]
fn woken_in_its_last_poll_it_is_not_queued_again() {
    let rt = Runtime::new();
    let handle = rt.spawn(std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::Ready(())
    }));
    assert_eq!(rt.run(), 1);
    assert!(output(handle).is_ok());
}

#[test]
fn wakers_are_dropped_on_other_threads_while_the_task_runs() {
    for _ in 0..200 {
        let rt = Runtime::new();
        let gate = Gate::new();
        let mut handle = rt.spawn(gate.clone().wait());
        rt.run();
        thread::scope(|scope| {
            for _ in 0..2 {
                let waker = gate.waker().expect("it waits");
                scope.spawn(move || drop(waker.clone()));
            }
            gate.open().expect("it waits").wake();
            assert_eq!(rt.run(), 1);
            assert!(poll(&mut handle, Waker::noop()).is_ready());
        });
    }
}

#[test]
fn woken_from_two_threads_it_misses_nothing() {
    let rt = Runtime::new();
    let counter = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let gate = Gate::new();
    let mut handle = rt.spawn({
        let (counter, gate) = (counter.clone(), gate.clone());
        std::future::poll_fn(move |cx| {
            let _ = gate.poll(cx);
            if counter.load(SeqCst) == 2_000 { Poll::Ready(()) } else { Poll::Pending }
        })
    });
    rt.run();
    let waker = gate.waker().expect("it waits");
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (waker, counter) = (waker.clone(), counter.clone());
            thread::spawn(move || {
                for _ in 0..1_000 {
                    counter.fetch_add(1, SeqCst);
                    waker.wake_by_ref();
                }
            })
        })
        .collect();
    for thread in threads {
        while !thread.is_finished() {
            rt.run();
        }
        thread.join().expect("it only wakes");
    }
    rt.run();
    assert!(poll(&mut handle, Waker::noop()).is_ready());
}

#[test]
fn a_task_that_nobody_can_wake_is_freed_with_its_future() {
    let rt = Runtime::new();
    let (dropped, guard) = Dropped::new();
    let (runnable, task, handle) = rt.spawn_parts(async move {
        let _guard = guard;
        std::future::pending::<()>().await
    });
    drop((task, handle));
    runnable.run();
    assert_eq!(dropped.load(SeqCst), 1);

    let (dropped, guard) = Dropped::new();
    let (runnable, task, handle) = rt.spawn_parts(async move {
        let _guard = guard;
        std::future::pending::<()>().await
    });
    runnable.run();
    let waker = task.waker();
    drop((task, handle));
    assert_eq!(dropped.load(SeqCst), 0);
    drop(waker);
    assert_eq!(dropped.load(SeqCst), 1);
}
