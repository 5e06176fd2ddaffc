//! The right to end somebody else's task.

use crate::id::Id;
use crate::task_ref::TaskRef;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};

/// Aborts a task from anywhere. It does not keep the task from ending, nor its output.
pub struct AbortHandle {
    task: TaskRef,
}

impl AbortHandle {
    #[inline]
    pub(crate) fn new(task: TaskRef) -> Self {
        Self { task }
    }

    /// Aborts the task: its future is dropped where it would be polled next, and its join handle
    /// gets a [`JoinError`](crate::JoinError) that says cancelled, unless the task ends by itself
    /// first. Returns at once.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Whether the task has ended. A task that was aborted may still be about to.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// The number of the task.
    pub fn id(&self) -> Id {
        self.task.id()
    }
}

impl Clone for AbortHandle {
    fn clone(&self) -> Self {
        Self::new(self.task.duplicate())
    }
}

impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("id", &self.id()).finish()
    }
}
