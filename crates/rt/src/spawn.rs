//! Spawning on the runtime that this thread is in.

use crate::enter::with_current;
use crate::handle::NO_RUNTIME;
use core::future::Future;
use core::panic::Location;
use shinkan_task::JoinHandle;

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
    crate::handle::Handle::current().spawn_blocking(f)
}
