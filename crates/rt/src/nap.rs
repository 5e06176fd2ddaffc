//! Whether a sleeper watches the sockets too, or naps: waits for the bell alone, a short time.
//!
//! All sleepers wait in the driver's epoll, so that one which leaves to poll a task leaves the
//! others watching. But where events come one by one, and each is dealt with in a few microseconds,
//! an event that comes meanwhile wakes a second worker, mostly on another core, for what the first
//! would have fetched in the next microsecond: a ping-pong over TCP took a third longer than with
//! Tokio. So then the others nap while one watches. A nap ends after a millisecond, and is repeated once
//! at most if the watcher does not come back: whoever is stuck in a poll costs no more than that.

use shinkan_base::atomics::plain::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How long an event may wait for a watcher that does not come back.
pub(crate) const NAP: Duration = Duration::from_millis(1);
const NAP_NS: u64 = NAP.as_nanos() as u64;

/// How many nap at most as if there were no others.
const NAPPERS: u32 = 32;

/// How long one of so many sleepers naps: all nappers together come back once a [`NAP`].
pub(crate) fn lasts(sleepers: u32) -> Duration {
    NAP * sleepers.saturating_sub(1).clamp(1, NAPPERS)
}

/// Napping pays from this many single events on, a millisecond.
const RATE_PER_MS: u64 = 8;

/// What came to those who wait in the epoll.
#[derive(Default)]
pub(crate) struct Arrivals {
    /// Counts the waits that brought one event, and in the high half those that brought several.
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
        let step = match events {
            0 => return,
            1 => 1,
            _ => 1 << 32,
        };
        self.waits.fetch_add(step, Ordering::Relaxed);
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

    /// Whether events came one by one of late, and fast.
    pub(crate) fn pays(&mut self, now_ns: u64, arrivals: &Arrivals) -> bool {
        let passed = now_ns.saturating_sub(self.since_ns);
        if passed >= NAP_NS / 2 {
            let all = arrivals.waits.load(Ordering::Relaxed);
            // Each half wraps by itself; a carry from the low one is an error of one in 2^32.
            let single = u64::from((all as u32).wrapping_sub(self.seen as u32));
            let several = (all >> 32).wrapping_sub(self.seen >> 32) & 0xffff_ffff;
            let fast = single.saturating_mul(1_000_000) >= RATE_PER_MS.saturating_mul(passed);
            self.pays = fast && several <= single / 8;
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

    fn after(single: u32, several: u32, ns: u64) -> bool {
        let start = 1;
        let (arrivals, mut napper) = (Arrivals::default(), Napper::new(start));
        come(&arrivals, single, 1);
        come(&arrivals, several, 5);
        napper.pays(start + ns, &arrivals)
    }

    #[test]
    fn many_nappers_come_back_no_more_often_than_one() {
        let lasts = [0, 1, 2, 3, 33, 1_000].map(|sleepers| lasts(sleepers).as_millis());
        assert_eq!(lasts, [1, 1, 1, 2, 32, 32]);
    }

    #[test]
    fn it_pays_where_single_events_come_fast() {
        assert!(after(100, 0, NAP_NS));
        assert!(after(100, 5, NAP_NS));
    }

    #[test]
    fn not_where_they_are_few_or_slow_or_come_together() {
        assert!(!after(3, 0, NAP_NS));
        assert!(!after(100, 0, 100 * NAP_NS));
        assert!(!after(100, 50, NAP_NS));
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
