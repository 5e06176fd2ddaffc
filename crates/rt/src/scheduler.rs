//! The scheduler's handle inside each task: one pointer, counted or lent. In each timer too, where
//! it is always counted.
//!
//! A task that is handed to another thread may be gone before `schedule` returns, and with it the
//! handle inside. So whoever hands it over works on a copy. On a thread that is inside the runtime
//! the copy is lent: the thread keeps the runtime alive, and no counter that all workers share is
//! touched.
//!
//! For the same reason a worker keeps the counts of tasks and timers that ended on it for those that
//! it makes.

#![allow(unsafe_code)]

use crate::handle::Handle;
use crate::seated::{self, Seated};
use crate::shared::Shared;
use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use shinkan_task::{Runnable, Schedule, TaskRef};
use std::sync::Arc;

/// The runtime's shared part. The lowest bit is set where the pointer is lent.
pub(crate) struct Scheduler {
    tagged: *const Shared,
}

const LENT: usize = 1;

// SAFETY:
// - it is an `Arc<Shared>`, or the loan of one; `Shared` is `Send` and `Sync` (asserted below).
unsafe impl Send for Scheduler {}
// SAFETY: as above.
unsafe impl Sync for Scheduler {}

const _: () = {
    const fn sendable<T: Send + Sync>() {}
    sendable::<Shared>();
};

impl Scheduler {
    /// The counted handle of a new task or timer.
    #[inline]
    pub(crate) fn new(handle: &Handle) -> Self {
        if with_spare(handle.shared(), Spare::take) {
            return Self { tagged: handle.as_ptr() };
        }
        let counted = ManuallyDrop::new(handle.clone());
        Self { tagged: counted.as_ptr() }
    }

    #[inline(always)]
    fn pointer(&self) -> *const Shared {
        self.tagged.map_addr(|address| address & !LENT)
    }

    #[inline(always)]
    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY:
        // - alive: counted, the count is ours; lent, the thread that `copy` was called on is
        //   inside the runtime, and the copy does not leave it.
        unsafe { &*self.pointer() }
    }
}

impl Drop for Scheduler {
    #[inline]
    fn drop(&mut self) {
        if self.tagged.addr() & LENT == 0 && !with_spare(self.shared(), Spare::keep) {
            // SAFETY: not lent, so the count that `new` made or took is ours.
            drop(unsafe { Arc::from_raw(self.tagged) });
        }
    }
}

/// Counts of the runtime that belong to nothing else at the moment, of the worker that keeps them.
pub(crate) struct Spare {
    of: Handle,
    counts: Cell<u32>,
}

impl Spare {
    /// More are given back.
    const MOST: u32 = 64;

    pub(crate) fn new(of: &Handle) -> Self {
        Self { of: of.clone(), counts: Cell::new(0) }
    }

    /// True: the caller owns a count from now on.
    #[inline]
    fn take(&self) -> bool {
        let counts = self.counts.get();
        self.counts.set(counts.saturating_sub(1));
        counts != 0
    }

    /// True: the caller's count is ours from now on.
    #[inline]
    fn keep(&self) -> bool {
        let counts = self.counts.get();
        let keeps = counts < Self::MOST;
        self.counts.set(counts + u32::from(keeps));
        keeps
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        for _ in 0..self.counts.get() {
            // SAFETY: counts as many as `keep` was given and `take` has not given away; it is the
            // same runtime's (`with_spare`), which `of` keeps alive meanwhile.
            unsafe { Arc::decrement_strong_count(self.of.as_ptr()) };
        }
    }
}

/// What `change` answers of this thread's counts; false where it is no worker of that runtime.
#[inline]
fn with_spare(shared: &Shared, change: impl FnOnce(&Spare) -> bool) -> bool {
    seated::with(|seated| match seated {
        Some(Seated::Multi(worker)) if worker.handle.is(shared) => change(&worker.spare),
        _ => false,
    })
}

impl Schedule for Scheduler {
    #[inline]
    fn schedule(&self, task: Runnable) {
        self.shared().schedule(task, false);
    }

    #[inline]
    fn yield_now(&self, task: Runnable) {
        self.shared().schedule(task, true);
    }

    // A call of its own costs the end of each task more than what it does.
    #[inline(always)]
    fn release(&self, task: &TaskRef) -> Option<TaskRef> {
        let shared = self.shared();
        shared.hooks.ended(task);
        shared.registry.remove(task)
    }

    fn unhandled_panic(&self) {
        self.shared().panicked();
    }

    #[inline]
    fn home(&self) -> Option<NonNull<()>> {
        NonNull::new(self.pointer().cast_mut().cast())
    }

    #[inline]
    fn copy(&self) -> Option<Self> {
        let pointer = self.pointer();
        let inside = core::ptr::eq(shinkan_context::runtime_ptr(), pointer.cast());
        inside.then(|| Self { tagged: pointer.map_addr(|address| address | LENT) })
    }
}
