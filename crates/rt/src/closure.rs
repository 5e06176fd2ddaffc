//! A closure that blocks, as a task: `blocking` runs it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use shinkan_task::{Runnable, Schedule, TaskRef};

/// A closure as a future that is ready at its first poll.
pub(crate) struct BlockingFuture<F>(Option<F>);

impl<F> BlockingFuture<F> {
    pub(crate) fn new(f: F) -> Self {
        Self(Some(f))
    }
}

impl<F> Unpin for BlockingFuture<F> {}

impl<F: FnOnce() -> R, R> Future for BlockingFuture<F> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<R> {
        let f = self.0.take().expect("a blocking closure is called once");
        Poll::Ready(f())
    }
}

/// The scheduler of blocking closures: their one `Runnable` is the pool's job, they wait for
/// nothing, and no registry knows them.
pub(crate) struct Unstarted;

impl Schedule for Unstarted {
    fn schedule(&self, task: Runnable) {
        // Only an abort wakes a closure, and while it is queued its `Runnable` sees the abort.
        task.cancel();
    }

    fn release(&self, _task: &TaskRef) -> Option<TaskRef> {
        None
    }
}
