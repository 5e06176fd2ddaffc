//! What a runtime counts about itself.
//!
//! Each worker writes its own numbers, by plain stores; they are added up where they are asked for.

mod histograms;

use crate::handle::Handle;
use crate::measures::Measures;
use crate::shared::Flavor;
use core::time::Duration;
use shinkan_base::atomics::plain::Ordering;
use shinkan_probe::Counters;
use std::sync::Weak;
use std::thread::ThreadId;

/// Numbers of a runtime at this moment. Those of several workers are read one after the other, so
/// they need not fit together to the last one. It keeps the runtime's memory, not the runtime.
///
/// Workers are numbered from 0; methods with a `worker` panic where there is no such worker. A
/// current-thread runtime has the one worker 0: whoever is inside `block_on`. The tasks of a
/// `LocalSet` are not counted, nor are closures of `spawn_blocking`, unless a method says so.
///
/// # Examples
/// ```
/// let runtime = shinkan_rt::Runtime::new()?;
/// let metrics = runtime.metrics();
/// runtime.block_on(runtime.spawn(async {})).unwrap();
/// assert_eq!(metrics.spawned_tasks_count(), 1);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
pub struct RuntimeMetrics {
    handle: Handle,
}

impl RuntimeMetrics {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// What worker `worker` writes.
    #[track_caller]
    fn worker(&self, worker: usize) -> (&Counters, &Measures) {
        let workers = self.num_workers();
        assert!(
            worker < workers,
            "there is no worker {worker}: the runtime has {workers}, the first of which is 0"
        );
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) => {
                let slot = &multi.slots[worker];
                (&slot.counters, &slot.measures)
            }
            Flavor::Current(current) => (&current.counters, &current.measures),
        }
    }

    fn workers(&self) -> impl Iterator<Item = (&Counters, &Measures)> {
        (0..self.num_workers()).map(|worker| self.worker(worker))
    }

    /// Tasks of a local runtime that live, and that were ever spawned. Once the runtime has ended,
    /// nobody knows of them any more.
    fn local_tasks(&self) -> (usize, u64) {
        let local = self.handle.shared().local.get().and_then(Weak::upgrade);
        local.map_or((0, 0), |local| local.counts())
    }

    /// Workers: 1 for a current-thread runtime.
    pub fn num_workers(&self) -> usize {
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) => multi.slots.len(),
            Flavor::Current(_) => 1,
        }
    }

    /// Tasks that were spawned and have not ended.
    pub fn num_alive_tasks(&self) -> usize {
        self.handle.shared().registry.len() + self.local_tasks().0
    }

    /// The older name of [`RuntimeMetrics::num_alive_tasks`].
    #[deprecated = "renamed to `num_alive_tasks`"]
    pub fn active_tasks_count(&self) -> usize {
        self.num_alive_tasks()
    }

    /// Tasks that were spawned, ever.
    pub fn spawned_tasks_count(&self) -> u64 {
        self.handle.shared().registry.inserted() + self.local_tasks().1
    }

    /// Tasks in the queue for what comes from outside the workers.
    pub fn global_queue_depth(&self) -> usize {
        self.handle.shared().inject.len()
    }

    /// The older name of [`RuntimeMetrics::global_queue_depth`].
    #[deprecated = "renamed to `global_queue_depth`"]
    #[doc(hidden)]
    pub fn injection_queue_depth(&self) -> usize {
        self.global_queue_depth()
    }

    /// Threads of the pool that hold no core.
    pub fn num_blocking_threads(&self) -> usize {
        self.handle.shared().blocking.counts().0
    }

    /// Threads of the pool that wait for work.
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.handle.shared().blocking.counts().1
    }

    /// Blocking closures that wait for a thread.
    pub fn blocking_queue_depth(&self) -> usize {
        self.handle.shared().blocking.counts().2
    }

    /// Tasks that were queued from outside the workers.
    pub fn remote_schedule_count(&self) -> u64 {
        self.handle.shared().inject.pushed()
    }

    /// Polls, of tasks and of what is inside `block_on`, that used up their budget and so gave way
    /// to others.
    pub fn budget_forced_yield_count(&self) -> u64 {
        self.handle.shared().forced_yields.load(Ordering::Relaxed)
    }

    /// Descriptors that were registered with the runtime, ever.
    pub fn io_driver_fd_registered_count(&self) -> u64 {
        self.handle.shared().driver.io().registrations().1
    }

    /// Descriptors that were registered with the runtime and are not any more.
    pub fn io_driver_fd_deregistered_count(&self) -> u64 {
        let (now, ever) = self.handle.shared().driver.io().registrations();
        ever.saturating_sub(u64::from(now))
    }

    /// Events of descriptors that the kernel has reported.
    pub fn io_driver_ready_count(&self) -> u64 {
        self.workers().map(|(_, measures)| measures.ready()).sum()
    }

    /// Cores that were taken from a worker in user code.
    pub fn seizure_count(&self) -> u64 {
        self.handle.shared().seizures.load(Ordering::Relaxed)
    }

    /// How many workers sleep without having been rung for, and how many search.
    #[doc(hidden)]
    pub fn idle_counts(&self) -> (u32, u32) {
        let idle = self.handle.shared().idle();
        (idle.sleepers(), idle.searchers())
    }

    /// The thread that is worker `worker`, or was it last; nothing where it has not started.
    #[track_caller]
    pub fn worker_thread_id(&self, worker: usize) -> Option<ThreadId> {
        self.worker(worker).1.thread()
    }

    /// How often worker `worker` went to sleep.
    #[track_caller]
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.worker(worker).0.parks()
    }

    /// How often worker `worker` went to sleep and how often it came back, together: even while it
    /// is awake.
    #[track_caller]
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        self.worker(worker).0.park_unparks()
    }

    /// How often worker `worker` went to sleep without having polled a task since the last time.
    #[track_caller]
    pub fn worker_noop_count(&self, worker: usize) -> u64 {
        self.worker(worker).0.noops()
    }

    /// How often worker `worker` polled a task.
    #[track_caller]
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        let (counters, _) = self.worker(worker);
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) => multi.slots[worker].polls(),
            Flavor::Current(_) => counters.polls(),
        }
    }

    /// How long worker `worker`'s polls of tasks took of late, on average, with what it does
    /// between them. It follows the last few dozen polls, and is brought up to date when the worker
    /// goes to sleep. Zero on a current-thread runtime, as in Tokio.
    #[track_caller]
    pub fn worker_mean_poll_time(&self, worker: usize) -> Duration {
        let mean = self.worker(worker).1.mean_poll();
        match &self.handle.shared().flavor {
            Flavor::Multi(_) => mean,
            Flavor::Current(_) => Duration::ZERO,
        }
    }

    /// Tasks that worker `worker` took from others. 0 on a current-thread runtime.
    #[track_caller]
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        self.worker(worker).0.steals()
    }

    /// How often worker `worker` took tasks from others, one or more. 0 on a current-thread runtime.
    #[track_caller]
    pub fn worker_steal_operations(&self, worker: usize) -> u64 {
        self.worker(worker).0.steal_operations()
    }

    /// Tasks that worker `worker` put into its own queue.
    #[track_caller]
    pub fn worker_local_schedule_count(&self, worker: usize) -> u64 {
        self.worker(worker).0.local_schedules()
    }

    /// How often worker `worker`'s queue was full, so that half of it went to the one for all.
    #[track_caller]
    pub fn worker_overflow_count(&self, worker: usize) -> u64 {
        self.worker(worker).0.overflows()
    }

    /// Tasks in worker `worker`'s own queue; the one that it runs next is not counted among them.
    #[track_caller]
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) if worker < multi.slots.len() => multi.slots[worker].stealer.len(),
            _ => {
                let (counters, measures) = self.worker(worker);
                measures.depth(counters)
            }
        }
    }

    /// How long worker `worker` was awake, up to when it last went to sleep.
    #[track_caller]
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.worker(worker).0.busy()
    }
}
