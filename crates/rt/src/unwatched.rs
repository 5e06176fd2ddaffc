//! What stands for the handshake in a build without it and without the monitor, to measure what they cost
//! (`--cfg shinkan_unwatched`, and `SHINKAN_STALL=off` when it runs; `bench/src/bin/cost.rs`). Nobody takes a core
//! here: a tenant goes inside and leaves for nothing, and asks only whether it gave the core away itself
//! (`block_in_place`).

use shinkan_base::atomics::plain::{AtomicBool, Ordering};

#[derive(Debug)]
pub(crate) struct Seat(AtomicBool);

impl Seat {
    pub(crate) fn new(_asymmetric: bool) -> Self {
        Self(AtomicBool::new(false))
    }

    #[inline]
    pub(crate) fn enter(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn leave(&self) {}

    pub(crate) fn surrender(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn bump(&self) {}

    pub(crate) fn sequence(&self) -> u64 {
        0
    }

    pub(crate) fn try_take(&self, _sequence: u64, _heavy_fence: impl FnOnce()) -> bool {
        false
    }
}
