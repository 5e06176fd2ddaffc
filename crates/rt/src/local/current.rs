//! Which set of local tasks this thread is in. The thread-local holds a pointer; this file alone
//! reads it.
//!
//! The pointer owns a count of its `Rc`, and each guard owns what it found. So guards may be
//! dropped in any order: a set that is left too early or too late is the wrong one, never one that
//! is gone. It has no destructor, so that it works while other thread-locals are dropped.

#![allow(unsafe_code)]

use super::attended::Attended;
use super::shared::Shared;
use crate::handle::Id;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// A set, as its thread has it.
pub(super) struct Context {
    pub(super) shared: Arc<Shared>,
    pub(super) attended: Attended,
}

/// How a thread came to be in a set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The set is being polled, and looks at its queue before it ends.
    Polled,
    /// By a guard: the set sleeps, and must be woken for new work.
    OnlyEntered,
}

/// What a thread is to a set.
pub(super) enum Relation {
    /// It polls the set.
    Polls,
    /// It made the set, and may touch its queue.
    Owns,
    /// It is another thread.
    Foreign,
}

struct Current {
    context: Cell<*const Context>,
    how: Cell<How>,
    // This thread's number; 0 until it is asked for.
    thread: Cell<u64>,
}

thread_local! {
    static CURRENT: Current = const {
        Current {
            context: Cell::new(ptr::null()),
            how: Cell::new(How::Polled),
            thread: Cell::new(0),
        }
    };
}

thread_local! {
    // The sets of the local runtimes that this thread made.
    static OWNED: RefCell<Vec<(Id, Weak<Context>)>> = const { RefCell::new(Vec::new()) };
}

/// Says that a runtime's local tasks are those of a set, until it is dropped.
pub(super) struct Owner(Id);

/// The set is the one for the local tasks of a runtime that this thread made.
pub(super) fn own(runtime: Id, context: &Rc<Context>) -> Owner {
    OWNED.with_borrow_mut(|owned| owned.push((runtime, Rc::downgrade(context))));
    Owner(runtime)
}

/// The set for the local tasks of a runtime, if this thread made it.
pub(super) fn owned(runtime: Id) -> Option<Rc<Context>> {
    let find = |owned: &RefCell<Vec<(Id, Weak<Context>)>>| {
        owned.borrow().iter().find(|(id, _)| *id == runtime).and_then(|(_, set)| set.upgrade())
    };
    // While the thread ends it owns none.
    OWNED.try_with(find).ok().flatten()
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = OWNED.try_with(|owned| owned.borrow_mut().retain(|(id, _)| *id != self.0));
    }
}

/// Makes a [`LocalSet`](super::LocalSet) this thread's while it lives: see
/// [`LocalSet::enter`](super::LocalSet::enter).
pub struct LocalEnterGuard {
    previous: Option<Rc<Context>>,
    how: How,
}

/// A number that no other thread of this process has or had.
#[inline]
pub(super) fn thread() -> u64 {
    CURRENT.with(|current| match current.thread.get() {
        0 => first_number(current),
        thread => thread,
    })
}

#[cold]
fn first_number(current: &Current) -> u64 {
    static THREADS: AtomicU64 = AtomicU64::new(1);
    let thread = THREADS.fetch_add(1, Ordering::Relaxed);
    current.thread.set(thread);
    thread
}

/// Makes a set this thread's while the guard lives.
pub(super) fn enter(context: Rc<Context>, how: How) -> LocalEnterGuard {
    let how = CURRENT.with(|current| current.how.replace(how));
    LocalEnterGuard { previous: replace(Some(context)), how }
}

impl Drop for LocalEnterGuard {
    fn drop(&mut self) {
        CURRENT.with(|current| current.how.set(self.how));
        drop(replace(self.previous.take()));
    }
}

impl fmt::Debug for LocalEnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnterGuard").finish_non_exhaustive()
    }
}

fn replace(context: Option<Rc<Context>>) -> Option<Rc<Context>> {
    let new = context.map_or(ptr::null(), Rc::into_raw);
    let old = CURRENT.with(|current| current.context.replace(new));
    if old.is_null() {
        return None;
    }
    // SAFETY:
    // - from `Rc::into_raw`, above, on this thread.
    // - its count is ours: the cell gave it up just now.
    Some(unsafe { Rc::from_raw(old) })
}

/// The set that this thread is in.
pub(super) fn get() -> Option<Rc<Context>> {
    let context = CURRENT.with(|current| current.context.get());
    if context.is_null() {
        return None;
    }
    // SAFETY:
    // - from `Rc::into_raw` in `replace`, and the cell still owns the count.
    // - that count stays the cell's: `ManuallyDrop` never gives it back.
    let context = ManuallyDrop::new(unsafe { Rc::from_raw(context) });
    Some(Rc::clone(&context))
}

/// What this thread is to a set.
#[inline]
pub(super) fn relation(shared: &Shared) -> Relation {
    CURRENT.with(|current| {
        let context = current.context.get();
        // SAFETY: null, or from `Rc::into_raw` in `replace`, and the cell owns a count.
        let inside = unsafe { context.as_ref() }
            .is_some_and(|context| ptr::eq(Arc::as_ptr(&context.shared), shared));
        if inside && current.how.get() == How::Polled {
            Relation::Polls
        } else if thread() == shared.owner() {
            Relation::Owns
        } else {
            Relation::Foreign
        }
    })
}
