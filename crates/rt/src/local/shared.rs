//! What a set of local tasks and its tasks share: the queues, the registry, the waker of whoever
//! awaits the set.
//!
//! A task that is woken on the set's thread goes to `here`, which that thread alone touches;
//! woken elsewhere, to `inbox`, behind a lock. Only the set's thread takes from either, so that
//! futures are polled and dropped there alone:
//!
//! - a Runnable that another thread holds is pushed to `inbox`, or, once the set is closed, dropped:
//!   `close` has ended every task before, so that it is void, and its drop touches no future;
//! - `close` runs on the set's thread (`LocalSet` is not `Send`), and ends tasks there, also those
//!   whose Runnable is under way elsewhere.
//!
//! A wake-up is not lost: the set leaves its waker before it looks into `inbox`, and who pushes
//! takes the waker after; both under the one lock.

#![allow(unsafe_code)]

use super::current::{self, Relation};
use crate::handle::Id;
use core::cell::UnsafeCell;
use core::future::Future;
use core::panic::Location;
use core::task::Waker;
use shinkan_base::atomics::Mutex;
use shinkan_base::atomics::plain::{AtomicU32, Ordering};
use shinkan_task::{JoinHandle, Registry, RunQueue, Runnable, Schedule, TaskRef};
use std::sync::Arc;

/// The inbox has its turn before the set's own queue once in so many tasks.
const INBOX_FIRST: u32 = 31;

pub(super) struct Shared {
    id: Id,
    owner: u64,
    here: UnsafeCell<RunQueue>,
    inbox: Mutex<Inbox>,
    // How many tasks the set took; the set's thread alone writes it.
    taken: AtomicU32,
    registry: Registry,
}

struct Inbox {
    queue: RunQueue,
    closed: bool,
    waker: Option<Waker>,
}

// SAFETY:
// - `here` is touched through `with_here` alone, whose callers are on the set's thread.
// - all else is Sync by itself.
unsafe impl Sync for Shared {}

/// What each task of a set keeps of it.
struct Scheduler(Arc<Shared>);

impl Shared {
    pub(super) fn new(owner: u64) -> Self {
        Self {
            id: Id::next(),
            owner,
            here: UnsafeCell::new(RunQueue::new()),
            inbox: Mutex::new(Inbox { queue: RunQueue::new(), closed: false, waker: None }),
            taken: AtomicU32::new(0),
            registry: Registry::new(1),
        }
    }

    pub(super) fn id(&self) -> Id {
        self.id
    }

    /// The number of the set's thread.
    #[inline]
    pub(super) fn owner(&self) -> u64 {
        self.owner
    }

    pub(super) fn is_empty(&self) -> bool {
        self.registry.is_empty()
    }

    /// Makes a task and queues it. On a closed set it is cancelled at once.
    ///
    /// # Panics
    /// On another thread than the set's.
    pub(super) fn spawn<F>(
        this: &Arc<Self>,
        future: F,
        place: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        assert!(current::thread() == this.owner, "a `LocalSet` was used on another thread");
        let id = shinkan_task::Id::next();
        let scheduler = Scheduler(this.clone());
        // SAFETY:
        // - run here alone: Runnables lie in `here` and `inbox`, which only `next` and `close`
        //   empty, on the set's thread, which is this one (the assertion).
        // - ended before the last reference goes: the registry holds one until the task ends or
        //   `close` ends it; a set that is leaked keeps its registry.
        let (runnable, task, handle) =
            unsafe { shinkan_task::spawn_local(future, scheduler, id, place) };
        match this.registry.insert(task) {
            Ok(()) => Self::schedule(this, runnable),
            Err(task) => {
                runnable.cancel();
                drop(task);
            }
        }
        handle
    }

    fn schedule(this: &Arc<Self>, task: Runnable) {
        match current::relation(this) {
            // SAFETY: the set's thread polls it.
            Relation::Polls => unsafe { this.with_here(|here| here.push_back(task)) },
            Relation::Owns => {
                // SAFETY: the set's thread.
                unsafe { this.with_here(|here| here.push_back(task)) };
                this.wake();
            }
            Relation::Foreign => {
                let mut inbox = this.inbox.lock();
                if inbox.closed {
                    drop(inbox);
                    // Void: `close` has ended the task.
                    drop(task);
                    return;
                }
                inbox.queue.push_back(task);
                let waker = inbox.waker.take();
                drop(inbox);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }

    /// Wakes whoever awaits the set.
    pub(super) fn wake(&self) {
        let waker = self.inbox.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Leaves the waker of whoever awaits the set.
    pub(super) fn register(&self, waker: &Waker) {
        let known = self.inbox.lock().waker.as_ref().is_some_and(|old| old.will_wake(waker));
        if known {
            return;
        }
        // Cloned and dropped outside the lock: a waker's code is not ours.
        let waker = waker.clone();
        let old = self.inbox.lock().waker.replace(waker);
        drop(old);
    }

    /// The task that runs next. Called on the set's thread.
    pub(super) fn next(&self) -> Option<Runnable> {
        let taken = self.taken.load(Ordering::Relaxed);
        self.taken.store(taken.wrapping_add(1), Ordering::Relaxed);
        if taken.is_multiple_of(INBOX_FIRST) {
            self.next_of_inbox().or_else(|| self.next_here())
        } else {
            self.next_here().or_else(|| self.next_of_inbox())
        }
    }

    fn next_here(&self) -> Option<Runnable> {
        // SAFETY: called by `next` and `close` alone, which the set calls on its thread.
        unsafe { self.with_here(RunQueue::pop_front) }
    }

    fn next_of_inbox(&self) -> Option<Runnable> {
        self.inbox.lock().queue.pop_front()
    }

    /// Ends all tasks and refuses new ones. Called on the set's thread.
    pub(super) fn close(&self) {
        // First, so that each Runnable below, and each that is still under way, is void.
        self.registry.close_and_shutdown();
        while let Some(task) = self.next_here() {
            drop(task);
        }
        let (queue, waker) = {
            let mut inbox = self.inbox.lock();
            inbox.closed = true;
            (core::mem::take(&mut inbox.queue), inbox.waker.take())
        };
        drop(queue);
        drop(waker);
    }

    /// # Safety
    /// Called on the set's thread. `f` runs no code of users.
    #[inline]
    unsafe fn with_here<R>(&self, f: impl FnOnce(&mut RunQueue) -> R) -> R {
        // SAFETY:
        // - one thread alone (the caller's word), and `f` does not come back here.
        f(unsafe { &mut *self.here.get() })
    }
}

impl Schedule for Scheduler {
    fn schedule(&self, task: Runnable) {
        Shared::schedule(&self.0, task);
    }

    fn release(&self, task: &TaskRef) -> Option<TaskRef> {
        self.0.registry.remove(task)
    }
}
