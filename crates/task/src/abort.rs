//! The right to end somebody else's task.

use crate::header::Ptr;
use crate::id::Id;
use crate::task_ref::TaskRef;
use crate::waker;
use core::fmt;
use core::mem::ManuallyDrop;
use core::panic::{RefUnwindSafe, UnwindSafe};
use shinkan_base::auto;

/// Aborts a task from anywhere. It does not keep the task from ending, nor its output.
pub struct AbortHandle {
    task: Ptr,
}

// SAFETY:
// - it reaches of the task what a `TaskRef` reaches, and no more.
unsafe impl Send for AbortHandle {}
// SAFETY: as above.
unsafe impl Sync for AbortHandle {}

const _: () = {
    auto::sent::<TaskRef>();
    auto::shared::<TaskRef>();
};

impl AbortHandle {
    #[inline]
    pub(crate) fn new(task: TaskRef) -> Self {
        Self { task: task.into_ptr() }
    }

    #[inline]
    fn task(&self) -> ManuallyDrop<TaskRef> {
        // SAFETY: ours is a counted reference; it is lent, not dropped.
        ManuallyDrop::new(unsafe { TaskRef::from_ptr(self.task) })
    }

    /// Aborts the task: its future is dropped where it would be polled next, and its join handle
    /// gets a [`JoinError`](crate::JoinError) that says cancelled, unless the task ends by itself
    /// first. Returns at once.
    pub fn abort(&self) {
        self.task().abort();
    }

    /// Whether the task has ended. A task that was aborted may still be about to.
    pub fn is_finished(&self) -> bool {
        self.task().is_finished()
    }

    /// The number of the task.
    pub fn id(&self) -> Id {
        self.task().id()
    }
}

impl Clone for AbortHandle {
    fn clone(&self) -> Self {
        Self::new(self.task().duplicate())
    }
}

impl Drop for AbortHandle {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and ends here.
        unsafe { waker::drop_ref(self.task) };
    }
}

impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("id", &self.id()).finish()
    }
}
