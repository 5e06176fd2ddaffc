//! How the monitor sleeps while nobody works, and is woken by the first who does. See
//! `MONITOR.md`; `models/tests/alarm.rs` walks its interleavings. Never blocks.

use shinkan_base::atomics::{AtomicBool, Ordering};
use shinkan_base::canary;

/// Armed while the monitor sleeps, or is about to, until somebody wakes it.
#[derive(Debug, Default)]
pub struct Alarm {
    armed: AtomicBool,
}

impl Alarm {
    /// Not armed.
    pub fn new() -> Self {
        Self { armed: AtomicBool::new(false) }
    }

    /// The monitor means to sleep. True: it may, for whoever works from now on wakes it. `fence` is
    /// the rare side of the fence whose frequent side [`Alarm::must_wake`] is given.
    #[must_use]
    pub fn arm(&self, fence: impl FnOnce(), nobody_works: impl FnOnce() -> bool) -> bool {
        if canary("alarm_step_swapped") {
            let nobody = nobody_works();
            self.armed.store(true, Ordering::Relaxed);
            fence();
            return nobody;
        }
        self.armed.store(true, Ordering::Relaxed);
        if !canary("alarm_no_fence") {
            fence();
        }
        if nobody_works() || canary("alarm_no_recheck") {
            return true;
        }
        // Whoever took it meanwhile has left a wake-up that the next sleep finds.
        self.armed.store(false, Ordering::Relaxed);
        false
    }

    /// Somebody, who has counted itself as working before, asks whether the monitor has to be
    /// woken, and by it. `fence` is the frequent side.
    #[inline]
    #[must_use]
    pub fn must_wake(&self, fence: impl FnOnce()) -> bool {
        fence();
        self.armed.load(Ordering::Relaxed) && self.armed.swap(false, Ordering::Relaxed)
    }
}
