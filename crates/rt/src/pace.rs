//! How many steps a worker takes between two looks at what came from outside, and at sockets and
//! timers, while it has work of its own: as many as take about [`PATIENCE_NS`], by what its steps
//! took of late.
//!
//! Called by the worker where it has the time at hand. A fixed number would let them wait for
//! seconds behind tasks of some milliseconds, or have the inject queue's line fetched all the time
//! behind tasks of some nanoseconds.

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
    since_ns: u64,
    tick: u32,
}

impl Pace {
    pub(crate) fn new(now_ns: u64) -> Self {
        Self {
            interval: DEFAULT,
            event_interval: EVENTS_DEFAULT,
            mean_ns: PATIENCE_NS / u64::from(DEFAULT),
            steps: 0,
            busy_ns: 0,
            since_ns: now_ns,
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

    /// How long so many steps take, as far as is known.
    #[inline]
    pub(crate) fn takes_ns(&self, steps: usize) -> u64 {
        self.mean_ns.saturating_mul(steps as u64)
    }

    /// The worker has made its step number `tick`, and goes on. Reads the clock only where there
    /// are steps enough.
    #[inline]
    pub(crate) fn goes_on(&mut self, tick: u32, now_ns: impl FnOnce() -> u64) {
        if self.steps + tick.wrapping_sub(self.tick) >= SAMPLE {
            self.rests(tick, now_ns());
        }
    }

    /// The worker has made its step number `tick`, and has nothing to do.
    pub(crate) fn rests(&mut self, tick: u32, now_ns: u64) {
        self.busy_ns = self.busy_ns.saturating_add(now_ns.saturating_sub(self.since_ns));
        self.steps = self.steps.saturating_add(tick.wrapping_sub(self.tick));
        self.resumes(tick, now_ns);
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
    pub(crate) fn resumes(&mut self, tick: u32, now_ns: u64) {
        self.since_ns = now_ns;
        self.tick = tick;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The intervals after many steps that each take so many nanoseconds.
    fn after_steps_of(ns: u64) -> (u32, u32) {
        let mut now: u64 = 1;
        let mut pace = Pace::new(now);
        for tick in 1..2_000 {
            now = now.saturating_add(ns);
            pace.goes_on(tick, || now);
        }
        (pace.interval(), pace.event_interval())
    }

    #[test]
    fn looks_are_as_far_apart_in_time_whatever_a_step_takes() {
        assert_eq!(after_steps_of(10_000), (20, 20));
        assert_eq!(after_steps_of(50_000), (4, 4));
    }

    #[test]
    fn it_ends_at_every_second_step_and_does_not_vanish() {
        assert_eq!(after_steps_of(50_000_000), (2, 1));
        assert_eq!(after_steps_of(1 << 52), (2, 1));
        assert_eq!(after_steps_of(0), (127, 61));
    }

    #[test]
    fn rests_are_not_counted() {
        let mut now = 1;
        let mut pace = Pace::new(now);
        for tick in 1..2_000 {
            now += 10_000;
            pace.rests(tick, now);
            now += 3_000_000_000;
            pace.resumes(tick, now);
        }
        assert_eq!(pace.interval(), 20);
    }
}
