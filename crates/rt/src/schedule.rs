//! Decides where a woken task goes. Called by `task`'s wakers on any thread, and by a worker with the
//! wakers that it harvested.
//!
//! Never polls, and allocates only where a worker keeps more than 64 foreign wakers. On a worker of the
//! task's own runtime it goes into the LIFO slot, from where it displaces the one before it into the
//! worker's queue; from anywhere else into the inject queue. A sleeper is woken only where a queue that
//! was empty no longer is, and nobody searches: the searcher will find it.
//! Rejected: waking at each push. Three of Tokio's upstream changes that woke more were reverted.

use crate::core::{Core, Inside};
use crate::nap;
use crate::seated::{self, Seated};
use crate::shared::{Flavor, Shared};
use core::ptr::NonNull;
use shinkan_base::ring::Pushed;
use shinkan_base::wakers::Wakers;
use shinkan_context as context;
use shinkan_task::{RunQueue, Runnable, runnable_of};

/// Where so many tasks are woken at once, there are many more, and what they touch has left the caches
/// since each ran: a thousand clients of an HTTP server come in batches of twelve.
const COLD_LEAST: u64 = 4;

impl Shared {
    /// Queues a task that may run. `behind`: it goes behind all others, for it has just run.
    #[inline]
    pub(crate) fn schedule(&self, task: Runnable, behind: bool) {
        self.note_queued(&task);
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
        let slot = inside.worker().slot();
        slot.counters.inc_local_schedules();
        let lifo = &slot.lifo;
        let core = &mut *inside;
        if behind && context::take_yield() {
            core.yielded_from.get_or_insert(core.local.end());
        }
        let wake = if behind || !self.config.lifo {
            self.push_queue(core, task, behind)
        } else {
            let Some(displaced) = lifo.put(task) else { return };
            self.push_queue(core, displaced, false)
        };
        drop(inside);
        self.wake_if(wake);
    }

    /// Queues the tasks of these wakers that are this runtime's and asleep, as [`Shared::schedule`] does
    /// one after the other, but under one entry, one fence and one look whom to tell; no user code runs.
    /// The other wakers stay, to be called. True: a thief is to be woken.
    pub(crate) fn queue_woken(&self, inside: &mut Inside<'_>, wakers: &mut Wakers) -> bool {
        let slot = inside.worker().slot();
        let core = &mut **inside;
        let home = NonNull::from(self).cast();
        let mut last: Option<Runnable> = None;
        let (mut woken, mut over) = (0, RunQueue::new());
        let mut queue = core.local.fill();
        wakers.sift(|waker| {
            match runnable_of(waker, home) {
                Err(other) => return Some(other),
                Ok(task) => {
                    self.note_queued(&task);
                    woken += 1;
                    if last.is_none() && self.config.lifo {
                        last = slot.lifo.take();
                    }
                    if let Some(before) = last.replace(task)
                        && let Err(before) = queue.push(before)
                    {
                        over.push_back(before);
                    }
                }
            }
            None
        });
        let pushed = queue.finish();
        let Some(last) = last else { return false };
        slot.counters.add_local_schedules(woken);
        if woken >= COLD_LEAST {
            core.cold = core.local.len() as u32;
        }
        let mut wake = false;
        if let Some(Pushed { was_empty }) = pushed {
            core.unannounced |= was_empty;
            wake = self.announces(core);
        }
        if !over.is_empty() {
            slot.counters.inc_overflows();
            if let Err(mut over) = self.inject.push_all(over) {
                core.refused.append(&mut over);
            }
            wake = true;
        }
        let left = if self.config.lifo { slot.lifo.put(last) } else { Some(last) };
        if let Some(task) = left {
            wake |= self.push_queue(core, task, false);
        }
        wake
    }

    #[inline]
    pub(crate) fn wake_if(&self, wake: bool) {
        if wake {
            self.idle().wake_one(&self.driver);
        }
    }

    /// Puts a task behind the worker's others. True: a thief could take it, and none was told of
    /// the queue since it was empty.
    ///
    /// `quiet`: the pusher itself runs the task next if the queue was empty, so waking a thief for
    /// it would only carry it from cache to cache. The next push finds the queue unannounced. So it
    /// does while what is queued is little and another worker looks by itself in a moment.
    #[inline]
    pub(crate) fn push_queue(&self, core: &mut Core, task: Runnable, quiet: bool) -> bool {
        let was_empty = match core.local.push(task) {
            Ok(pushed) => pushed.was_empty,
            Err(task) => return self.push_overflow(core, task),
        };
        if was_empty {
            core.unannounced = quiet || self.waits_little(core);
            return !core.unannounced;
        }
        self.announces(core)
    }

    /// Whether a thief is to be woken now for what was queued quietly before.
    #[inline]
    pub(crate) fn announces(&self, core: &mut Core) -> bool {
        let now = core.unannounced && !self.waits_little(core);
        core.unannounced &= !now;
        now
    }

    /// Whether what is queued waits no longer than a thief would take to come, and one comes anyway
    /// if it does.
    #[inline]
    fn waits_little(&self, core: &Core) -> bool {
        self.duty.is_on() && core.pace.takes_ns(core.local.len()) <= nap::LITTLE_NS
    }

    #[cold]
    fn push_overflow(&self, core: &mut Core, task: Runnable) -> bool {
        let mut batch = RunQueue::new();
        core.local.take_half(|task| batch.push_back(task));
        batch.push_back(task);
        self.multi().slots[core.index].counters.inc_overflows();
        // Closed: the runtime ends. Dropping the batch would drop futures while we are inside, so
        // it waits for the worker, which cancels it when it sees the end.
        if let Err(mut batch) = self.inject.push_all(batch) {
            core.refused.append(&mut batch);
        }
        true
    }

    /// Queues a task from outside the workers.
    pub(crate) fn push_inject(&self, task: Runnable) {
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
