//! What every waiting future of this crate does besides waiting: takes budget, and leaves a wait
//! record when it answers Pending.

use core::future::Future;
use core::panic::Location;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use shinkan_base::wait::WaitKind;
use shinkan_context::budget::{self, RestoreOnPending};

/// Takes one unit of budget. Without one left the task's record says so, and where.
#[inline]
pub(crate) fn proceed(
    cx: &mut Context<'_>,
    resource: usize,
    place: &'static Location<'static>,
) -> Poll<RestoreOnPending> {
    let unit = budget::poll_proceed(cx);
    if unit.is_pending() {
        note_slow(resource, place);
    }
    unit
}

#[cold]
fn note_slow(resource: usize, place: &'static Location<'static>) {
    shinkan_context::pending(WaitKind::Budget, resource, place);
}

/// A future whose every poll takes a unit of budget, given back where it ends Pending.
pub(crate) async fn cooperative<F: Future>(
    resource: usize,
    place: &'static Location<'static>,
    future: F,
) -> F::Output {
    Cooperative { resource, place, future: pin!(future) }.await
}

/// A type of its own rather than a `poll_fn`, whose poll the compiler does not inline.
struct Cooperative<'a, F> {
    resource: usize,
    place: &'static Location<'static>,
    future: Pin<&'a mut F>,
}

impl<F: Future> Future for Cooperative<'_, F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let unit = ready!(proceed(cx, self.resource, self.place));
        let output = ready!(self.future.as_mut().poll(cx));
        unit.made_progress();
        Poll::Ready(output)
    }
}

/// The number under which a wait record names `resource`.
#[inline]
pub(crate) fn address<T: ?Sized>(resource: &T) -> usize {
    core::ptr::from_ref(resource).addr()
}
