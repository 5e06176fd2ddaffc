//! The right to poll a task once.

use crate::header::{Header, Ptr};
use crate::id::Id;
use crate::origin::Tag;
use crate::outcome::{Begin, Completer};
use core::fmt;
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::ptr::NonNull;
use shinkan_base::place::PlaceWord;
use shinkan_base::ring::Item;

/// A task that waits for a worker. There is one at most of each task.
///
/// Dropped, it cancels the task: nobody else could run it.
#[must_use = "a Runnable that is dropped cancels its task"]
pub struct Runnable {
    task: Ptr,
}

// SAFETY:
// - it is the right to the future, which `spawn` asks to be `Send`; `spawn_local`'s caller keeps
//   the thread.
unsafe impl Send for Runnable {}
// SAFETY: a shared borrow reads number and place alone.
unsafe impl Sync for Runnable {}

impl Runnable {
    /// # Safety
    /// The state says that the task is queued, and one reference is the new value's.
    #[inline]
    pub(crate) unsafe fn from_ptr(task: Ptr) -> Self {
        Self { task }
    }

    #[inline]
    pub(crate) fn into_ptr(self) -> Ptr {
        ManuallyDrop::new(self).task
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: our reference keeps the task alive.
        unsafe { self.task.as_ref() }
    }

    /// Polls the task once, and ends it if it is done. Panics of user code stay inside. A task
    /// that was aborted has its future dropped instead; one that was shut down meanwhile is let go.
    ///
    /// The caller sets the budget.
    #[inline]
    pub fn run(self) {
        let task = self.into_ptr();
        // SAFETY: the Runnable's reference is ours now.
        let header = unsafe { task.as_ref() };
        match header.state.begin() {
            // SAFETY: `begin` gave us the future.
            Begin::Poll => unsafe { (header.vtable.poll)(task) },
            // SAFETY: as above.
            Begin::Cancel => unsafe { (header.vtable.cancel)(task, Completer::Poller) },
            // SAFETY: `begin` said so.
            Begin::Void => unsafe { give_back_slow(task) },
        }
    }

    /// Drops the future instead of polling it; the join handle gets a `JoinError`.
    pub fn cancel(self) {
        drop(self);
    }

    /// The task's number.
    #[inline]
    pub fn id(&self) -> Id {
        Id::of(self.header())
    }

    /// The number as such; for each poll, without a look whether it is one.
    #[inline(always)]
    pub fn number(&self) -> u64 {
        self.header().frame.id
    }

    /// Where the task was spawned.
    #[inline]
    pub fn place(&self) -> &'static Location<'static> {
        self.header().origin.place()
    }

    /// The word of the task's origin: its place, or tagged where it has a tag.
    #[inline(always)]
    pub fn place_word(&self) -> PlaceWord {
        self.header().origin.word()
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
}

impl Drop for Runnable {
    fn drop(&mut self) {
        let task = self.task;
        // SAFETY: the reference is ours; it ends below, in each branch.
        let header = unsafe { task.as_ref() };
        match header.state.begin() {
            // SAFETY: `begin` gave us the future.
            Begin::Poll | Begin::Cancel => unsafe {
                (header.vtable.cancel)(task, Completer::Poller);
            },
            // SAFETY: `begin` said so.
            Begin::Void => unsafe { give_back_slow(task) },
        }
    }
}

/// # Safety
/// `begin` answered `Void`; the Runnable's reference is the caller's.
#[cold]
unsafe fn give_back_slow(task: Ptr) {
    // SAFETY: the reference keeps the task alive until it ends here.
    let header = unsafe { task.as_ref() };
    if header.state.give_back() {
        // SAFETY: it was the last one.
        unsafe { (header.vtable.free)(task) };
    }
}

// SAFETY: the pointer is all there is, and a Runnable may go to any thread.
unsafe impl Item for Runnable {
    #[inline(always)]
    fn into_raw(self) -> NonNull<()> {
        self.into_ptr().cast()
    }

    #[inline(always)]
    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Self { task: raw.cast() }
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runnable").field("id", &self.id()).finish()
    }
}
