//! What belongs to a runtime of several workers: `block_on` beside them, and `block_in_place`.

use crate::blocking::Job;
use crate::core::Worker;
use crate::enter;
use crate::fate::{Fate, SEALED};
use crate::seated::{self, Seated};
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use shinkan_base::wait::TaskFrame;
use shinkan_context::budget::{self, Budget};
use shinkan_context::{self as context, Entered};
use shinkan_sys::park::{Parker, Unparker};
use std::sync::Arc;
use std::task::Wake;

/// Wakes a thread that waits in `block_on`.
pub(crate) struct Unpark(pub(crate) Unparker);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// The number in the frame of a future that is no task: nobody asks for it by its number.
pub(crate) const NO_TASK: u64 = 0;

/// Polls `future` on this thread and parks it between polls. With a fate, it ends with the
/// runtime that a panic ended.
#[track_caller]
pub(crate) fn park_on<F: Future>(future: F, fate: Option<&Fate>) -> F::Output {
    let mut parker = Parker::new();
    let waker = Waker::from(Arc::new(Unpark(parker.unparker().clone())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    let frame = TaskFrame::new(NO_TASK);
    let _told = fate.map(|fate| fate.attend(parker.unparker().clone()));
    loop {
        assert!(!fate.is_some_and(Fate::is_sealed), "{SEALED}");
        if let Poll::Ready(output) = poll_main(&frame, || future.as_mut().poll(&mut cx)) {
            return output;
        }
        parker.park();
    }
}

/// One poll of a future that is no task: with a frame and a budget, as a task has them.
pub(crate) fn poll_main<R>(frame: &TaskFrame, poll: impl FnOnce() -> R) -> R {
    frame.wait.clear();
    let _entered = context::enter_frame(frame);
    budget::with(Budget::initial(), poll)
}

/// Runs a closure that blocks on this thread, after the thread's other work was given away.
///
/// On a worker, its core goes to another thread before `f` starts, so queue, timers and sockets
/// are served on. The task's own other futures (branches of a `join!`) stand still. On a thread
/// that drives no runtime `f` is just called.
///
/// # Panics
/// On a thread that drives a current-thread runtime, and inside a `LocalSet`: the thread's other
/// tasks cannot move.
///
/// # Examples
/// ```
/// # shinkan_rt::Builder::new_multi_thread().worker_threads(1).build().unwrap().block_on(async {
/// let sum = shinkan_rt::spawn(async { shinkan_rt::block_in_place(|| 1 + 1) });
/// assert_eq!(sum.await.unwrap(), 2);
/// # });
/// ```
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    match context::entered() {
        Entered::No => return f(),
        Entered::Yes { may_block_in_place } => assert!(
            may_block_in_place,
            "`block_in_place` was called on a thread whose other tasks cannot move to another \
             (a current-thread runtime or a `LocalSet`); a task can call blocking only when \
             running on the multi-threaded runtime: use `spawn_blocking`"
        ),
    }
    seated::with(|seated| {
        if let Some(Seated::Multi(worker)) = seated {
            give_core_away(worker);
        }
    });
    budget::with(Budget::unlimited(), || enter::not_driving(f))
}

/// Passes this worker's core to a spare thread. Where no thread can be had, the core stays: its
/// queue can still be stolen from.
fn give_core_away(worker: &Worker) {
    if worker.is_gone() {
        // It means to block, and says so: it is stuck no more.
        return worker.tenure.seat.note_return();
    }
    let shared = worker.handle.shared();
    // Before we go inside: a new thread's name is the user's function.
    let Ok(spare) = shared.blocking.reserve(&worker.handle) else { return };
    let Some(mut inside) = worker.enter() else {
        worker.tenure.seat.note_return();
        return spare.release();
    };
    // Whoever gets the core looks into the queue first.
    let lifo = worker.slot().lifo.take();
    let announces = lifo.is_some_and(|task| shared.push_queue(&mut inside, task, true));
    inside.surrender();
    spare.give(Job::Core(worker.index));
    if announces {
        shared.idle().wake_one(&shared.driver);
    }
}
