//! Decides where a woken task goes. Called by `task`'s wakers on any thread.
//!
//! Never polls, never allocates. On a worker of the task's own runtime it goes into the LIFO slot,
//! from where it displaces the one before it into the worker's queue; from anywhere else into the
//! inject queue. A sleeper is woken only where a queue that was empty no longer is, and nobody
//! searches: the searcher will find it.
//! Rejected: waking at each push. Three of Tokio's upstream changes that woke more were reverted.

use crate::core::{Core, Inside};
use crate::seated::{self, Seated};
use crate::shared::{Flavor, Shared};
use shinkan_task::{RunQueue, Runnable};

impl Shared {
    /// Queues a task that may run. `behind`: it goes behind all others, for it has just run.
    #[inline]
    pub(crate) fn schedule(&self, task: Runnable, behind: bool) {
        let left = seated::with(|seated| match seated {
            Some(Seated::Multi(worker)) if worker.handle.is(self) => match worker.enter() {
                Some(inside) => {
                    self.push_local(inside, task, behind);
                    None
                }
                None => Some(task),
            },
            Some(Seated::Current(worker)) if worker.handle.is(self) => {
                worker.push(task, behind);
                None
            }
            _ => Some(task),
        });
        if let Some(task) = left {
            self.push_inject(task);
        }
    }

    #[inline]
    fn push_local(&self, mut inside: Inside<'_>, task: Runnable, behind: bool) {
        let core = &mut *inside;
        if behind || !self.config.lifo {
            // The pusher itself runs it next if the queue was empty: waking a thief for a lone
            // task that yields would only carry it from cache to cache.
            let wake = self.push_queue(core, task) && !behind;
            drop(inside);
            return self.wake_if(wake);
        }
        let Some(displaced) = core.lifo.replace(task) else { return };
        let wake = self.push_queue(core, displaced);
        drop(inside);
        self.wake_if(wake);
    }

    #[inline]
    fn wake_if(&self, wake: bool) {
        if wake {
            self.idle().wake_one(&self.driver);
        }
    }

    /// Puts a task behind the worker's others. True: a thief could take it and could not before.
    #[inline]
    pub(crate) fn push_queue(&self, core: &mut Core, task: Runnable) -> bool {
        match core.local.push(task) {
            Ok(pushed) => pushed.was_empty,
            Err(task) => self.push_overflow(core, task),
        }
    }

    #[cold]
    fn push_overflow(&self, core: &mut Core, task: Runnable) -> bool {
        let mut batch = RunQueue::new();
        core.local.take_half(|task| batch.push_back(task));
        batch.push_back(task);
        self.count_overflow();
        // Closed: the runtime ends, and dropping the batch would drop futures while we are
        // inside. The queue has room now, and the worker empties it when it sees the end.
        if let Err(mut batch) = self.inject.push_all(batch) {
            while let Some(task) = batch.pop_front() {
                if let Err(task) = core.local.push(task) {
                    // Cannot be: half of the queue is free. Never lose a task for it.
                    core.lifo.replace(task);
                }
            }
        }
        true
    }

    /// Queues a task from outside the workers.
    pub(crate) fn push_inject(&self, task: Runnable) {
        self.count_remote();
        match self.inject.push(task) {
            Ok(()) => {
                self.idle().wake_one(&self.driver);
            }
            // The runtime has ended: the task's future is dropped here, outside every lock.
            Err(task) => self.inject.cancel(task),
        }
    }

    /// Whether a worker that is about to sleep would find something.
    pub(crate) fn has_work(&self) -> bool {
        match &self.flavor {
            Flavor::Current(_) => !self.inject.is_empty(),
            Flavor::Multi(multi) => {
                !self.inject.is_empty() || multi.slots.iter().any(|slot| !slot.stealer.is_empty())
            }
        }
    }
}
