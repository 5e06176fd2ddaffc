//! A counted reference to a task of any type.

use crate::abort::AbortHandle;
use crate::header::{Header, Ptr};
use crate::id::Id;
use crate::origin::Tag;
use crate::outcome::{Completer, Stage, Wake};
use crate::{header::Hold, waker};
use core::fmt;
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::task::Waker;
use shinkan_base::wait::Wait;

/// The scheduler's reference to a task. [`spawn`](crate::spawn) makes one, and it cannot be
/// cloned: so a task stands in one registry at most.
pub struct TaskRef {
    task: Ptr,
}

// SAFETY:
// - through it only the header is reached, whose fields are atomics, or owned as the state's table
//   says; the future is dropped through it by `shutdown` and by the last reference, and `spawn`
//   asks for `Send`, or `spawn_local`'s caller answers for the thread.
unsafe impl Send for TaskRef {}
// SAFETY: as above.
unsafe impl Sync for TaskRef {}

impl TaskRef {
    /// # Safety
    /// The task is alive, and one reference is the new value's.
    #[inline]
    pub(crate) unsafe fn from_ptr(task: Ptr) -> Self {
        Self { task }
    }

    #[inline]
    pub(crate) fn ptr(&self) -> Ptr {
        self.task
    }

    #[inline]
    pub(crate) fn into_ptr(self) -> Ptr {
        ManuallyDrop::new(self).task
    }

    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: our reference keeps the task alive.
        unsafe { self.task.as_ref() }
    }

    /// One more reference. For the handles of this crate alone: see the type.
    #[inline]
    pub(crate) fn duplicate(&self) -> Self {
        self.header().state.add_ref();
        Self { task: self.task }
    }

    /// The task's number.
    #[inline]
    pub fn id(&self) -> Id {
        Id::of(self.header())
    }

    /// Where the task was spawned.
    #[inline]
    pub fn place(&self) -> &'static Location<'static> {
        self.header().origin.place()
    }

    /// The task's name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.tag().and_then(Tag::name)
    }

    /// What only some tasks have.
    #[inline]
    pub fn tag(&self) -> Option<&Tag> {
        self.header().origin.tag()
    }

    /// What the task waits for, as its last poll left it.
    pub fn wait(&self) -> Option<Wait> {
        self.header().frame.wait.read()
    }

    /// Bytes of the future.
    pub fn size(&self) -> usize {
        self.header().vtable.future_size
    }

    /// Whether the task sleeps, is queued, runs or has ended.
    pub fn stage(&self) -> Stage {
        self.header().state.stage()
    }

    /// Whether the task has ended.
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.header().state.is_done()
    }

    /// A waker of the task, with a reference of its own.
    pub fn waker(&self) -> Waker {
        waker::counted(self.task)
    }

    /// A handle by which others abort the task.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle::new(self.duplicate())
    }

    /// Wakes the task.
    #[inline]
    pub fn wake(&self) {
        // SAFETY: our reference outlives the call.
        unsafe { waker::wake_kept(self.task) };
    }

    /// Has the future dropped where it would be polled next: an idle task is scheduled for it.
    pub fn abort(&self) {
        let header = self.header();
        if header.state.abort() == Wake::Submit {
            // SAFETY: the Runnable's reference was counted; ours outlives the call.
            unsafe { (header.vtable.schedule)(self.task, Hold::Kept) };
        }
    }

    /// Ends the task here and now: its future is dropped by this call, or, if it is being polled
    /// elsewhere, after that poll. A Runnable of it that is in some queue becomes void.
    pub fn shutdown(self) {
        let header = self.header();
        if !header.state.close() {
            return;
        }
        let cancel = header.vtable.cancel;
        let task = self.into_ptr();
        // SAFETY: `close` gave us the future; our reference goes with it.
        unsafe { cancel(task, Completer::Closer) };
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the reference is ours and ends here.
        unsafe { waker::drop_ref(self.task) };
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskRef").field("id", &self.id()).field("stage", &self.stage()).finish()
    }
}
