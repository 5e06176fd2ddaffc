//! The scheduler's handle inside each task: one pointer, counted or lent.
//!
//! A task that is handed to another thread may be gone before `schedule` returns, and with it the
//! handle inside. So whoever hands it over works on a copy. On a thread that is inside the runtime
//! the copy is lent: the thread keeps the runtime alive, and no counter that all workers share is
//! touched.

#![allow(unsafe_code)]

use crate::handle::Handle;
use crate::shared::Shared;
use core::mem::ManuallyDrop;
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
    /// The counted handle of a new task.
    #[inline]
    pub(crate) fn new(handle: &Handle) -> Self {
        let counted = ManuallyDrop::new(handle.clone());
        Self { tagged: counted.as_ptr() }
    }

    #[inline(always)]
    fn pointer(&self) -> *const Shared {
        self.tagged.map_addr(|address| address & !LENT)
    }

    #[inline(always)]
    fn shared(&self) -> &Shared {
        // SAFETY:
        // - alive: counted, the count is ours; lent, the thread that `copy` was called on is
        //   inside the runtime, and the copy does not leave it.
        unsafe { &*self.pointer() }
    }
}

impl Drop for Scheduler {
    #[inline]
    fn drop(&mut self) {
        if self.tagged.addr() & LENT == 0 {
            // SAFETY: not lent, so made by `new` from an `Arc` whose count is ours.
            drop(unsafe { Arc::from_raw(self.tagged) });
        }
    }
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
    fn copy(&self) -> Option<Self> {
        let pointer = self.pointer();
        let inside = core::ptr::eq(shinkan_context::runtime_ptr(), pointer.cast());
        inside.then(|| Self { tagged: pointer.map_addr(|address| address | LENT) })
    }
}
