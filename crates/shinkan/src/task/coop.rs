//! Giving way: the budget that makes a task whose operations are all ready yield from time to
//! time.
//!
//! In each poll a task may do 128 operations (a message received, a lock taken, a read). With
//! none left, every leaf answers Pending and has the task woken, so that the others have their
//! turn. Code that loops over its own work joins in with [`consume_budget`] or [`cooperative`];
//! [`unconstrained`] leaves a future out.
//!
//! ```
//! # shinkan::runtime::Runtime::new().unwrap().block_on(async {
//! use shinkan::task::coop;
//!
//! let mut sum = 0_u64;
//! for n in 0..10_000 {
//!     sum += n;
//!     coop::consume_budget().await;
//! }
//! assert_eq!(sum, 49_995_000);
//! # });
//! ```

use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use pin_project_lite::pin_project;
use shinkan_base::wait::WaitKind;
use shinkan_context::budget::{self, Budget};

pub use shinkan_context::budget::RestoreOnPending;

/// Takes one unit of the task's budget. Pending where there is none left; the task is then woken
/// for its next turn.
///
/// For hand-written leaves: call it first, and say [`RestoreOnPending::made_progress`] if the
/// operation was done, so that one that has to wait costs nothing.
///
/// # Examples
/// ```
/// use std::task::{Context, Poll, ready};
/// use shinkan::task::coop;
///
/// fn poll_pop(queue: &mut Vec<u32>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
///     let unit = ready!(coop::poll_proceed(cx));
///     unit.made_progress();
///     Poll::Ready(queue.pop())
/// }
/// # let mut cx = Context::from_waker(std::task::Waker::noop());
/// # assert_eq!(poll_pop(&mut vec![4], &mut cx), Poll::Ready(Some(4)));
/// ```
#[inline]
#[track_caller]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    let unit = budget::poll_proceed(cx);
    if unit.is_pending() {
        shinkan_context::pending(WaitKind::Budget, 0, Location::caller());
    }
    unit
}

/// Whether the task may do a further operation in this poll. Always so outside a task.
///
/// # Examples
/// ```
/// assert!(shinkan::task::coop::has_budget_remaining());
/// ```
#[inline]
pub fn has_budget_remaining() -> bool {
    budget::has_remaining()
}

/// Spends one unit of the task's budget, and yields where none is left: for loops that do their
/// own work and await nothing else.
///
/// # Cancel safety
/// Nothing is lost.
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// let mut primes = 0;
/// for n in 2..2_000 {
///     primes += u32::from((2..n).all(|d| n % d != 0));
///     shinkan::task::coop::consume_budget().await;
/// }
/// assert_eq!(primes, 303);
/// # });
/// ```
#[track_caller]
pub fn consume_budget() -> impl Future<Output = ()> + Send + Sync {
    let place = Location::caller();
    async move {
        poll_fn(|cx| match budget::poll_proceed(cx) {
            Poll::Ready(unit) => {
                unit.made_progress();
                Poll::Ready(())
            }
            Poll::Pending => {
                shinkan_context::pending(WaitKind::Budget, 0, place);
                Poll::Pending
            }
        })
        .await;
    }
}

pin_project! {
    /// The future of [`cooperative`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Coop<F: Future> {
        #[pin]
        future: F,
        place: &'static Location<'static>,
    }
}

/// Makes a future take part in giving way: each time it is ready it has cost one unit of the
/// task's budget, and with none left it is not polled.
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// let seven = shinkan::task::coop::cooperative(async { 7 }).await;
/// assert_eq!(seven, 7);
/// # });
/// ```
#[inline]
#[track_caller]
pub fn cooperative<F: Future>(future: F) -> Coop<F> {
    Coop { future, place: Location::caller() }
}

impl<F: Future> Future for Coop<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Poll::Ready(unit) = budget::poll_proceed(cx) else {
            shinkan_context::pending(WaitKind::Budget, 0, this.place);
            return Poll::Pending;
        };
        let output = ready!(this.future.poll(cx));
        unit.made_progress();
        Poll::Ready(output)
    }
}

pin_project! {
    /// The future of [`unconstrained`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Unconstrained<F> {
        #[pin]
        future: F,
    }
}

/// Takes a future out of the budget: its operations are never made to yield. A future that is
/// always ready then keeps every other task of its thread waiting.
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// use shinkan::task::coop;
///
/// coop::unconstrained(async {
///     for _ in 0..1_000 {
///         coop::consume_budget().await;
///     }
/// })
/// .await;
/// # });
/// ```
#[inline]
pub fn unconstrained<F>(inner: F) -> Unconstrained<F> {
    Unconstrained { future: inner }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.project().future;
        budget::with(Budget::unlimited(), || future.poll(cx))
    }
}
