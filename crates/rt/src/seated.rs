//! What this thread works as: a worker of several, the one thread of a current-thread runtime, or
//! nothing. The thread-local holds an opaque pointer; this file alone reads it.

#![allow(unsafe_code)]

use crate::core::Worker;
use crate::current::CurrentWorker;
use core::ptr;
use shinkan_context as context;

/// What a thread works as while it drives a runtime.
#[derive(Debug)]
pub(crate) enum Seated {
    /// It holds, or held, one of several cores.
    Multi(Worker),
    /// It drives a current-thread runtime.
    Current(CurrentWorker),
}

/// Takes the thread's place away when it is dropped.
pub(crate) struct SeatedGuard<'a> {
    previous: *const (),
    _seated: &'a Seated,
}

impl Seated {
    /// Makes this the thread's place while the guard lives.
    pub(crate) fn sit(&self) -> SeatedGuard<'_> {
        let previous = context::set_worker_ptr(ptr::from_ref(self).cast());
        SeatedGuard { previous, _seated: self }
    }
}

impl Drop for SeatedGuard<'_> {
    fn drop(&mut self) {
        context::set_worker_ptr(self.previous);
    }
}

/// Calls `f` with what this thread works as.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(Option<&Seated>) -> R) -> R {
    let seated: *const Seated = context::worker_ptr().cast();
    // SAFETY:
    // - alive: the pointer is set by `sit` alone, whose guard borrows the `Seated` and takes the
    //   pointer away before the borrow ends.
    // - this thread's: the cell is a thread-local.
    f(unsafe { seated.as_ref() })
}

/// The number of the worker that this thread works as; nothing on a thread that is none. It may
/// change at each `.await`.
pub fn worker_index() -> Option<usize> {
    with(|seated| match seated? {
        Seated::Multi(worker) => Some(worker.index),
        Seated::Current(_) => Some(0),
    })
}
