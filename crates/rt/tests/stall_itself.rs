//! A thread that waits for itself. By itself in a process, where nobody else runs meanwhile.

use shinkan_rt::{Builder, Runtime};
use std::sync::{Mutex, mpsc};

#[inline(never)]
fn locks_twice() {
    let lock = Mutex::new(());
    let _first = lock.lock();
    let _second = lock.lock();
}

#[test]
fn a_thread_that_waits_for_itself_is_told_so() {
    let (stalls, stalled) = mpsc::channel();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .no_seizing()
        .stall_report(false)
        .on_stall(move |stall| drop(stalls.send(stall.clone())))
        .build()
        .unwrap();
    // Each at a place of its own, which is told in full.
    let spawns: [fn(&Runtime); 3] = [
        |runtime| drop(runtime.spawn(async { locks_twice() })),
        |runtime| drop(runtime.spawn(async { locks_twice() })),
        |runtime| drop(runtime.spawn(async { locks_twice() })),
    ];
    let told = spawns.iter().any(|spawn| {
        spawn(&runtime);
        let stall = stalled.recv().unwrap();
        let stack = stall.stack.expect("it waits for ever");
        assert!(stack.futex.is_some(), "{stack}");
        stack.alone && stack.to_string().contains("waits for itself")
    });
    assert!(told, "nobody else ran");
    runtime.shutdown_background();
}
