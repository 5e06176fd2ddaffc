//! What `rt` gives to the crates below it.

use crate::timer::Timer;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::time::Duration;
use shinkan_context::services::{self, Services};

pub(crate) fn install() {
    services::install(Services { sleep });
}

#[track_caller]
fn sleep(duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let place = Location::caller();
    let mut timer = Box::pin(Timer::after(duration));
    Box::pin(core::future::poll_fn(move |cx| timer.as_mut().poll_elapsed(cx, place)))
}
