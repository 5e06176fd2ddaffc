//! Makes tasks.

use crate::cell;
use crate::id::Id;
use crate::join::JoinHandle;
use crate::origin::Origin;
use crate::runnable::Runnable;
use crate::schedule::Schedule;
use crate::task_ref::TaskRef;
use core::future::Future;

/// Makes a task of a future: the right to run it for the first time, the reference for the
/// registry, and the handle for who spawned it. One allocation, and one more for an origin with a
/// tag.
#[inline]
pub fn spawn<F, S>(
    future: F,
    scheduler: S,
    id: Id,
    origin: impl Into<Origin>,
) -> (Runnable, TaskRef, JoinHandle<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    S: Schedule,
{
    // SAFETY: the future may be run and dropped on any thread.
    unsafe { spawn_local(future, scheduler, id, origin) }
}

/// As [`spawn`], for a future that is not `Send`.
///
/// # Safety
/// The future stays on this thread: its Runnables are run or dropped here alone, it is aborted
/// through them, and it is ended (polled to its end, or shut down) before the last reference to the
/// task is dropped elsewhere. An output that nobody waits for is dropped where the task ends.
#[inline]
pub unsafe fn spawn_local<F, S>(
    future: F,
    scheduler: S,
    id: Id,
    origin: impl Into<Origin>,
) -> (Runnable, TaskRef, JoinHandle<F::Output>)
where
    F: Future + 'static,
    F::Output: 'static,
    S: Schedule,
{
    let task = cell::allocate(future, scheduler, id, origin.into());
    // SAFETY: a new task is queued, and the first of its three references is the Runnable's.
    let runnable = unsafe { Runnable::from_ptr(task) };
    // SAFETY: the second.
    let registered = unsafe { TaskRef::from_ptr(task) };
    // SAFETY: the third, with the join interest; the output is this future's.
    let handle = unsafe { JoinHandle::from_ptr(task) };
    (runnable, registered, handle)
}
