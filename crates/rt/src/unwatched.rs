//! What stands for the handshake in a build without it and without the monitor, to measure what they cost
//! (`--cfg shinkan_unwatched`, and `SHINKAN_STALL=off` when it runs; `bench/src/bin/cost.rs`). Nobody takes a core
//! here: a tenant goes inside and leaves for nothing, and asks only whether it gave the core away itself
//! (`block_in_place`).

use crate::calls::Calls;
use shinkan_base::atomics::plain::{AtomicBool, Ordering};
use shinkan_base::place::PlaceWord;

#[derive(Debug)]
pub(crate) struct Seat {
    is_gone: AtomicBool,
    calls: Calls,
}

impl Seat {
    pub(crate) fn new(_asymmetric: bool) -> Self {
        Self { is_gone: AtomicBool::new(false), calls: Calls::new() }
    }

    #[inline]
    pub(crate) fn enter(&self) -> bool {
        !self.is_gone.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn leave(&self) {}

    #[inline]
    pub(crate) fn leave_to_poll(&self, task: u64, place: PlaceWord) {
        self.calls.poll(task, place);
    }

    #[inline]
    pub(crate) fn leave_to_call(&self, task: u64, place: PlaceWord) {
        self.calls.other(task, place);
    }

    #[inline]
    pub(crate) fn enter_kept(&self) {}

    pub(crate) fn note_return(&self) {}

    pub(crate) fn has_returned(&self) -> bool {
        false
    }

    pub(crate) fn surrender(&self) {
        self.is_gone.store(true, Ordering::Release);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.calls.sequence()
    }

    pub(crate) fn is_outside(&self) -> bool {
        false
    }

    pub(crate) fn said(&self) -> (u64, PlaceWord) {
        self.calls.said()
    }

    #[inline]
    pub(crate) fn polls(&self) -> u64 {
        self.calls.polls()
    }

    pub(crate) fn try_take(&self, _sequence: u64, _heavy_fence: impl FnOnce()) -> bool {
        false
    }
}
