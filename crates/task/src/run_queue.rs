//! A queue of Runnables through the link in their headers: pushing allocates nothing.
//! Has no lock of its own.

use crate::header::Ptr;
use crate::runnable::Runnable;
use core::fmt;

/// A queue, first in, first out. Dropped, it cancels the tasks that are left.
#[derive(Default)]
pub struct RunQueue {
    head: Option<Ptr>,
    tail: Option<Ptr>,
    len: usize,
}

// SAFETY: it owns Runnables, which are `Send`.
unsafe impl Send for RunQueue {}
// SAFETY: a shared borrow reads the length alone.
unsafe impl Sync for RunQueue {}

impl RunQueue {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { head: None, tail: None, len: 0 }
    }

    /// Puts a task behind all others.
    #[inline]
    pub fn push_back(&mut self, task: Runnable) {
        let task = task.into_ptr();
        set_next(task, None);
        match self.tail {
            None => self.head = Some(task),
            Some(tail) => set_next(tail, Some(task)),
        }
        self.tail = Some(task);
        self.len += 1;
    }

    /// Takes the oldest task.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Runnable> {
        let task = self.head?;
        self.head = next(task);
        if self.head.is_none() {
            self.tail = None;
        }
        self.len -= 1;
        // SAFETY: `push_back` took it from a Runnable, and it left the queue just now.
        Some(unsafe { Runnable::from_ptr(task) })
    }

    /// Puts all tasks of the other queue, in their order, behind those of this one.
    #[inline]
    pub fn append(&mut self, other: &mut Self) {
        let other = core::mem::take(other);
        match self.tail {
            None => self.head = other.head,
            Some(tail) => set_next(tail, other.head),
        }
        self.tail = other.tail.or(self.tail);
        self.len += other.len;
        core::mem::forget(other);
    }

    /// How many tasks are in it.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The link of a task whose Runnable is the queue's.
#[inline(always)]
fn next(task: Ptr) -> Option<Ptr> {
    // SAFETY: a queued task's Runnable holds a reference.
    let header = unsafe { task.as_ref() };
    // SAFETY: the link belongs to the Runnable's holder, the queue.
    header.next.with(|next| unsafe { *next })
}

#[inline(always)]
fn set_next(task: Ptr, to: Option<Ptr>) {
    // SAFETY: a queued task's Runnable holds a reference.
    let header = unsafe { task.as_ref() };
    // SAFETY: the link belongs to the Runnable's holder, the queue.
    header.next.with_mut(|next| unsafe { *next = to });
}

impl Drop for RunQueue {
    fn drop(&mut self) {
        while let Some(task) = self.pop_front() {
            task.cancel();
        }
    }
}

impl fmt::Debug for RunQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunQueue").field("len", &self.len).finish()
    }
}
