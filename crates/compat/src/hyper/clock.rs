//! hyper's time limits are timers of the runtime, so they stand where its clock is paused.

use hyper::rt::{Sleep, Timer};
use pin_project_lite::pin_project;
use shinkan::time;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Gives hyper its time limits: pass it to a builder's `timer`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Timer for Clock {
    /// # Panics
    /// Outside of a runtime, or in one without timers.
    #[track_caller]
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(Pause { sleep: time::sleep(duration) })
    }

    /// # Panics
    /// Outside of a runtime, or in one without timers.
    #[track_caller]
    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Pause { sleep: time::sleep_until(deadline.into()) })
    }

    fn now(&self) -> Instant {
        time::Instant::now().into_std()
    }

    /// Moves the deadline in place: hyper does it with each read.
    #[track_caller]
    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Pause>() {
            Some(pause) => pause.project().sleep.reset(deadline.into()),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

pin_project! {
    struct Pause {
        #[pin]
        sleep: time::Sleep,
    }
}

impl Sleep for Pause {}

impl Future for Pause {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}
