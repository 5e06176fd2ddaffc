//! Operations on the blocking pool: what becomes of those that no thread was free for.

use shinkan_rt::{AtTheEnd, Builder, NotTaken, spawn_operation};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn what_was_promised_is_done_where_the_runtime_ends_first() {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    let _inside = handle.enter();
    let (begins, begun) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let first = spawn_operation(
        move || {
            begins.send(()).unwrap();
            let _ = wait.recv();
        },
        AtTheEnd::Cancel,
    );
    begun.recv().unwrap();
    let dropped = spawn_operation(|| panic!("it must not run"), AtTheEnd::Cancel).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let its = done.clone();
    let promised = spawn_operation(move || its.store(true, Ordering::SeqCst), AtTheEnd::Run);

    // The thread is held: the runtime has ended, and the queue has been gone through.
    runtime.shutdown_timeout(Duration::ZERO);
    assert!(handle.block_on(dropped).unwrap_err().is_cancelled());
    assert!(!done.load(Ordering::SeqCst));
    drop(release);
    handle.block_on(promised.unwrap()).unwrap();
    assert!(done.load(Ordering::SeqCst));
    handle.block_on(first.unwrap()).unwrap();
    for at_the_end in [AtTheEnd::Cancel, AtTheEnd::Run] {
        assert!(matches!(spawn_operation(|| (), at_the_end), Err(NotTaken::Ended)));
    }
}

#[test]
fn an_operation_without_a_thread_is_an_error() {
    // A stack that no address space holds: the system starts no such thread.
    let runtime = Builder::new_current_thread().thread_stack_size(1 << 56).build().unwrap();
    let _inside = runtime.enter();
    for at_the_end in [AtTheEnd::Cancel, AtTheEnd::Run] {
        let refused = spawn_operation(|| (), at_the_end);
        let Err(NotTaken::NoThread(error)) = refused else { panic!("{refused:?}") };
        assert!(error.raw_os_error().is_some(), "{error}");
    }
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn an_operation_outside_a_runtime() {
    let _ = spawn_operation(|| (), AtTheEnd::Run);
}
