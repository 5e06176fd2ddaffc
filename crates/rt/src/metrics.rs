//! What a runtime counts about itself.

use crate::handle::Handle;
use crate::shared::Flavor;
use core::time::Duration;
use shinkan_base::atomics::plain::Ordering;

/// Numbers of a runtime at this moment. Those of several workers are read one after the other, so
/// they need not fit together to the last one.
#[derive(Clone, Debug)]
pub struct RuntimeMetrics {
    handle: Handle,
}

impl RuntimeMetrics {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
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
        self.handle.shared().registry.len()
    }

    /// Tasks in the queue for what comes from outside the workers.
    pub fn global_queue_depth(&self) -> usize {
        self.handle.shared().inject.len()
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
        self.handle.shared().remote_schedules.load(Ordering::Relaxed)
    }

    /// How often a task was made to yield because its budget was used up, in this process.
    pub fn budget_forced_yield_count(&self) -> u64 {
        shinkan_context::budget::forced_yield_count()
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

    /// How often worker `worker` went to sleep.
    ///
    /// # Panics
    /// If there is no such worker.
    #[track_caller]
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) => multi.slots[worker].counters.parks(),
            Flavor::Current(current) => {
                assert_eq!(worker, 0, "a current-thread runtime has one worker");
                current.parks.load(Ordering::Relaxed)
            }
        }
    }

    /// How often worker `worker` went to sleep and how often it came back, together: even while it
    /// is awake.
    ///
    /// # Panics
    /// If there is no such worker.
    #[track_caller]
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) => multi.slots[worker].counters.park_unparks(),
            Flavor::Current(current) => {
                assert_eq!(worker, 0, "a current-thread runtime has one worker");
                let parks = current.parks.load(Ordering::Relaxed);
                parks + current.unparks.load(Ordering::Relaxed)
            }
        }
    }

    /// How often worker `worker` polled a task.
    ///
    /// # Panics
    /// If there is no such worker.
    #[track_caller]
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) => multi.slots[worker].counters.polls(),
            Flavor::Current(current) => {
                assert_eq!(worker, 0, "a current-thread runtime has one worker");
                current.polls.load(Ordering::Relaxed)
            }
        }
    }

    /// Tasks that worker `worker` took from others. 0 on a current-thread runtime.
    ///
    /// # Panics
    /// If there is no such worker.
    #[track_caller]
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) => multi.slots[worker].counters.steals(),
            Flavor::Current(_) => 0,
        }
    }

    /// Tasks in worker `worker`'s own queue.
    ///
    /// # Panics
    /// If there is no such worker.
    #[track_caller]
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) => multi.slots[worker].stealer.len(),
            Flavor::Current(_) => 0,
        }
    }

    /// How long worker `worker` was awake, up to when it last went to sleep.
    ///
    /// # Panics
    /// If there is no such worker.
    #[track_caller]
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        match &self.handle.shared().flavor {
            Flavor::Multi(multi) => multi.slots[worker].counters.busy(),
            Flavor::Current(current) => {
                assert_eq!(worker, 0, "a current-thread runtime has one worker");
                Duration::from_nanos(current.busy_ns.load(Ordering::Relaxed))
            }
        }
    }
}
