//! What a runtime tells of its threads, and the functions that they call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use shinkan::io::{AsyncReadExt, AsyncWriteExt};
use shinkan::net::UnixStream;
use shinkan::runtime::{Builder, Handle, worker_index};
use shinkan::sync::Notify;
use shinkan::time::{Duration, sleep};

#[test]
fn a_worker_knows_its_number_and_others_have_none() {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    assert_eq!(worker_index(), None);
    let index = runtime.block_on(runtime.spawn(async { worker_index() })).unwrap();
    assert!(index.is_some_and(|index| index < 2), "{index:?}");
    let blocking = runtime.spawn_blocking(worker_index);
    assert_eq!(runtime.block_on(blocking).unwrap(), None);
}

#[test]
fn threads_call_the_hooks_when_they_sleep() {
    let (parked, unparked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (on_park, on_unpark) = (parked.clone(), unparked.clone());
    let runtime = Builder::new_current_thread()
        .enable_time()
        .on_thread_park(move || {
            on_park.fetch_add(1, SeqCst);
        })
        .on_thread_unpark(move || {
            on_unpark.fetch_add(1, SeqCst);
        })
        .build()
        .unwrap();
    runtime.block_on(async { sleep(Duration::from_millis(2)).await });
    assert!(unparked.load(SeqCst) >= 1);
    assert!(parked.load(SeqCst) >= unparked.load(SeqCst));
}

#[test]
fn sleeps_are_counted() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let metrics = runtime.metrics();
    let before = metrics.worker_park_count(0);
    let task = runtime.spawn(async { sleep(Duration::from_millis(2)).await });
    runtime.block_on(task).unwrap();
    // It slept at least while it waited for the time; it is awake again half of what it counts.
    assert!(metrics.worker_park_count(0) > before);
    assert!(metrics.worker_park_unpark_count(0) > metrics.worker_park_count(0));
}

#[test]
fn what_waits_in_the_queue_from_outside_is_counted() {
    let runtime = Builder::new_current_thread().global_queue_interval(7).build().unwrap();
    let handle: &Handle = runtime.handle();
    let done = Arc::new(Notify::new());
    for _ in 0..3 {
        let done = done.clone();
        // Nobody runs the runtime now, and this thread is outside of it.
        handle.spawn(async move { done.notify_one() });
    }
    assert_eq!(runtime.metrics().global_queue_depth(), 3);
    assert_eq!(runtime.metrics().num_alive_tasks(), 3);
    runtime.block_on(done.notified());
    while runtime.metrics().num_alive_tasks() > 0 {
        runtime.block_on(shinkan::task::yield_now());
    }
    assert_eq!(runtime.metrics().global_queue_depth(), 0);
}

/// How many polls of other tasks come before one whose socket is ready.
fn polls_until_seen(interval: u32) -> u32 {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().event_interval(interval).build().unwrap();
    runtime.block_on(async {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let reader = shinkan::spawn(async move { near.read_u8().await.unwrap() });
        // Two that wake each other keep the worker busy; one that yields would have it look.
        let (here, there) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (its_here, its_there) = (here.clone(), there.clone());
        let other = shinkan::spawn(async move {
            loop {
                its_there.notified().await;
                its_here.notify_one();
            }
        });
        let polls = shinkan::spawn(async move {
            far.write_all(b"x").await.unwrap();
            let mut polls = 0;
            while !reader.is_finished() {
                there.notify_one();
                here.notified().await;
                polls += 2;
            }
            polls
        });
        let polls = polls.await.unwrap();
        other.abort();
        polls
    })
}

#[test]
fn sockets_are_looked_at_after_so_many_polls() {
    let (often, seldom) = (polls_until_seen(2), polls_until_seen(200));
    assert!(often < 20 && (100..300).contains(&seldom), "{often} and {seldom}");
}
