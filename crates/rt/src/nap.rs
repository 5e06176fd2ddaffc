//! Whether a sleeper watches the sockets too, or naps: waits for the bell alone, a short time.
//!
//! All sleepers wait in the driver's epoll, so that one which leaves to poll a task leaves the
//! others watching. But where events come fast, and each is dealt with in a few microseconds, an
//! event that comes meanwhile wakes a second worker, mostly on another core, for what the first
//! would have fetched in the next microsecond: a ping-pong over TCP took a third longer than with
//! Tokio. So then the others nap while one watches. One of them is on duty (`idle.rs`): it comes back
//! after a millisecond, and looks at all queues. So a worker with a few short tasks need not ring for
//! them: whoever is stuck in a poll costs those behind it no more than that nap.
//!
//! Rejected: to give the processor away and look once more before a watcher waits, so that more comes
//! together. With 64 and 1,000 clients no figure moved by more than two runs of the same differ.

use shinkan_base::atomics::plain::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// About how long an event waits for a watcher that does not come back, once or twice.
pub(crate) const NAP: Duration = Duration::from_millis(1);
const NAP_NS: u64 = NAP.as_nanos() as u64;

/// How many nap at most as if there were no others.
const NAPPERS: u32 = 32;

/// How long one of so many sleepers naps: who is on duty for a [`NAP`], and the others so that all
/// together come back once a `NAP`.
pub(crate) fn lasts(on_duty: bool, sleepers: u32) -> Duration {
    if on_duty { NAP } else { NAP * sleepers.clamp(1, NAPPERS) }
}

/// What takes the worker no longer than this need not be shared: to wake another one takes as long.
pub(crate) const LITTLE_NS: u64 = 25_000;

/// Napping pays from this many waits on that brought events, a millisecond.
const RATE_PER_MS: u64 = 8;

/// What came to those who wait in the epoll.
#[derive(Default)]
pub(crate) struct Arrivals {
    /// Counts the waits that brought something.
    waits: AtomicU64,
    /// Who waits in it now.
    watchers: AtomicU32,
}

impl Arrivals {
    /// A wait in the epoll begins.
    #[inline]
    pub(crate) fn begin(&self) {
        self.watchers.fetch_add(1, Ordering::Relaxed);
    }

    /// It is over.
    #[inline]
    pub(crate) fn end(&self, events: u32) {
        self.watchers.fetch_sub(1, Ordering::Relaxed);
        if events > 0 {
            self.waits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether somebody waits in the epoll. Who has left just now is awake, and comes back.
    #[inline]
    pub(crate) fn anybody_watches(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }
}

/// What one worker has learned from them.
pub(crate) struct Napper {
    since_ns: u64,
    seen: u64,
    pays: bool,
}

impl Napper {
    pub(crate) fn new(now_ns: u64) -> Self {
        Self { since_ns: now_ns, seen: 0, pays: false }
    }

    /// Whether events came fast of late.
    pub(crate) fn pays(&mut self, now_ns: u64, arrivals: &Arrivals) -> bool {
        let passed = now_ns.saturating_sub(self.since_ns);
        if passed >= NAP_NS / 2 {
            let all = arrivals.waits.load(Ordering::Relaxed);
            let came = all.wrapping_sub(self.seen);
            self.pays = came.saturating_mul(1_000_000) >= RATE_PER_MS.saturating_mul(passed);
            self.since_ns = now_ns;
            self.seen = all;
        }
        self.pays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many waits that bring so many events each.
    fn come(arrivals: &Arrivals, waits: u32, events: u32) {
        for _ in 0..waits {
            arrivals.begin();
            assert!(arrivals.anybody_watches());
            arrivals.end(events);
            assert!(!arrivals.anybody_watches());
        }
    }

    fn after(waits: u32, events: u32, ns: u64) -> bool {
        let start = 1;
        let (arrivals, mut napper) = (Arrivals::default(), Napper::new(start));
        come(&arrivals, waits, events);
        napper.pays(start + ns, &arrivals)
    }

    #[test]
    fn many_nappers_come_back_no_more_often_than_one() {
        let lasts = [0, 1, 2, 32, 1_000].map(|sleepers| lasts(false, sleepers).as_millis());
        assert_eq!(lasts, [1, 1, 2, 32, 32]);
        assert_eq!(super::lasts(true, 1_000), NAP);
    }

    #[test]
    fn it_pays_where_events_come_fast() {
        assert!(after(100, 1, NAP_NS));
        assert!(after(100, 5, NAP_NS));
    }

    #[test]
    fn not_where_they_are_few_or_slow_or_none() {
        assert!(!after(3, 1, NAP_NS));
        assert!(!after(100, 1, 100 * NAP_NS));
        assert!(!after(100, 0, NAP_NS));
    }

    #[test]
    fn a_watcher_that_stays_away_ends_it() {
        let start = 1;
        let (arrivals, mut napper) = (Arrivals::default(), Napper::new(start));
        come(&arrivals, 100, 1);
        assert!(napper.pays(start + NAP_NS, &arrivals));
        assert!(!napper.pays(start + 2 * NAP_NS, &arrivals));
    }
}
