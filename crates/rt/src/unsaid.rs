//! What stands for `calls.rs` in the builds without the monitor: polls are counted for the metrics,
//! as ever, and nothing is said of them.
//!
//! `--cfg shinkan_unmonitored` or `--cfg shinkan_unwatched`, and `SHINKAN_STALL=off` when it runs;
//! `bench/src/bin/cost.rs` measures against them what the monitor costs.

use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_base::place::PlaceWord;

#[derive(Debug)]
pub(crate) struct Calls {
    polls: AtomicU64,
}

impl Calls {
    pub(crate) fn new() -> Self {
        Self { polls: AtomicU64::new(0) }
    }

    #[inline(always)]
    pub(crate) fn poll(&self, _task: u64, _place: PlaceWord) {
        let polls = self.polls.load(Ordering::Relaxed).wrapping_add(1);
        self.polls.store(polls, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn other(&self, _task: u64, _place: PlaceWord) {}

    #[inline]
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    pub(crate) fn sequence(&self) -> u64 {
        0
    }

    pub(crate) fn said(&self) -> (u64, PlaceWord) {
        (0, PlaceWord::NONE)
    }
}
