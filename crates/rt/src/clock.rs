//! A clock that was stopped for a test: who keeps it from being moved, and what a move does.
//!
//! The driver moves a stopped clock to the next deadline instead of waiting for it. A blocking
//! closure takes real time, and must not be overtaken by that.

use crate::current::fire_and_wake;
use crate::handle::Handle;
use core::time::Duration;
use shinkan_base::wakers::Wakers;

/// Keeps the driver from moving a stopped clock while a blocking closure runs.
pub(crate) struct HoldsClock(Handle);

impl HoldsClock {
    /// Nothing where the clock runs: it is not moved then.
    #[inline]
    pub(crate) fn new(handle: &Handle) -> Option<Self> {
        let clock = handle.clock();
        clock.is_paused().then(|| {
            clock.inhibit_auto_advance();
            Self(handle.clone())
        })
    }
}

impl Drop for HoldsClock {
    fn drop(&mut self) {
        self.0.clock().allow_auto_advance();
        // Whoever waits in real time may now move the clock instead.
        let shared = self.0.shared();
        shared.idle().wake_for_timer(&shared.driver);
    }
}

impl Handle {
    /// Moves a stopped clock and fires what is due then. `false` where the clock runs.
    #[doc(hidden)]
    pub fn advance_clock(&self, by: Duration) -> bool {
        let moved = self.clock().advance(by);
        if moved {
            fire_and_wake(self.shared(), Wakers::new());
        }
        moved
    }
}
