//! The cells, and the functions that read and write them.

use crate::budget::Budget;
use core::cell::Cell;
use core::panic::Location;
use core::ptr;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_base::rng::Rng;
use shinkan_base::wait::{TaskFrame, WaitKind};

/// Whether this thread drives a runtime now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// It does not: it may block, and may enter one.
    No,
    /// Inside `block_on` or a worker's loop. `block_in_place` may be called where the flag says so.
    Yes {
        /// Whether the thread may give its work away and block.
        may_block_in_place: bool,
    },
}

pub(crate) struct Thread {
    pub(crate) budget: Cell<Budget>,
    frame: Cell<*const TaskFrame>,
    runtime: Cell<*const ()>,
    worker: Cell<*const ()>,
    entered: Cell<Entered>,
    random: Cell<Option<Rng>>,
    yielded: Cell<bool>,
}

thread_local! {
    pub(crate) static THREAD: Thread = const {
        Thread {
            budget: Cell::new(Budget::unlimited()),
            frame: Cell::new(ptr::null()),
            runtime: Cell::new(ptr::null()),
            worker: Cell::new(ptr::null()),
            entered: Cell::new(Entered::No),
            random: Cell::new(None),
            yielded: Cell::new(false),
        }
    };
}

/// Puts the task that was polled before back when it is dropped.
#[must_use = "the frame is left when the guard is dropped"]
#[derive(Debug)]
pub struct FrameGuard {
    previous: *const TaskFrame,
}

/// Makes `frame` the task that is being polled on this thread. The caller keeps it alive while
/// the guard lives, and answers for whoever reads it through [`frame_ptr`].
#[inline]
pub fn enter_frame(frame: *const TaskFrame) -> FrameGuard {
    FrameGuard { previous: THREAD.with(|t| t.frame.replace(frame)) }
}

impl Drop for FrameGuard {
    #[inline]
    fn drop(&mut self) {
        THREAD.with(|t| t.frame.set(self.previous));
    }
}

/// The frame of the task that is being polled on this thread; null outside one.
#[inline]
pub fn frame_ptr() -> *const TaskFrame {
    THREAD.with(|t| t.frame.get())
}

/// The number of the task that is being polled on this thread.
#[inline]
pub fn task_id() -> Option<u64> {
    frame::with(|frame| frame.id)
}

/// Notes in the wait record of the task that is being polled on this thread that a leaf answered
/// Pending: what kind of resource, which one (an address will do), and where the leaf was made.
#[inline]
pub fn pending(kind: WaitKind, resource: usize, place: &'static Location<'static>) {
    frame::with(|frame| frame.wait.note(kind, resource, place));
}

/// What `rt` left for this thread as its runtime; null where none is entered.
#[inline]
pub fn runtime_ptr() -> *const () {
    THREAD.with(|t| t.runtime.get())
}

/// Sets it and returns what was there before.
#[inline]
pub fn set_runtime_ptr(runtime: *const ()) -> *const () {
    THREAD.with(|t| t.runtime.replace(runtime))
}

/// What `rt` left for this thread as its worker; null on a thread that is none.
#[inline]
pub fn worker_ptr() -> *const () {
    THREAD.with(|t| t.worker.get())
}

/// Sets it and returns what was there before.
#[inline]
pub fn set_worker_ptr(worker: *const ()) -> *const () {
    THREAD.with(|t| t.worker.replace(worker))
}

/// Whether this thread drives a runtime now.
#[inline]
pub fn entered() -> Entered {
    THREAD.with(|t| t.entered.get())
}

/// Sets it and returns what was there before.
#[inline]
pub fn set_entered(entered: Entered) -> Entered {
    THREAD.with(|t| t.entered.replace(entered))
}

/// A pseudo-random number below `n`: the first branch of a `select!`, the victim of a thief. Each
/// thread has its own sequence; under a seed ([`seed_random`]) it is the same each time.
#[inline]
pub fn random_below(n: u32) -> u32 {
    THREAD.with(|t| {
        let mut rng = t.random.get().unwrap_or_else(first_rng);
        let drawn = rng.below(n);
        t.random.set(Some(rng));
        drawn
    })
}

/// Starts this thread's sequence anew under a seed and returns the sequence that it left.
pub fn seed_random(rng: Option<Rng>) -> Option<Rng> {
    THREAD.with(|t| t.random.replace(rng))
}

#[cold]
fn first_rng() -> Rng {
    // Threads are told apart by a counter, runs by where the kernel put this thread's stack.
    static THREADS: AtomicU64 = AtomicU64::new(0);
    let here = 0u8;
    let nth = THREADS.fetch_add(1, Ordering::Relaxed);
    Rng::new((&raw const here).addr() as u64 ^ nth.rotate_left(32))
}

/// Notes that the task which is being polled on this thread wakes itself only to let everything
/// else have its turn, sockets and timers too.
#[inline]
pub fn note_yield() {
    THREAD.with(|t| t.yielded.set(true));
}

/// Whether that was noted since the last call.
#[inline]
pub fn take_yield() -> bool {
    THREAD.with(|t| t.yielded.take())
}

/// The only place that reads through the frame pointer.
#[allow(unsafe_code)]
mod frame {
    use super::THREAD;
    use shinkan_base::wait::TaskFrame;

    #[inline]
    pub(super) fn with<R>(f: impl FnOnce(&TaskFrame) -> R) -> Option<R> {
        let frame = THREAD.with(|t| t.frame.get());
        if frame.is_null() {
            return None;
        }
        // SAFETY:
        // - alive: whoever called `enter_frame` keeps the frame alive while its guard lives, and
        //   the guard takes the pointer away when it is dropped.
        // - shared: a frame is only read, and written through its atomics.
        Some(f(unsafe { &*frame }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_goes_to_the_task_that_is_polled_and_to_no_other() {
        let (outer, inner) = (TaskFrame::new(1), TaskFrame::new(2));
        assert_eq!(task_id(), None);
        pending(WaitKind::Sleep, 1, Location::caller());
        let in_outer = enter_frame(&outer);
        {
            let _in_inner = enter_frame(&inner);
            assert_eq!(task_id(), Some(2));
            pending(WaitKind::Mutex, 5, Location::caller());
        }
        assert_eq!(task_id(), Some(1));
        assert!(outer.wait.read().is_none());
        assert_eq!(inner.wait.read().map(|w| (w.kind, w.resource)), Some((WaitKind::Mutex, 5)));
        drop(in_outer);
        assert_eq!(task_id(), None);
    }

    #[test]
    fn a_seed_repeats_the_sequence() {
        let draw = || (0..32).map(|_| random_below(1_000)).collect::<Vec<_>>();
        seed_random(Some(Rng::new(4)));
        let first = draw();
        seed_random(Some(Rng::new(4)));
        assert_eq!(first, draw());
        assert_ne!(first, draw());
    }
}
