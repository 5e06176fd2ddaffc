//! Descriptors that have ended leave no memory behind. Alone in its binary: it counts all bytes.

#![allow(unsafe_code)]

use shinkan_base::wakers::Wakers;
use shinkan_driver::{Driver, Interest, Ready, Source};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, SeqCst);
        // SAFETY: the caller's word.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, SeqCst);
        // SAFETY: the caller's word.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MANY: i32 = 100_000;
/// What is kept for the next ones: 63 slots, and the lists of those that are free.
const KEPT: isize = 6 * 1024;

/// One test, so that no other thread allocates meanwhile.
#[test]
fn descriptors_that_have_ended_leave_no_memory() {
    // A simulation: it takes any number for a descriptor.
    let driver = Driver::sim(1);
    let before = LIVE.load(SeqCst);
    for _ in 0..3 {
        let register = |fd| driver.io().register(fd, Interest::READABLE, Ready::EMPTY).unwrap();
        let mut sources: Vec<Source> = (0..MANY).map(register).collect();
        let with = LIVE.load(SeqCst) - before;
        assert!(with > 64 * MANY as isize, "{with} bytes");
        // Neither in the order in which they came nor in the reverse.
        while !sources.is_empty() {
            let source = sources.swap_remove(sources.len() / 2);
            driver.apply(source.token(), Ready::READABLE, &mut Wakers::new());
        }
        drop(sources);
        let left = LIVE.load(SeqCst) - before;
        assert!(left <= KEPT, "{left} bytes are left");
    }
}
