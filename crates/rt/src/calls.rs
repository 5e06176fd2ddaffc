//! What a thread says of the user code that it is in, for the monitor to read: which call of this
//! tenure it is, and of what. See the end of `HANDSHAKE.md`; `models/tests/handshake_calls.rs` walks it.
//!
//! Written by the tenant alone, inside, before it leaves: [`Seat`](crate::handshake::Seat) calls it.

use shinkan_base::atomics::{AtomicU64, Ordering, fence};
use shinkan_base::canary;
use shinkan_base::place::{PlaceCell, PlaceWord};

/// The calls of user code of one tenure.
#[derive(Debug)]
pub(crate) struct Calls {
    /// Polls of tasks: the metrics count them too.
    polls: AtomicU64,
    /// The other calls.
    others: AtomicU64,
    /// What the last one is of.
    task: AtomicU64,
    place: PlaceCell,
}

impl Calls {
    pub(crate) fn new() -> Self {
        let (polls, others) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { polls, others, task: AtomicU64::new(0), place: PlaceCell::new() }
    }

    /// The call that starts now is a poll.
    #[inline(always)]
    pub(crate) fn poll(&self, task: u64, place: PlaceWord) {
        self.next(&self.polls, task, place);
    }

    /// The call that starts now is another one.
    #[inline(always)]
    pub(crate) fn other(&self, task: u64, place: PlaceWord) {
        self.next(&self.others, task, place);
    }

    #[inline(always)]
    fn next(&self, count: &AtomicU64, task: u64, place: PlaceWord) {
        if canary("calls_said_first") {
            self.say(task, place);
        }
        let order = if canary("calls_sequence_relaxed") {
            Ordering::Relaxed
        } else {
            // With it comes that the tenant is inside: an `inside` that is false is of a later leave.
            Ordering::Release
        };
        count.store(count.load(Ordering::Relaxed).wrapping_add(1), order);
        self.say(task, place);
    }

    #[inline(always)]
    fn say(&self, task: u64, place: PlaceWord) {
        // With it comes the sequence.
        let order =
            if canary("calls_said_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        self.task.store(task, order);
        self.place.set(place);
    }

    /// How many polls there were, with the one that goes on.
    #[inline]
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    /// Which call it is: moves with each.
    #[inline]
    pub(crate) fn sequence(&self) -> u64 {
        let polls = self.polls.load(Ordering::Acquire);
        // Both only grow: a sum that is seen twice is that of the same two.
        polls.wrapping_add(self.others.load(Ordering::Acquire))
    }

    /// What was said of the last call.
    pub(crate) fn said(&self) -> (u64, PlaceWord) {
        let said = (self.task.load(Ordering::Relaxed), self.place.get());
        fence(Ordering::Acquire);
        said
    }
}
