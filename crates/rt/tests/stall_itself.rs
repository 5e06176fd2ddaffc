//! A thread that waits for itself. By itself in a process, where nobody else runs meanwhile.

mod support;

use shinkan_rt::Runtime;
use std::sync::Mutex;
use support::watched;

#[inline(never)]
fn locks_twice() {
    let lock = Mutex::new(());
    let _first = lock.lock();
    let _second = lock.lock();
}

#[test]
fn a_thread_that_waits_for_itself_is_told_so() {
    let (runtime, stalled) = watched(1, |builder| _ = builder.stall_stacks(true));
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
