//! What one worker has done so far.
//!
//! Each counter is raised by a load and a store, not by a read-modify-write: the worker alone
//! writes them. A second writer would lose counts, and nothing worse.

use core::time::Duration;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};

/// The counters of one worker, on cache lines of their own. Each only grows, and starts at 0.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    polls: AtomicU64,
    local_schedules: AtomicU64,
    busy_ns: AtomicU64,
    parks: AtomicU64,
    park_unparks: AtomicU64,
    noops: AtomicU64,
    steals: AtomicU64,
    steal_operations: AtomicU64,
    overflows: AtomicU64,
}

#[inline(always)]
fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

#[inline]
fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Counters {
    /// All at zero.
    pub const fn new() -> Self {
        Self {
            polls: AtomicU64::new(0),
            local_schedules: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
            parks: AtomicU64::new(0),
            park_unparks: AtomicU64::new(0),
            noops: AtomicU64::new(0),
            steals: AtomicU64::new(0),
            steal_operations: AtomicU64::new(0),
            overflows: AtomicU64::new(0),
        }
    }

    /// A task was polled.
    #[inline(always)]
    pub fn inc_polls(&self) {
        add(&self.polls, 1);
    }

    /// `n` tasks were polled.
    #[inline(always)]
    pub fn add_polls(&self, n: u64) {
        add(&self.polls, n);
    }

    /// `n` tasks were put into this worker's own queue, by this worker.
    #[inline(always)]
    pub fn add_local_schedules(&self, n: u64) {
        add(&self.local_schedules, n);
    }

    /// One more of them.
    #[inline(always)]
    pub fn inc_local_schedules(&self) {
        add(&self.local_schedules, 1);
    }

    /// The worker was busy for this long, in nanoseconds from one unpark to the next park.
    #[inline(always)]
    pub fn add_busy_ns(&self, ns: u64) {
        add(&self.busy_ns, ns);
    }

    /// The worker went to sleep.
    #[inline(always)]
    pub fn inc_parks(&self) {
        add(&self.parks, 1);
        add(&self.park_unparks, 1);
    }

    /// The worker woke up.
    #[inline(always)]
    pub fn inc_unparks(&self) {
        add(&self.park_unparks, 1);
    }

    /// The worker woke up, found nothing to do and went to sleep again.
    #[inline(always)]
    pub fn inc_noops(&self) {
        add(&self.noops, 1);
    }

    /// One raid on another worker brought `tasks` tasks.
    #[inline(always)]
    pub fn add_steals(&self, tasks: u64) {
        add(&self.steals, tasks);
        add(&self.steal_operations, 1);
    }

    /// The worker's own queue was full, and part of it went to the shared one.
    #[inline(always)]
    pub fn inc_overflows(&self) {
        add(&self.overflows, 1);
    }

    /// Tasks polled.
    pub fn polls(&self) -> u64 {
        read(&self.polls)
    }

    /// Tasks that the worker put into its own queue.
    pub fn local_schedules(&self) -> u64 {
        read(&self.local_schedules)
    }

    /// How long the worker was busy.
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(read(&self.busy_ns))
    }

    /// How often the worker went to sleep.
    pub fn parks(&self) -> u64 {
        read(&self.parks)
    }

    /// How often it went to sleep or woke up: odd while it sleeps.
    pub fn park_unparks(&self) -> u64 {
        read(&self.park_unparks)
    }

    /// How often it woke up for nothing.
    pub fn noops(&self) -> u64 {
        read(&self.noops)
    }

    /// Tasks that it took from others.
    pub fn steals(&self) -> u64 {
        read(&self.steals)
    }

    /// How often it took any from others.
    pub fn steal_operations(&self) -> u64 {
        read(&self.steal_operations)
    }

    /// How often its own queue was full.
    pub fn overflows(&self) -> u64 {
        read(&self.overflows)
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Counters;
    use core::time::Duration;

    #[test]
    fn each_counts_its_own() {
        let counters = Counters::new();
        counters.inc_polls();
        counters.add_polls(2);
        counters.inc_local_schedules();
        counters.add_busy_ns(1_500);
        counters.inc_parks();
        counters.inc_noops();
        counters.add_steals(5);
        counters.add_steals(6);
        counters.inc_overflows();
        assert_eq!(counters.polls(), 3);
        assert_eq!(counters.local_schedules(), 1);
        assert_eq!(counters.busy(), Duration::from_nanos(1_500));
        assert_eq!((counters.parks(), counters.park_unparks()), (1, 1));
        counters.inc_unparks();
        assert_eq!((counters.parks(), counters.park_unparks()), (1, 2));
        assert_eq!(counters.noops(), 1);
        assert_eq!((counters.steals(), counters.steal_operations()), (11, 2));
        assert_eq!(counters.overflows(), 1);
    }

    #[test]
    fn two_workers_share_no_line() {
        assert_eq!(align_of::<Counters>(), 128);
        assert_eq!(size_of::<Counters>(), 128);
    }
}
