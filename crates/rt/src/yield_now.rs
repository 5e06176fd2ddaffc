//! Giving the others their turn.

use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use shinkan_base::wait::WaitKind;

/// Lets the other tasks run before this one goes on: the task goes behind those that are queued.
///
/// # Cancel safety
/// Nothing is lost if it is dropped.
#[track_caller]
pub fn yield_now() -> impl Future<Output = ()> {
    YieldNow { yielded: false, place: Location::caller() }
}

struct YieldNow {
    yielded: bool,
    place: &'static Location<'static>,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        shinkan_context::pending(WaitKind::Yield, 0, self.place);
        // Woken while it is polled: the scheduler puts the task behind the others, and has the
        // driver looked at before it is the task's turn again.
        shinkan_context::note_yield();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
