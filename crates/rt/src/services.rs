//! What `rt` gives to the crates below it.

use crate::enter::with_current;
use crate::timer::Timer;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::time::Duration;
use shinkan_base::atomics::plain::Ordering;
use shinkan_context::services::{self, Services};

pub(crate) fn install() {
    services::install(Services { sleep, forced_yield });
}

/// A poll used its budget up: its runtime counts that.
fn forced_yield() {
    let _ = with_current(|handle| {
        handle.shared().forced_yields.fetch_add(1, Ordering::Relaxed);
    });
}

#[track_caller]
fn sleep(duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let place = Location::caller();
    let mut timer = Box::pin(Timer::after(duration));
    Box::pin(core::future::poll_fn(move |cx| timer.as_mut().poll_elapsed(cx, place)))
}
