//! How many steps a worker takes between two looks at what came from outside, and at sockets and
//! timers, while it has work of its own: as many as take about [`PATIENCE_NS`], by what its steps
//! took of late.
//!
//! Called by the worker where it has the time at hand. A fixed number would let them wait for
//! seconds behind tasks of some milliseconds, or have the inject queue's line fetched all the time
//! behind tasks of some nanoseconds.

use std::time::Instant;

/// How long a task from outside, an event or a timer may wait for the worker to look.
const PATIENCE_NS: u64 = 200_000;

/// At least every second task is the worker's own.
const LEAST: u32 = 2;
const MOST: u32 = 127;

/// Before anything is known.
pub(crate) const DEFAULT: u32 = 31;

/// At most so many steps between two looks at sockets and timers.
pub(crate) const EVENTS_DEFAULT: u32 = 61;

/// Steps from which a mean is taken.
const SAMPLE: u32 = 32;

/// What one worker has learned.
pub(crate) struct Pace {
    interval: u32,
    event_interval: u32,
    /// What a step took of late.
    mean_ns: u64,
    /// Steps, and the time that they took, since the mean was taken.
    steps: u32,
    busy_ns: u64,
    /// Where the time that is not yet counted begins.
    since: Instant,
    tick: u32,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            interval: DEFAULT,
            event_interval: EVENTS_DEFAULT,
            mean_ns: PATIENCE_NS / u64::from(DEFAULT),
            steps: 0,
            busy_ns: 0,
            since: now,
            tick: 0,
        }
    }

    /// Steps between two looks at what came from outside.
    #[inline]
    pub(crate) fn interval(&self) -> u32 {
        self.interval
    }

    /// Steps between two looks at sockets and timers.
    #[inline]
    pub(crate) fn event_interval(&self) -> u32 {
        self.event_interval
    }

    /// The worker has made its step number `tick`, and goes on. Reads the clock only where there
    /// are steps enough.
    #[inline]
    pub(crate) fn goes_on(&mut self, tick: u32, now: impl FnOnce() -> Instant) {
        if self.steps + tick.wrapping_sub(self.tick) >= SAMPLE {
            self.rests(tick, now());
        }
    }

    /// The worker has made its step number `tick`, and has nothing to do.
    pub(crate) fn rests(&mut self, tick: u32, now: Instant) {
        let ns = now.saturating_duration_since(self.since).as_nanos();
        self.busy_ns = self.busy_ns.saturating_add(u64::try_from(ns).unwrap_or(u64::MAX));
        self.steps = self.steps.saturating_add(tick.wrapping_sub(self.tick));
        self.resumes(tick, now);
        if self.steps < SAMPLE {
            return;
        }
        let mean = core::mem::take(&mut self.busy_ns) / u64::from(core::mem::take(&mut self.steps));
        // One stall, as when the thread loses its processor, is not what the next steps will take.
        self.mean_ns = self.mean_ns - self.mean_ns / 4 + mean / 4;
        let steps = u32::try_from(PATIENCE_NS / self.mean_ns.max(1)).unwrap_or(MOST);
        self.interval = steps.clamp(LEAST, MOST);
        self.event_interval = steps.clamp(1, EVENTS_DEFAULT);
    }

    /// It has something to do again.
    pub(crate) fn resumes(&mut self, tick: u32, now: Instant) {
        self.since = now;
        self.tick = tick;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    /// The intervals after many steps that each take so long.
    fn after_steps_of(time: Duration) -> (u32, u32) {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for tick in 1..2_000 {
            now += time;
            pace.goes_on(tick, || now);
        }
        (pace.interval(), pace.event_interval())
    }

    #[test]
    fn looks_are_as_far_apart_in_time_whatever_a_step_takes() {
        assert_eq!(after_steps_of(Duration::from_micros(10)), (20, 20));
        assert_eq!(after_steps_of(Duration::from_micros(50)), (4, 4));
    }

    #[test]
    fn it_ends_at_every_second_step_and_does_not_vanish() {
        assert_eq!(after_steps_of(Duration::from_millis(50)), (2, 1));
        assert_eq!(after_steps_of(Duration::from_secs(1 << 40)), (2, 1));
        assert_eq!(after_steps_of(Duration::ZERO), (127, 61));
    }

    #[test]
    fn rests_are_not_counted() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for tick in 1..2_000 {
            now += Duration::from_micros(10);
            pace.rests(tick, now);
            now += Duration::from_secs(3);
            pace.resumes(tick, now);
        }
        assert_eq!(pace.interval(), 20);
    }
}
