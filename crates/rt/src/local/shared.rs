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
//! A wake-up is not lost: see `inbox`.

#![allow(unsafe_code)]

use super::current::{self, Relation};
use super::inbox::Inbox;
use crate::handle::{Handle, Id};
use core::cell::UnsafeCell;
use core::future::Future;
use core::panic::Location;
use core::task::Waker;
use shinkan_base::atomics::plain::{AtomicBool, AtomicU32, Ordering};
use shinkan_task::{JoinHandle, Origin, Registry, RunQueue, Runnable, Schedule, TaskRef};
use shinkan_trace::TaskSpan;
use std::sync::{Arc, OnceLock};

/// The inbox has its turn before the set's own queue once in so many tasks.
const INBOX_FIRST: u32 = 31;

pub(crate) struct Shared {
    id: Id,
    owner: u64,
    here: UnsafeCell<RunQueue>,
    inbox: Inbox<RunQueue>,
    // How many tasks the set took; the set's thread alone writes it.
    taken: AtomicU32,
    registry: Registry,
    // The local runtime whose tasks these are; a set by itself has none.
    runtime: OnceLock<Handle>,
    ends_on_panic: AtomicBool,
    panicked: AtomicBool,
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
            inbox: Inbox::new(RunQueue::new()),
            taken: AtomicU32::new(0),
            registry: Registry::new(1),
            runtime: OnceLock::new(),
            ends_on_panic: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
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

    /// The tasks are those of a local runtime: its hooks and its metrics know of them.
    pub(super) fn belong_to(&self, runtime: &Handle) {
        let first = self.runtime.set(runtime.clone()).is_ok();
        assert!(first, "a set of local tasks was given to two runtimes");
    }

    pub(super) fn end_on_panic(&self, yes: bool) {
        self.ends_on_panic.store(yes, Ordering::Relaxed);
    }

    /// Whether a panic ended the set.
    #[inline]
    pub(super) fn panicked(&self) -> bool {
        self.panicked.load(Ordering::Relaxed)
    }

    /// Whether nobody but the set panics where one of its tasks did.
    pub(super) fn is_alone(&self) -> bool {
        self.runtime.get().is_none()
    }

    /// How many tasks live, and how many were ever spawned.
    pub(crate) fn counts(&self) -> (usize, u64) {
        (self.registry.len(), self.registry.inserted())
    }

    /// Polls a task. Called on the set's thread.
    #[inline]
    pub(super) fn run(&self, task: Runnable) {
        match self.runtime.get().map(Handle::shared) {
            None => task.run(),
            Some(runtime) => crate::current::poll_local(runtime, task),
        }
    }

    /// Makes a task and queues it. On a closed set it is cancelled at once.
    ///
    /// # Panics
    /// On another thread than the set's.
    pub(super) fn spawn<F>(
        this: &Arc<Self>,
        future: F,
        name: Option<&str>,
        place: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        assert!(current::thread() == this.owner, "a `LocalSet` was used on another thread");
        let id = shinkan_task::Id::next();
        let scheduler = Scheduler(this.clone());
        let origin = match this.runtime.get().map(Handle::shared) {
            Some(runtime) => {
                let origin = runtime.origin(place, name);
                runtime.hooks.spawned(id, &origin);
                origin
            }
            None if name.is_some() => Origin::tagged(place, name),
            None => Origin::from(place),
        };
        let span = TaskSpan::task::<F>("local", name, id.as_u64(), place);
        let origin = origin.marked(span.mark());
        let future = span.instrument(future);
        // SAFETY:
        // - run here alone: Runnables lie in `here` and `inbox`, which only `next` and `close`
        //   empty, on the set's thread, which is this one (the assertion).
        // - ended before the last reference goes: the registry holds one until the task ends or
        //   `close` ends it; a set that is leaked keeps its registry.
        let (runnable, task, handle) =
            unsafe { shinkan_task::spawn_local(future, scheduler, id, origin) };
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
        if let Some(runtime) = this.runtime.get() {
            runtime.shared().note_queued(&task);
        }
        match current::relation(this) {
            // SAFETY: the set's thread polls it.
            Relation::Polls => unsafe { this.with_here(|here| here.push_back(task)) },
            Relation::Owns => {
                // SAFETY: the set's thread.
                unsafe { this.with_here(|here| here.push_back(task)) };
                this.wake();
            }
            Relation::Foreign => {
                // What a closed inbox drops is void: `close` has ended the task.
                if let Some(waker) = this.inbox.push(|queue| queue.push_back(task)) {
                    waker.wake();
                }
            }
        }
    }

    /// Wakes whoever awaits the set.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.inbox.take_waker() {
            waker.wake();
        }
    }

    /// Leaves the waker of whoever awaits the set.
    pub(super) fn register(&self, waker: &Waker) {
        self.inbox.register(waker);
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
        self.inbox.pop(RunQueue::pop_front)
    }

    /// Ends all tasks and refuses new ones. Called on the set's thread.
    pub(super) fn close(&self) {
        // First, so that each Runnable below, and each that is still under way, is void.
        self.registry.close_and_shutdown();
        while let Some(task) = self.next_here() {
            drop(task);
        }
        let (queue, waker) = self.inbox.close();
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

    fn unhandled_panic(&self) {
        let runtime = self.0.runtime.get().map(Handle::shared);
        if let Some(runtime) = runtime {
            runtime.panicked();
        }
        let by_runtime = runtime.is_some_and(|runtime| runtime.config.shutdown_on_panic);
        if by_runtime || self.0.ends_on_panic.load(Ordering::Relaxed) {
            self.0.panicked.store(true, Ordering::Relaxed);
        }
    }

    fn release(&self, task: &TaskRef) -> Option<TaskRef> {
        if let Some(runtime) = self.0.runtime.get() {
            runtime.shared().hooks.ended(task);
        }
        self.0.registry.remove(task)
    }
}
