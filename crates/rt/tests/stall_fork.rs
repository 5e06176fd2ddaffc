//! A child of fork(2), in which there is no monitor: its thread stayed behind, with whatever it was at.

mod support;

use shinkan_rt::{Builder, spawn};
use std::sync::{Mutex, mpsc};
use support::watched;

/// In the child: hangs where it waits for a thread that is not there.
fn lives(inherited: shinkan_rt::Runtime) -> bool {
    inherited.shutdown_background();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sum = runtime.block_on(async { spawn(async { 1 }).await.unwrap() + 1 });
    drop(runtime);
    sum == 2
}

#[test]
fn a_child_of_fork_leaves_what_it_inherits_and_builds_a_runtime_of_its_own() {
    let (naming, named) = mpsc::channel::<()>();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let calls = Mutex::new((0, goes_on));
    // The second name is asked for by the monitor, which is then busy with this runtime.
    let (runtime, _stalled) = watched(1, |builder| {
        builder.thread_name_fn(move || {
            let mut calls = calls.lock().unwrap();
            calls.0 += 1;
            if calls.0 == 2 {
                naming.send(()).unwrap();
                let _ = calls.1.recv();
            }
            "named".into()
        });
    });
    let (release, released) = mpsc::channel::<()>();
    let stuck = runtime.spawn(async move { released.recv() });
    named.recv().unwrap();
    // SAFETY:
    // - the child runs code that allocates, which the C library allows for, and ends without its
    //   handlers; no other lock is held that it takes.
    match unsafe { libc::fork() } {
        0 => {
            let lives = std::panic::catch_unwind(|| lives(runtime)).unwrap_or(false);
            // SAFETY:
            // - ends the child at once.
            unsafe { libc::_exit(i32::from(!lives)) }
        }
        child => {
            let mut status = 0;
            // SAFETY:
            // - our child, and a word of ours.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0);
        }
    }
    drop((go_on, release));
    assert!(runtime.block_on(stuck).unwrap().is_err());
}
