//! What one worker measures of itself beyond its counters: histograms where they were asked for, a
//! mean, and which thread it is. The worker alone writes; anybody reads.

use crate::histogram::{Histogram, Wanted};
use core::time::Duration;
use shinkan_base::atomics::Mutex;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_probe::Counters;
use std::thread::ThreadId;

/// The weight of what was before, in polls: the mean follows the last few dozen.
const MEMORY: u64 = 9;

/// Which histograms the builder was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Histograms {
    pub(crate) poll_time: Wanted,
    pub(crate) latency: Wanted,
}

/// One worker's.
#[derive(Debug)]
pub(crate) struct Measures {
    pub(crate) poll_time: Option<Histogram>,
    pub(crate) latency: Option<Histogram>,
    mean_poll_ns: AtomicU64,
    /// The worker's polls when it went to sleep last.
    polls_seen: AtomicU64,
    /// Events of descriptors that its turns of the driver brought.
    ready: AtomicU64,
    /// Tasks that it polled and that were not in its queue; written on one thread's runtime alone,
    /// where no thief keeps count of what is queued.
    from_elsewhere: AtomicU64,
    tenures: AtomicU64,
    thread: Mutex<Option<ThreadId>>,
}

impl Measures {
    pub(crate) fn new(wanted: &Histograms) -> Self {
        Self {
            poll_time: wanted.poll_time.make(),
            latency: wanted.latency.make(),
            mean_poll_ns: AtomicU64::new(0),
            polls_seen: AtomicU64::new(0),
            ready: AtomicU64::new(0),
            from_elsewhere: AtomicU64::new(0),
            tenures: AtomicU64::new(0),
            thread: Mutex::new(None),
        }
    }

    /// This thread is the worker from now on. The answer is how many were before it.
    pub(crate) fn take_over(&self) -> u64 {
        *self.thread.lock() = Some(shinkan_sys::threads::id());
        let before = self.tenures.load(Ordering::Relaxed);
        self.tenures.store(before + 1, Ordering::Relaxed);
        before
    }

    /// The thread that is the worker, or was it last.
    pub(crate) fn thread(&self) -> Option<ThreadId> {
        *self.thread.lock()
    }

    /// The worker goes to sleep; `polled`: it polled a task since the last time.
    pub(crate) fn park(&self, counters: &Counters, polled: bool) {
        counters.inc_parks();
        if !polled {
            counters.inc_noops();
        }
    }

    /// The worker was awake for `ns`, and is not any more; it has made so many polls. Whether any
    /// since the last time.
    pub(crate) fn rest(&self, counters: &Counters, polls: u64, ns: u64) -> bool {
        counters.add_busy_ns(ns);
        let new = polls.wrapping_sub(self.polls_seen.load(Ordering::Relaxed));
        if new == 0 {
            return false;
        }
        self.polls_seen.store(polls, Ordering::Relaxed);
        let old = self.mean_poll_ns.load(Ordering::Relaxed);
        let mean = if old == 0 { ns / new } else { mixed(old, ns, new) };
        self.mean_poll_ns.store(mean, Ordering::Relaxed);
        true
    }

    /// A turn of the driver brought so many events.
    #[inline]
    pub(crate) fn add_ready(&self, events: u32) {
        if events > 0 {
            let ready = self.ready.load(Ordering::Relaxed);
            self.ready.store(ready + u64::from(events), Ordering::Relaxed);
        }
    }

    /// A task is polled that was not in the worker's queue.
    pub(crate) fn add_from_elsewhere(&self) {
        let before = self.from_elsewhere.load(Ordering::Relaxed);
        self.from_elsewhere.store(before + 1, Ordering::Relaxed);
    }

    /// Tasks in the worker's queue: those that were put there and not polled yet.
    pub(crate) fn depth(&self, counters: &Counters) -> usize {
        let queued = counters.local_schedules() + self.from_elsewhere.load(Ordering::Relaxed);
        queued.saturating_sub(counters.polls()) as usize
    }

    pub(crate) fn ready(&self) -> u64 {
        self.ready.load(Ordering::Relaxed)
    }

    pub(crate) fn mean_poll(&self) -> Duration {
        Duration::from_nanos(self.mean_poll_ns.load(Ordering::Relaxed))
    }
}

/// A mean `old` after `new` further polls, which took `ns` together.
fn mixed(old: u64, ns: u64, new: u64) -> u64 {
    old.saturating_mul(MEMORY).saturating_add(ns) / new.saturating_add(MEMORY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Measures {
        Measures::new(&Histograms { poll_time: Wanted::OFF, latency: Wanted::OFF })
    }

    #[test]
    fn the_mean_follows_the_polls_and_sleep_without_any_is_counted() {
        let (measures, counters) = (none(), Counters::new());
        let rest = |ns| {
            let polled = measures.rest(&counters, counters.polls(), ns);
            measures.park(&counters, polled);
        };
        rest(5);
        assert_eq!((counters.noops(), measures.mean_poll()), (1, Duration::ZERO));
        counters.add_polls(10);
        rest(1_000);
        assert_eq!((counters.noops(), measures.mean_poll()), (1, Duration::from_nanos(100)));
        counters.add_polls(1);
        rest(200);
        assert_eq!(measures.mean_poll(), Duration::from_nanos(110));
        assert_eq!(counters.busy(), Duration::from_nanos(1_205));
        assert_eq!(counters.parks(), 3);
    }

    #[test]
    fn tenures_are_counted_and_the_last_thread_stays() {
        let measures = none();
        assert_eq!(measures.thread(), None);
        assert_eq!((measures.take_over(), measures.take_over()), (0, 1));
        assert_eq!(measures.thread(), Some(shinkan_sys::threads::id()));
    }
}
