//! What a task asks of the scheduler that runs it.

use crate::runnable::Runnable;
use crate::task_ref::TaskRef;
use core::ptr::NonNull;

/// The scheduler's handle, of which each task keeps one.
///
/// None of these may panic: they are called between two states of a task.
pub trait Schedule: Send + Sync + Sized + 'static {
    /// A wake-up made the task runnable. Not called for the first time: `spawn` returns that
    /// Runnable. Called on any thread.
    fn schedule(&self, task: Runnable);

    /// The task was woken while it was polled: it goes behind the others. Called where it was
    /// polled.
    fn yield_now(&self, task: Runnable) {
        self.schedule(task);
    }

    /// The task has ended: take it out of the registry and give that reference back, so that it
    /// ends together with the task's own. Called before its join handle can see the end.
    fn release(&self, task: &TaskRef) -> Option<TaskRef>;

    /// The task's poll panicked.
    fn unhandled_panic(&self) {}

    /// An address by which the scheduler knows its own tasks, for [`runnable_of`](crate::runnable_of);
    /// nothing where nobody but it may have their Runnables.
    #[inline]
    fn home(&self) -> Option<NonNull<()>> {
        None
    }

    /// The same handle once more, if that costs nothing: a plain copy, without a counter. Without
    /// it, a task that is handed over pays two atomic steps to keep the one inside it alive.
    #[inline]
    fn copy(&self) -> Option<Self> {
        None
    }
}
