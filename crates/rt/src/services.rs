//! What `rt` gives to the crates below it.

use crate::enter::with_current;
use crate::seated::{self, Seated};
use crate::timer::Timer;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::time::Duration;
use shinkan_base::atomics::plain::Ordering;
use shinkan_base::wakers::Wakers;
use shinkan_context::services::{self, Services};

pub(crate) fn install() {
    services::install(Services { sleep, forced_yield, queue_woken });
}

/// Queues the tasks that this thread's worker may, at once.
fn queue_woken(wakers: &mut Wakers) {
    seated::with(|seated| match seated {
        Some(Seated::Multi(worker)) => {
            if let Some(mut inside) = worker.enter() {
                let shared = worker.handle.shared();
                let wake = shared.queue_woken(&mut inside, wakers);
                drop(inside);
                shared.wake_if(wake);
            }
        }
        Some(Seated::Current(worker)) => worker.queue_woken(wakers),
        None => {}
    });
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
