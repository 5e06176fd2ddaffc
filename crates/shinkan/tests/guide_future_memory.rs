//! **What a task costs in memory.** The variables of an `async fn` that live across an `.await`
//! are kept inside its future, and the others are not. The future is a plain value with a size
//! that the compiler knows. Spawning moves it to the heap: one allocation for each task, for the
//! future and all that the runtime adds to it.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use shinkan::runtime::Builder;

/// Counts the allocations of this thread, and remembers the largest.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all calls go to the system's allocator as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        LARGEST.with(|largest| largest.set(largest.get().max(layout.size())));
        // SAFETY: the caller's word on `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's word on both.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `f` makes on this thread, and the size of the largest.
fn allocations(f: impl FnOnce()) -> (usize, usize) {
    COUNT.with(|count| count.set(0));
    LARGEST.with(|largest| largest.set(0));
    f();
    (COUNT.with(Cell::get), LARGEST.with(Cell::get))
}

async fn kept_across_an_await() -> u8 {
    let buffer = std::hint::black_box([7_u8; 1_000]);
    shinkan::task::yield_now().await;
    buffer[999]
}

async fn gone_before_the_await() -> u8 {
    let last = {
        let buffer = std::hint::black_box([7_u8; 1_000]);
        buffer[999]
    };
    shinkan::task::yield_now().await;
    last
}

#[test]
fn only_what_lives_across_an_await_is_in_the_future() {
    assert!(size_of_val(&kept_across_an_await()) >= 1_000);
    assert!(size_of_val(&gone_before_the_await()) < 200);
}

#[test]
fn a_future_holds_the_futures_that_it_awaits() {
    async fn outer() -> u8 {
        kept_across_an_await().await
    }
    let inner = size_of_val(&kept_across_an_await());
    assert!(size_of_val(&outer()) >= inner);
}

#[test]
fn calling_an_async_fn_allocates_nothing() {
    let (count, _) = allocations(|| drop(std::hint::black_box(kept_across_an_await())));
    assert_eq!(count, 0);
}

#[test]
fn spawning_allocates_once_and_the_future_is_in_it() {
    let runtime = Builder::new_current_thread().build().unwrap();
    // The first tasks make the queues grow, as any collection does.
    let warm: Vec<_> = (0..64).map(|_| runtime.spawn(kept_across_an_await())).collect();
    runtime.block_on(async {
        for task in warm {
            task.await.unwrap();
        }
    });

    let future = kept_across_an_await();
    let size = size_of_val(&future);
    let mut task = None;
    let (count, largest) = allocations(|| task = Some(runtime.spawn(future)));
    assert_eq!(count, 1, "one allocation a task");
    assert!(largest >= size, "the future is in it");
    assert!(largest <= size + 256, "and little else: {largest} bytes for a future of {size}");
    assert_eq!(runtime.block_on(task.unwrap()).unwrap(), 7);
}

#[test]
fn polling_a_task_and_giving_way_allocate_nothing() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let count = runtime.block_on(async {
        let other = shinkan::spawn(async {
            loop {
                shinkan::task::yield_now().await;
            }
        });
        shinkan::task::yield_now().await;
        COUNT.with(|count| count.set(0));
        for _ in 0..100 {
            shinkan::task::yield_now().await;
        }
        other.abort();
        COUNT.with(Cell::get)
    });
    assert_eq!(count, 0);
}
