//! Ticking.

use super::{FAR, Instant, saturating_add};
use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use shinkan_rt::Timer;
use shinkan_trace::{Kind, Resource};

/// A tick that is seen later than this after its time was missed.
const TOLERANCE: Duration = Duration::from_millis(5);

/// Ticks every `period`, for the first time at once.
///
/// # Panics
/// If `period` is zero; outside a runtime, and in one that was built without timers.
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// use shinkan::time::{Duration, interval};
///
/// let mut ticks = interval(Duration::from_millis(2));
/// let first = ticks.tick().await;
/// let second = ticks.tick().await;
/// assert_eq!(second - first, Duration::from_millis(2));
/// # });
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    Interval::new(Instant::now(), period, Location::caller())
}

/// Ticks every `period`, for the first time at `start`.
///
/// # Panics
/// As [`interval`].
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// use shinkan::time::{Duration, Instant, interval_at};
///
/// let start = Instant::now() + Duration::from_millis(3);
/// let mut ticks = interval_at(start, Duration::from_millis(1));
/// assert_eq!(ticks.tick().await, start);
/// # });
/// ```
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    Interval::new(start, period, Location::caller())
}

/// What an [`Interval`] does when ticks were missed, because nobody awaited it in time.
///
/// With a period of 10 ms, ticks at 0 and 10, and then nobody there until 35:
///
/// | | the next ticks are seen at |
/// |---|---|
/// | `Burst` | 35, 35, 40, 50: none is left out, and then all is as planned |
/// | `Delay` | 35, 45, 55: each a period after the last that was seen |
/// | `Skip` | 35, 40, 50: those that were missed are left out |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Tick at once until those that were missed are made up for.
    #[default]
    Burst,
    /// Tick a whole period after the tick that came late.
    Delay,
    /// Leave out what was missed, and tick at the next multiple of the period.
    Skip,
}

impl MissedTickBehavior {
    /// The tick after the one that was due at `due` and is seen at `now`, too late.
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        match self {
            Self::Burst => saturating_add(due, period),
            Self::Delay => saturating_add(now, period),
            Self::Skip => {
                let since = now.duration_since(due).as_nanos() % period.as_nanos();
                // Less than `period`, which is less than 30 years: it fits.
                let since = Duration::from_nanos(u64::try_from(since).unwrap_or(u64::MAX));
                saturating_add(now, period.saturating_sub(since))
            }
        }
    }
}

/// Ticks in equal distances: see [`interval`] and [`interval_at`].
pub struct Interval {
    delay: Pin<Box<Timer>>,
    period: Duration,
    missed: MissedTickBehavior,
    place: &'static Location<'static>,
    trace: Resource,
}

impl Interval {
    #[track_caller]
    fn new(start: Instant, period: Duration, place: &'static Location<'static>) -> Self {
        assert!(
            !period.is_zero(),
            "the period of an interval must be longer than zero: it would tick without end"
        );
        let delay = Box::pin(Timer::new(start.into_std()));
        let missed = MissedTickBehavior::default();
        let trace = Resource::new(Kind::Interval, 1, place);
        Self { delay, period: period.min(FAR), missed, place, trace }
    }

    /// Waits for the next tick, and gives the moment for which it was planned.
    ///
    /// # Cancel safety
    /// No tick is lost.
    ///
    /// # Examples
    /// ```
    /// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
    /// use shinkan::time::{Duration, interval};
    ///
    /// let mut ticks = interval(Duration::from_millis(1));
    /// for _ in 0..3 {
    ///     ticks.tick().await;
    /// }
    /// # });
    /// ```
    #[track_caller]
    pub fn tick(&mut self) -> impl Future<Output = Instant> + Send + Sync {
        let place = Location::caller();
        let trace = self.trace.clone();
        let tick = async move { poll_fn(|cx| self.poll_at(cx, place)).await };
        shinkan_trace::operation(tick, &trace, "Interval::tick", "poll_tick")
    }

    /// Polls for the next tick, and gives the moment for which it was planned. On Pending, the
    /// waker of the last call is woken at the tick.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        self.poll_at(cx, self.place)
    }

    fn poll_at(
        &mut self,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
    ) -> Poll<Instant> {
        ready!(self.delay.as_mut().poll_elapsed(cx, place));
        let due = Instant::from_std(self.delay.deadline());
        let now = Instant::now();
        let next = if now.duration_since(due) > TOLERANCE {
            self.missed.next(due, now, self.period)
        } else {
            saturating_add(due, self.period)
        };
        // Registered by the next poll, which may never come.
        self.delay.as_mut().reset(next.into_std());
        Poll::Ready(due)
    }

    /// Plans the next tick a period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// Plans the next tick for now.
    pub fn reset_immediately(&mut self) {
        self.reset_at(Instant::now());
    }

    /// Plans the next tick for a time from now, and the others after it.
    pub fn reset_after(&mut self, after: Duration) {
        self.reset_at(saturating_add(Instant::now(), after));
    }

    /// Plans the next tick for `deadline`, and the others after it. A task that waits for the
    /// tick is woken then.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.delay.as_mut().move_to(deadline.into_std());
    }

    /// What happens when ticks are missed.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Says what shall happen when ticks are missed.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval")
            .field("next", &self.delay.deadline())
            .field("period", &self.period)
            .field("missed_tick_behavior", &self.missed)
            .finish_non_exhaustive()
    }
}
