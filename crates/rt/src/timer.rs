//! One timer of the runtime, as a part of whatever sleeps.

use crate::enter::with_current;
use crate::handle::{Handle, NO_RUNTIME};
use crate::seated::{self, Seated};
use crate::shared::Shared;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use pin_project_lite::pin_project;
use shinkan_base::atomics::Arc;
use shinkan_base::wait::WaitKind;
use shinkan_context::budget;
use shinkan_wheel::{Entry, Shard};
use std::time::Instant;

pin_project! {
    /// A deadline on the runtime's clock. Registered at its first Pending poll, in the wheel of
    /// the worker that polls it; dropping it unlinks it before the drop returns.
    #[derive(Debug)]
    pub struct Timer {
        handle: Handle,
        deadline: Instant,
        #[pin]
        entry: Entry,
    }
}

/// What stands for "never": further away than any program runs, near enough to add to.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

impl Timer {
    /// A timer for `deadline` on the runtime that this thread is in.
    ///
    /// # Panics
    /// Outside every runtime, and in one that was built without timers.
    #[track_caller]
    #[inline]
    pub fn new(deadline: Instant) -> Self {
        Self { handle: timed(), deadline, entry: Entry::new() }
    }

    /// A timer for `duration` from now; one that is too long for the clock ends in 30 years.
    ///
    /// # Panics
    /// As [`Timer::new`].
    #[track_caller]
    #[inline]
    pub fn after(duration: Duration) -> Self {
        let handle = timed();
        let now = handle.clock().now();
        let deadline = now.checked_add(duration).unwrap_or_else(|| now + FAR);
        Self { handle, deadline, entry: Entry::new() }
    }

    /// When it ends.
    #[inline]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether it was seen to have ended.
    #[inline]
    pub fn is_elapsed(&self) -> bool {
        self.entry.is_fired()
    }

    /// Another deadline: the next poll registers it.
    #[inline]
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.deadline = deadline;
        this.entry.reset();
    }

    /// Another deadline, for whoever waits for the timer already: it is woken at the new one
    /// without another poll.
    pub fn move_to(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.deadline = deadline;
        let tick = registered_tick(this.handle, deadline);
        if this.entry.move_to(tick) {
            ring_if_late(this.handle.shared(), |_| tick);
        }
    }

    /// Ready once the deadline has passed, never before. `place` is where the sleep was made.
    ///
    /// # Panics
    /// If the runtime has ended: the timer would never fire.
    #[inline]
    pub fn poll_elapsed(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
    ) -> Poll<()> {
        let unit = ready!(budget::poll_proceed(cx));
        let this = self.project();
        let (handle, deadline) = (&*this.handle, *this.deadline);
        let mut earliest = false;
        let polled = this
            .entry
            .poll(cx.waker(), &mut earliest, || (shard(handle), registered_tick(handle, deadline)));
        match polled {
            Poll::Ready(Ok(())) => {
                unit.made_progress();
                Poll::Ready(())
            }
            Poll::Ready(Err(_closed)) => panic!(
                "A Tokio 1.x context was found, but it is being shutdown. A timer was polled after \
                 its runtime had ended, and would never fire"
            ),
            Poll::Pending => {
                if earliest {
                    ring_if_late(handle.shared(), |shared| shared.deadline_tick(deadline));
                }
                shinkan_context::pending(
                    WaitKind::Sleep,
                    core::ptr::from_ref(handle).addr(),
                    place,
                );
                Poll::Pending
            }
        }
    }
}

/// The wheel of the worker that polls now, or the one for all other threads.
#[inline]
fn shard(handle: &Handle) -> Arc<Shard> {
    seated::with(|seated| match seated {
        Some(Seated::Multi(worker)) if worker.handle.is(handle.shared()) => {
            worker.slot().timers.clone()
        }
        _ => handle.shared().timers.clone(),
    })
}

/// The tick for which a deadline is registered. A clock that stands still moves no wheel, so a
/// deadline that it has passed already is told from one that is due at the next move; else the
/// wheel knows well enough, and no clock is read.
#[inline]
fn registered_tick(handle: &Handle, deadline: Instant) -> u64 {
    let shared = handle.shared();
    let tick = shared.deadline_tick(deadline);
    if handle.clock().is_paused() && tick <= shared.now_tick() { 0 } else { tick }
}

/// Whoever drives looks at the clock itself before it sleeps; a thread that does not has to ring.
#[inline]
fn ring_if_late(shared: &Shared, tick: impl FnOnce(&Shared) -> u64) {
    let drives = seated::with(|seated| match seated {
        Some(Seated::Multi(worker)) => worker.handle.is(shared) && !worker.is_gone(),
        Some(Seated::Current(worker)) => worker.handle.is(shared),
        None => false,
    });
    if !drives && shared.watch.is_late_for(tick(shared)) {
        shared.idle().wake_for_timer(&shared.driver);
    }
}

#[track_caller]
#[inline]
fn timed() -> Handle {
    match with_current(Handle::clone) {
        Ok(handle) if handle.shared().config.time => handle,
        Ok(_) => panic!(
            "A Tokio 1.x context was found, but timers are disabled. Call `enable_time` on the \
             runtime builder to enable timers. `enable_all` enables them with IO"
        ),
        Err(_) => panic!("{NO_RUNTIME}"),
    }
}

/// The time on the clock of the runtime that this thread is in, or the real one outside.
#[inline]
pub fn now() -> Instant {
    with_current(|handle| handle.clock().now()).unwrap_or_else(|_| shinkan_sys::clock::now())
}
