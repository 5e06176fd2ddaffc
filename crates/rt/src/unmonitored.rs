//! What stands for the handshake in a build without the monitor, to measure what that costs
//! (`--cfg shinkan_unmonitored`, and `SHINKAN_STALL=off` when it runs; `bench/src/bin/cost.rs`). A core can be taken
//! as ever, but there is no sequence for a monitor to look at.

use crate::kept;

#[derive(Debug)]
pub(crate) struct Seat(kept::Seat);

impl Seat {
    pub(crate) fn new(asymmetric: bool) -> Self {
        Self(kept::Seat::new(asymmetric))
    }

    #[inline]
    pub(crate) fn enter(&self) -> bool {
        self.0.enter()
    }

    #[inline]
    pub(crate) fn leave(&self) {
        self.0.leave();
    }

    pub(crate) fn surrender(&self) {
        self.0.surrender();
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.0.is_gone()
    }

    #[inline]
    pub(crate) fn bump(&self) {}

    pub(crate) fn sequence(&self) -> u64 {
        self.0.sequence()
    }

    pub(crate) fn try_take(&self, sequence: u64, heavy_fence: impl FnOnce()) -> bool {
        self.0.try_take(sequence, heavy_fence)
    }
}
