//! A global allocator that counts when it is told to. Off, it costs one load and a branch, the same
//! on both sides; on, it disturbs the times, which are then not to be read.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

static ON: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static FREED: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations since counting began. Grown ones count as one more, by their whole new size.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
}

pub(crate) fn start() {
    ON.store(true, Relaxed);
}

/// Bytes allocated and not freed since counting began; negative where older ones were freed.
pub(crate) fn live() -> i64 {
    BYTES.load(Relaxed) as i64 - FREED.load(Relaxed) as i64
}

pub(crate) fn count() -> Count {
    Count { calls: CALLS.load(Relaxed), bytes: BYTES.load(Relaxed) }
}

#[inline]
fn note(bytes: usize) {
    if ON.load(Relaxed) {
        CALLS.fetch_add(1, Relaxed);
        BYTES.fetch_add(bytes as u64, Relaxed);
    }
}

#[inline]
fn note_freed(bytes: usize) {
    if ON.load(Relaxed) {
        FREED.fetch_add(bytes as u64, Relaxed);
    }
}

// SAFETY:
// - every method hands its arguments unchanged to `System` and returns what that returned; counting
//   allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY:
        // - as our caller promised for `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY:
        // - as our caller promised for `layout`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        note_freed(layout.size());
        // SAFETY:
        // - `block` came from `System` through us, with this layout; `size` is as our caller
        //   promised.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note_freed(layout.size());
        // SAFETY:
        // - `block` came from `System` through us, with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}
