//! The runtime's clock: the machine's, or one that stands still until it is moved.
//!
//! A clock that was never paused costs one relaxed load more than the machine's own.

use core::time::Duration;
use shinkan_base::atomics::{AtomicBool, Mutex, Ordering};
use shinkan_sys::clock as machine;
use std::sync::Arc;
use std::time::Instant;

/// A clock; clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    // Set once, by the first pause: from then on `state` knows the time.
    is_own: AtomicBool,
    state: Mutex<State>,
    // One moment, by both of the machine's readings.
    start: Instant,
    start_ns: u64,
}

#[derive(Debug)]
struct State {
    // The time shown at `running_since`, or now where that is `None`: the clock stands still.
    shown: Instant,
    running_since: Option<Instant>,
    // Blocking calls whose end a paused clock must not overtake.
    inhibitors: u32,
}

impl Clock {
    /// The machine's monotonic clock, until it is paused.
    pub fn real() -> Self {
        Self::with(Some(machine::now()))
    }

    /// A clock that stands still from its start.
    pub fn paused() -> Self {
        Self::with(None)
    }

    fn with(running_since: Option<Instant>) -> Self {
        let start = running_since.unwrap_or_else(machine::now);
        Self {
            inner: Arc::new(Inner {
                is_own: AtomicBool::new(running_since.is_none()),
                state: Mutex::new(State { shown: start, running_since, inhibitors: 0 }),
                start,
                start_ns: machine::now_ns(),
            }),
        }
    }

    /// The time.
    #[inline]
    pub fn now(&self) -> Instant {
        if self.is_own() { self.now_slow() } else { machine::now() }
    }

    /// The time in nanoseconds since an unspecified start, for who asks how long something took:
    /// cheaper than [`Clock::now`] and a difference. A pause makes it step by less than the time
    /// that passed between two readings of the machine's clock when this one was made.
    #[inline]
    pub fn ns(&self) -> u64 {
        if self.is_own() { self.ns_slow() } else { machine::now_ns() }
    }

    #[cold]
    fn ns_slow(&self) -> u64 {
        let since = self.now_slow().saturating_duration_since(self.inner.start).as_nanos();
        self.inner.start_ns.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }

    /// The time in nanoseconds since an unspecified start. Nothing for a clock that was ever paused.
    #[inline]
    pub fn now_ns(&self) -> Option<u64> {
        if self.is_own() { None } else { Some(machine::now_ns()) }
    }

    /// The time in nanoseconds since an unspecified start, at most [`COARSE_BEHIND_NS`] behind;
    /// cheaper than [`Clock::now`]. Nothing for a clock that was ever paused.
    ///
    /// [`COARSE_BEHIND_NS`]: machine::COARSE_BEHIND_NS
    #[inline]
    pub fn coarse_ns(&self) -> Option<u64> {
        if self.is_own() { None } else { Some(machine::coarse_ns()) }
    }

    #[cold]
    fn now_slow(&self) -> Instant {
        self.inner.state.lock().now()
    }

    /// Stops the clock. `false` where it stood still already.
    pub fn pause(&self) -> bool {
        let mut state = self.inner.state.lock();
        if state.running_since.is_none() {
            return false;
        }
        state.shown = state.now();
        state.running_since = None;
        self.inner.is_own.store(true, Ordering::Release);
        true
    }

    /// Lets it run again from the time that it shows. `false` where it runs already.
    pub fn resume(&self) -> bool {
        let mut state = self.inner.state.lock();
        if state.running_since.is_some() {
            return false;
        }
        state.running_since = Some(machine::now());
        true
    }

    /// Moves a clock that stands still; saturates at the end of time. `false` where it runs.
    pub fn advance(&self, by: Duration) -> bool {
        let mut state = self.inner.state.lock();
        if state.running_since.is_some() {
            return false;
        }
        state.shown = state.shown.checked_add(by).unwrap_or(state.shown);
        true
    }

    /// Whether it was ever paused. One load.
    #[inline]
    pub fn is_own(&self) -> bool {
        // Relaxed: who must see a pause has it by the order that brought the news of it.
        self.inner.is_own.load(Ordering::Relaxed)
    }

    /// Whether it stands still.
    #[inline]
    pub fn is_paused(&self) -> bool {
        self.is_own() && self.inner.state.lock().running_since.is_none()
    }

    /// Keeps [`Clock::can_auto_advance`] false until [`Clock::allow_auto_advance`]: a blocking
    /// call runs, which takes real time.
    pub fn inhibit_auto_advance(&self) {
        self.inner.state.lock().inhibitors += 1;
    }

    /// Takes one [`Clock::inhibit_auto_advance`] back.
    pub fn allow_auto_advance(&self) {
        let mut state = self.inner.state.lock();
        debug_assert!(state.inhibitors > 0, "allowed more often than inhibited");
        state.inhibitors = state.inhibitors.saturating_sub(1);
    }

    /// Whether a driver that has nothing to do may move the clock to the next deadline instead of
    /// waiting for it.
    #[inline]
    pub fn can_auto_advance(&self) -> bool {
        self.inner.is_own.load(Ordering::Relaxed) && {
            let state = self.inner.state.lock();
            state.running_since.is_none() && state.inhibitors == 0
        }
    }
}

impl State {
    fn now(&self) -> Instant {
        match self.running_since {
            None => self.shown,
            Some(since) => {
                let run = machine::now().saturating_duration_since(since);
                self.shown.checked_add(run).unwrap_or(self.shown)
            }
        }
    }
}

#[cfg(all(test, not(shinkan_loom)))]
mod tests {
    use super::Clock;
    use core::time::Duration;

    #[test]
    fn stands_still_while_it_is_paused_and_goes_on_from_there() {
        let clock = Clock::real();
        assert!(!clock.advance(Duration::from_secs(1)) && !clock.is_paused());
        assert!(clock.pause() && !clock.pause());
        let stopped = clock.now();
        assert_eq!(stopped, clock.now());
        assert!(clock.advance(Duration::from_secs(3600)));
        assert_eq!(clock.now() - stopped, Duration::from_secs(3600));
        assert!(clock.resume() && !clock.resume());
        assert!(clock.now() - stopped >= Duration::from_secs(3600));
    }

    #[test]
    fn an_advance_past_the_end_of_time_does_nothing() {
        let clock = Clock::paused();
        let before = clock.now();
        assert!(clock.advance(Duration::MAX));
        assert_eq!(clock.now(), before);
    }

    #[test]
    fn a_blocking_call_keeps_the_clock_from_being_moved() {
        let clock = Clock::paused();
        clock.inhibit_auto_advance();
        assert!(!clock.can_auto_advance());
        clock.allow_auto_advance();
        assert!(clock.can_auto_advance());
    }
}
