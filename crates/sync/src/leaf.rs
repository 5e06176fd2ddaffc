//! What every waiting future of this crate does besides waiting: takes budget, and leaves a wait
//! record when it answers Pending.

use core::panic::Location;
use core::task::{Context, Poll};
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

/// The number under which a wait record names `resource`.
#[inline]
pub(crate) fn address<T: ?Sized>(resource: &T) -> usize {
    core::ptr::from_ref(resource).addr()
}
