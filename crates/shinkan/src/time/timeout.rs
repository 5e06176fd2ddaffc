//! A limit of time for a future.

use super::error::Elapsed;
use super::{Instant, Sleep, sleep_until};
use core::future::{Future, IntoFuture};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use pin_project_lite::pin_project;
use shinkan_context::budget::{self, Budget};
use shinkan_rt::Limit;

/// Waits for `future`, but at most for `duration` from this call.
///
/// The future is polled first, so one that is ready at once gives its output even where no time
/// is left. When the time is over, the future is dropped with the `Timeout`. One that waits for
/// nothing and never yields is not stopped: it gives the runtime no turn to look at the clock.
///
/// A limit that does not run out costs little: the timer is registered only once the future has
/// to wait.
///
/// # Errors
/// [`Elapsed`] if the time ran out.
///
/// # Cancel safety
/// As that of `future`.
///
/// # Panics
/// As [`sleep`](super::sleep()).
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// use shinkan::time::{Duration, timeout};
///
/// let limit = Duration::from_millis(5);
/// assert_eq!(timeout(limit, async { 1 }).await.unwrap(), 1);
/// assert!(timeout(limit, std::future::pending::<()>()).await.is_err());
/// # });
/// ```
#[track_caller]
#[inline]
pub fn timeout<F>(duration: Duration, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    let value = future.into_future();
    // Two wholes, so that each is made in its place. Too long for the clock: no limit.
    match Limit::of(duration) {
        Some(limit) => Timeout { value, delay: Some(Sleep::of(limit, Location::caller())) },
        None => Timeout { value, delay: None },
    }
}

/// Waits for `future`, but at most until `deadline`. See [`timeout`].
///
/// # Errors
/// [`Elapsed`] if the time ran out.
///
/// # Cancel safety
/// As that of `future`.
///
/// # Panics
/// As [`sleep`](super::sleep()).
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// use shinkan::time::{Instant, timeout_at};
///
/// let now = Instant::now();
/// assert!(timeout_at(now, std::future::pending::<()>()).await.is_err());
/// # });
/// ```
#[track_caller]
#[inline]
pub fn timeout_at<F>(deadline: Instant, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    let delay = Some(sleep_until(deadline));
    Timeout { value: future.into_future(), delay }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Timeout<T> {
        #[pin]
        value: T,
        #[pin]
        delay: Option<Sleep>,
    }
}

impl<T> Timeout<T> {
    /// The future that is limited.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The future that is limited.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The future, without its limit.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Future for Timeout<T>
where
    T: Future,
{
    type Output = Result<T::Output, Elapsed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = budget::has_remaining();
        if let Poll::Ready(output) = this.value.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        match this.delay.as_pin_mut() {
            Some(delay) => poll_delay(delay, had_budget, cx).map(Err),
            None => Poll::Pending,
        }
    }
}

#[inline]
fn poll_delay(delay: Pin<&mut Sleep>, had_budget: bool, cx: &mut Context<'_>) -> Poll<Elapsed> {
    let polled = if had_budget && !budget::has_remaining() {
        poll_exhausted_slow(delay, cx)
    } else {
        delay.poll(cx)
    };
    polled.map(|()| Elapsed::new())
}

/// The future used the budget up. It may do so each time: the limit must hold all the same.
#[cold]
fn poll_exhausted_slow(delay: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    budget::with(Budget::unlimited(), || delay.poll(cx))
}
