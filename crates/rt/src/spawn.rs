//! Spawning on the runtime that this thread is in.

use crate::blocking::{Job, Refused};
use crate::clock::HoldsClock;
use crate::closure::{BlockingFuture, Unstarted};
use crate::enter::with_current;
use crate::handle::{Handle, NO_RUNTIME};
use core::future::Future;
use core::panic::Location;
use shinkan_task::{Id as TaskId, JoinHandle, Origin};
use shinkan_trace::TaskSpan;
use std::io;

/// Starts a task on the runtime that this thread is in; it runs beside its caller.
///
/// # Panics
/// Outside every runtime.
#[track_caller]
#[inline]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let place = Location::caller();
    match with_current(|handle| handle.spawn_at(future, place)) {
        Ok(join) => join,
        Err(_) => panic!("{NO_RUNTIME}"),
    }
}

/// Runs a closure that blocks on a thread of the runtime that this thread is in, where it hurts
/// nobody.
///
/// # Panics
/// Outside every runtime; if no thread is there to run it and none can be started.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    Handle::current().spawn_blocking(f)
}

/// What becomes of a closure that no thread was free for when its runtime ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtTheEnd {
    /// It is dropped; its handle says that it was cancelled.
    Cancel,
    /// It is run: somebody was told that it would be.
    Run,
}

/// Why a closure was not taken; it was dropped.
#[derive(Debug)]
pub enum NotTaken {
    /// The runtime has ended.
    Ended,
    /// No thread is there to run it, and none can be started.
    NoThread(io::Error),
}

/// As [`spawn_blocking`], for operations which can say in an error what that would panic for.
///
/// # Errors
/// Nothing will run the closure.
///
/// # Panics
/// Outside every runtime.
#[track_caller]
pub fn spawn_operation<F, R>(f: F, at_the_end: AtTheEnd) -> Result<JoinHandle<R>, NotTaken>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let place = Location::caller();
    let submitted = with_current(|handle| {
        let id = TaskId::next();
        let span = TaskSpan::blocking::<F>(None, id.as_u64(), place);
        let origin = Origin::from(place).marked(span.mark());
        let future = span.instrument(BlockingFuture::new(f));
        let (runnable, task, join) = shinkan_task::spawn(future, Unstarted, id, origin);
        drop(task);
        let holds = HoldsClock::new(handle);
        let job = match at_the_end {
            AtTheEnd::Cancel => Job::Task(runnable, holds),
            AtTheEnd::Run => Job::Promised(runnable, holds),
        };
        match handle.shared().blocking.submit(handle, job) {
            Ok(()) => Ok(join),
            Err(Refused::Closed(job)) => {
                job.cancel();
                Err(NotTaken::Ended)
            }
            Err(Refused::NoThread(job, error)) => {
                job.cancel();
                Err(NotTaken::NoThread(error))
            }
        }
    });
    match submitted {
        Ok(submitted) => submitted,
        Err(_) => panic!("{NO_RUNTIME}"),
    }
}

/// Whether [`spawn_operation`] would be taken up: this thread is in a runtime, which has not ended.
/// For operations that need no thread, so that they fail where others do.
#[inline]
pub fn takes_operations() -> bool {
    with_current(|handle| !handle.shared().is_closed()).unwrap_or(false)
}
