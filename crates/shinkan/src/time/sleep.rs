//! Waiting for a time.

use super::Instant;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use pin_project_lite::pin_project;
use shinkan_rt::{Limit, Timer};
use shinkan_trace::{Kind, Operation, Resource};

/// Waits until `duration` has passed. One that is too long for the clock waits for 30 years.
///
/// The time counts from this call, not from the first poll.
///
/// # Cancel safety
/// Nothing is lost.
///
/// # Panics
/// Outside a runtime, and in one that was built without timers.
///
/// # Under simulation
/// Time passes at once where nothing else is to be done.
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// use shinkan::time::{Duration, sleep};
/// sleep(Duration::from_millis(1)).await;
/// # });
/// ```
#[track_caller]
#[inline]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep::new(Timer::after(duration), Location::caller())
}

/// Waits until `deadline`; ends at once if that is in the past.
///
/// # Cancel safety
/// Nothing is lost.
///
/// # Panics
/// As [`sleep`].
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// use shinkan::time::{Duration, Instant, sleep_until};
/// sleep_until(Instant::now() + Duration::from_millis(1)).await;
/// # });
/// ```
#[track_caller]
#[inline]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::new(Timer::new(deadline.into_std()), Location::caller())
}

pin_project! {
    /// The future of [`sleep`] and [`sleep_until`].
    ///
    /// It is registered with the runtime's timers when it is first polled and has to wait, and
    /// unlinked when it is dropped.
    ///
    /// # Examples
    /// To keep one and reset it, pin it:
    /// ```
    /// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
    /// use shinkan::time::{Duration, Instant, sleep};
    ///
    /// let mut sleep = std::pin::pin!(sleep(Duration::from_secs(60)));
    /// sleep.as_mut().reset(Instant::now());
    /// sleep.await;
    /// # });
    /// ```
    #[project(!Unpin)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Sleep {
        #[pin]
        timer: Timer,
        place: &'static Location<'static>,
        operation: Operation,
        trace: Resource,
    }
}

impl Sleep {
    #[inline]
    fn new(timer: Timer, place: &'static Location<'static>) -> Self {
        let trace = Resource::new(Kind::Sleep, 1, place);
        let operation = Operation::new(&trace, "Sleep::new_timeout");
        Self { timer, place, operation, trace }
    }

    /// For a limit that was set at `place`.
    #[inline]
    pub(super) fn of(limit: Limit, place: &'static Location<'static>) -> Self {
        Self::new(Timer::of(limit), place)
    }

    /// When it ends.
    pub fn deadline(&self) -> Instant {
        Instant::from_std(self.timer.deadline())
    }

    /// Whether it has ended. Also a sleep whose time has come has not, before it was polled.
    pub fn is_elapsed(&self) -> bool {
        self.timer.is_elapsed()
    }

    /// Moves the deadline, to an earlier or later time, also after it has ended. A task that
    /// waits for it is woken at the new one; it need not poll it for that.
    #[inline]
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.operation = Operation::new(this.trace, "Sleep::reset");
        this.trace.lasts(|| deadline.saturating_duration_since(Instant::now()));
        this.timer.move_to(deadline.into_std());
    }
}

impl Future for Sleep {
    type Output = ();

    /// # Panics
    /// If the runtime has ended: it would never be woken.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let (polling, is_first) = this.operation.poll_made(this.trace, "poll_elapsed");
        if is_first {
            polling.note(true);
            let deadline = this.timer.deadline();
            polling.lasts(|| deadline.saturating_duration_since(Instant::now().into_std()));
        }
        let polled = this.timer.poll_elapsed(cx, this.place);
        polling.end(polled.is_ready());
        polled
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .field("is_elapsed", &self.is_elapsed())
            .finish_non_exhaustive()
    }
}
