//! One allocation a task, and none is leaked. Alone in its binary: it counts all allocations.

mod common;

use common::{Gate, Runtime, output, poll};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::task::Waker;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, SeqCst);
        LIVE.fetch_add(1, SeqCst);
        // SAFETY: the caller's word.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(1, SeqCst);
        // SAFETY: the caller's word.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations made by `f`, and how many of them it left.
fn measure(f: impl FnOnce()) -> (usize, isize) {
    let before = (ALLOCATIONS.load(SeqCst), LIVE.load(SeqCst));
    f();
    (ALLOCATIONS.load(SeqCst) - before.0, LIVE.load(SeqCst) - before.1)
}

/// One test, so that no other thread allocates meanwhile.
#[test]
fn one_allocation_a_task_and_none_is_left() {
    let rt = Runtime::new();
    let joined = || {
        let handle = rt.spawn(async { 1 });
        rt.run();
        assert!(output(handle).is_ok());
    };
    joined();
    assert_eq!(measure(joined), (1, 0));
    assert_eq!(measure(|| drop(rt.spawn(async { 1 }))), (1, 1));
    assert_eq!(measure(|| _ = rt.run()), (0, -1));
    let aborted = || {
        let handle = rt.spawn(std::future::pending::<()>());
        rt.run();
        let abort = handle.abort_handle().clone();
        abort.abort();
        rt.run();
        assert!(output(handle).is_err());
    };
    assert_eq!(measure(aborted), (1, 0));
    let void = || {
        let (runnable, task, handle) = rt.spawn_parts(async {});
        task.shutdown();
        drop(handle);
        runnable.run();
    };
    assert_eq!(measure(void), (1, 0));
    let woken = || {
        let gate = Gate::new();
        let mut handle = rt.spawn(gate.clone().wait());
        rt.run();
        let late = gate.waker();
        gate.open().expect("it waits").wake();
        assert!(poll(&mut handle, Waker::noop()).is_pending());
        rt.run();
        drop(handle);
        drop(late);
    };
    assert_eq!(measure(woken), (2, 0));
    let shut_down = || {
        let rt = Runtime::new();
        let handles: Vec<_> = (0..100).map(|_| rt.spawn(std::future::pending::<()>())).collect();
        rt.run();
        let wakers: Vec<_> = (0..10).map(|_| rt.spawn(async {})).collect();
        rt.0.registry.close_and_shutdown();
        drop((handles, wakers));
        rt.run();
    };
    assert_eq!(measure(shut_down).1, 0);
}
