//! What a worker counts. Each word has one writer, the core's holder, so counting is a plain load
//! and store; readers see a recent value.

use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_base::pad::Padded;

#[derive(Debug, Default)]
struct Words {
    polls: AtomicU64,
    steals: AtomicU64,
    parks: AtomicU64,
    unparks: AtomicU64,
}

/// One worker's numbers, on a line of their own.
#[derive(Debug, Default)]
pub(crate) struct Counters(Padded<Words>);

#[inline]
fn add(word: &AtomicU64, n: u64) {
    word.store(word.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    #[inline]
    pub(crate) fn inc_polls(&self) {
        add(&self.0.polls, 1);
    }

    pub(crate) fn inc_steals(&self, tasks: u64) {
        add(&self.0.steals, tasks);
    }

    pub(crate) fn inc_parks(&self) {
        add(&self.0.parks, 1);
    }

    pub(crate) fn inc_unparks(&self) {
        add(&self.0.unparks, 1);
    }

    pub(crate) fn polls(&self) -> u64 {
        self.0.polls.load(Ordering::Relaxed)
    }

    pub(crate) fn steals(&self) -> u64 {
        self.0.steals.load(Ordering::Relaxed)
    }

    pub(crate) fn parks(&self) -> u64 {
        self.0.parks.load(Ordering::Relaxed)
    }

    pub(crate) fn unparks(&self) -> u64 {
        self.0.unparks.load(Ordering::Relaxed)
    }
}
