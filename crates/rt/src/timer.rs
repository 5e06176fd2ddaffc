//! One timer of the runtime, as a part of whatever sleeps.

#![allow(unsafe_code)]

use crate::enter::with_current;
use crate::handle::NO_RUNTIME;
use crate::scheduler::Scheduler;
use crate::seated::{self, Seated};
use crate::shared::Shared;
use core::fmt;
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use pin_project_lite::pin_project;
use shinkan_base::wait::WaitKind;
use shinkan_context::budget;
use shinkan_wheel::{Entry, Shard};
use std::time::Instant;

pin_project! {
    /// A deadline on the runtime's clock. Registered at its first Pending poll, in the wheel of
    /// the worker that polls it; dropping it unlinks it before the drop returns.
    pub struct Timer {
        // Before the runtime, whose count keeps the entry's shard alive.
        #[pin]
        entry: Entry,
        due: Due,
        runtime: Scheduler,
    }
}

/// The end of a limit. A timer is made of it where it is to stay: made here it would be moved three
/// times, which is 90 instructions.
pub struct Limit {
    due: Due,
    runtime: Scheduler,
}

/// When a timer ends.
#[derive(Clone, Copy, Debug)]
enum Due {
    At(Instant),
    /// So many nanoseconds after the runtime's start. The end of a limit is told to nobody, and as
    /// instants a limit takes 80 instructions more.
    AfterStart(u64),
}

impl Limit {
    /// The end of `duration`, which begins now; nothing where that is too long for the clock.
    ///
    /// # Panics
    /// As [`Timer::new`], where it is not too long.
    #[track_caller]
    #[inline]
    pub fn of(duration: Duration) -> Option<Self> {
        let quick = with_current(|handle| {
            let shared = handle.shared();
            if !shared.config.time {
                return None;
            }
            let due = Due::AfterStart(shared.ns_after(duration)?);
            Some(Self { due, runtime: Scheduler::new(handle) })
        });
        match quick {
            Ok(Some(limit)) => Some(limit),
            _ => Self::of_slow(duration),
        }
    }

    #[cold]
    #[track_caller]
    #[allow(clippy::manual_map, reason = "a closure would not hand the caller's place on")]
    fn of_slow(duration: Duration) -> Option<Self> {
        match now().checked_add(duration) {
            Some(deadline) => Some(Self { due: Due::At(deadline), runtime: timed() }),
            None => None,
        }
    }
}

impl Due {
    /// The tick at which it has passed for certain.
    #[inline]
    #[allow(clippy::manual_div_ceil, reason = "`div_ceil` takes the rest too, by a second product")]
    fn tick(self, shared: &Shared) -> u64 {
        match self {
            Due::At(deadline) => shared.deadline_tick(deadline),
            // `ns` is far below where the sum overflows: a limit is a century at most.
            Due::AfterStart(ns) => (ns + 999_999) / 1_000_000,
        }
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
        Self { entry: Entry::new(), due: Due::At(deadline), runtime: timed() }
    }

    /// A timer for a limit.
    #[inline]
    pub fn of(limit: Limit) -> Self {
        Self { entry: Entry::new(), due: limit.due, runtime: limit.runtime }
    }

    /// A timer for `duration` from now; one that is too long for the clock ends in 30 years.
    ///
    /// # Panics
    /// As [`Timer::new`].
    #[track_caller]
    #[inline]
    pub fn after(duration: Duration) -> Self {
        let runtime = timed();
        let now = runtime.shared().driver.clock().now();
        let deadline = now.checked_add(duration).unwrap_or_else(|| now + FAR);
        Self { entry: Entry::new(), due: Due::At(deadline), runtime }
    }

    /// When it ends.
    #[inline]
    pub fn deadline(&self) -> Instant {
        match self.due {
            Due::At(deadline) => deadline,
            Due::AfterStart(ns) => self.runtime.shared().start + Duration::from_nanos(ns),
        }
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
        *this.due = Due::At(deadline);
        this.entry.reset();
    }

    /// Another deadline, for whoever waits for the timer already: it is woken at the new one
    /// without another poll.
    pub fn move_to(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.due = Due::At(deadline);
        let shared = this.runtime.shared();
        let tick = registered_tick(shared, *this.due);
        if this.entry.move_to(tick) {
            ring_if_late(shared, tick);
        }
    }

    /// Ready once the deadline has passed, never before. `place` is where the sleep was made.
    ///
    /// # Panics
    /// If the runtime has ended: the timer would never fire.
    // Not inline: it would be a part of each future that has a limit.
    pub fn poll_elapsed(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
    ) -> Poll<()> {
        let unit = ready!(budget::poll_proceed(cx));
        let this = self.project();
        let (runtime, due) = (&*this.runtime, *this.due);
        let (mut earliest, mut tick) = (false, 0);
        let polled = this.entry.poll(cx.waker(), &mut earliest, || {
            let shard = shard(runtime.shared());
            tick = registered_tick(runtime.shared(), due);
            // SAFETY:
            // - alive as long as the entry: it lives as long as the runtime, of which `runtime` has
            //   a count; that field stands behind the entry, is dropped after it, and is never
            //   replaced.
            (unsafe { shard.as_ref() }, tick)
        });
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
                    ring_if_late(runtime.shared(), tick);
                }
                shinkan_context::pending(
                    WaitKind::Sleep,
                    core::ptr::from_ref(runtime).addr(),
                    place,
                );
                Poll::Pending
            }
        }
    }
}

/// The wheel of the worker that polls now, or the one for all other threads. It lives as long as the
/// runtime: its slots are neither replaced nor freed before.
#[inline]
fn shard(shared: &Shared) -> NonNull<Shard> {
    seated::with(|seated| match seated {
        Some(Seated::Multi(worker)) if worker.handle.is(shared) => {
            NonNull::from(&worker.slot().timers)
        }
        _ => NonNull::from(&shared.timers),
    })
}

/// The tick for which a deadline is registered. A clock that stands still moves no wheel, so a
/// deadline that it has passed already is told from one that is due at the next move; else the
/// wheel knows well enough, and no clock is read.
#[inline]
fn registered_tick(shared: &Shared, due: Due) -> u64 {
    let tick = due.tick(shared);
    if shared.driver.clock().is_own() { own_tick_slow(shared, tick) } else { tick }
}

#[cold]
fn own_tick_slow(shared: &Shared, tick: u64) -> u64 {
    if shared.driver.clock().is_paused() && tick <= shared.now_tick() { 0 } else { tick }
}

/// Whoever drives looks at the clock itself before it sleeps; a thread that does not has to ring.
#[inline]
fn ring_if_late(shared: &Shared, tick: u64) {
    let drives = seated::with(|seated| match seated {
        Some(Seated::Multi(worker)) => worker.handle.is(shared) && !worker.is_gone(),
        Some(Seated::Current(worker)) => worker.handle.is(shared),
        None => false,
    });
    if !drives && shared.watch.is_late_for(tick) {
        shared.idle().wake_for_timer(&shared.driver);
    }
}

#[track_caller]
#[inline]
fn timed() -> Scheduler {
    match with_current(|handle| handle.shared().config.time.then(|| Scheduler::new(handle))) {
        Ok(Some(runtime)) => runtime,
        Ok(None) => panic!(
            "A Tokio 1.x context was found, but timers are disabled. Call `enable_time` on the \
             runtime builder to enable timers. `enable_all` enables them with IO"
        ),
        Err(_) => panic!("{NO_RUNTIME}"),
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("deadline", &self.deadline())
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}

/// The time on the clock of the runtime that this thread is in, or the real one outside.
#[inline]
pub fn now() -> Instant {
    with_current(|handle| handle.clock().now()).unwrap_or_else(|_| shinkan_sys::clock::now())
}
