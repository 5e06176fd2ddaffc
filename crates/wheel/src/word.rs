//! The state of an entry: one word, which is its deadline while it is linked.
//!
//! ```text
//! row  state      the entry's other fields belong to
//!  1   Idle       the owner; it is in no wheel
//!  2   Linked(t)  whoever holds the shard's lock; the owner alone writes the waker, under the
//!                 lock, so it may read the waker without
//!  3   Fired      the owner; its waker was taken
//!  4   Closed     the owner; its waker was taken, and its shard takes no more entries
//! ```
//!
//! (1) `link` 1→2, the owner under the lock. (2) `fire` 2→3, the lock's holder, who has read the
//! waker and unlinked the entry before and never touches it again. (3) `close` 2→4, likewise.
//! (4) `idle`, any→1: the owner, out of row 2 under the lock. (5) `extend` 2→2, to a later
//! deadline: the owner without the lock; the wheel finds out when the old deadline comes up.
//! (6) `fired` 1→3 and 2→3, `refused` 1→4: the owner, whose deadline was past, or whose shard was
//! closed; out of row 2 under the lock.
//!
//! # Orderings, in pairs
//!
//! - A: (2) and (3) are Release; the owner's `load` is Acquire. So what the firing thread did with
//!   the entry is over when the owner, without the lock, reuses or frees it.
//! - The rest is ordered by the lock, or is the owner's own. (5) against (2): both are
//!   compare-and-swaps on the same word, so one of them sees the other.

use shinkan_base::atomics::{AtomicU64, Ordering};
use shinkan_base::canary;

/// The latest tick that an entry can wait for; later ones are moved to it.
pub(crate) const LAST: u64 = u64::MAX - 3;

const CLOSED: u64 = u64::MAX - 2;
const FIRED: u64 = u64::MAX - 1;
const IDLE: u64 = u64::MAX;

/// What a [`Word`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Idle,
    /// The deadline.
    Linked(u64),
    Fired,
    Closed,
}

#[derive(Debug)]
pub(crate) struct Word(AtomicU64);

impl Word {
    #[inline]
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(IDLE))
    }

    /// For the owner, without the lock.
    #[inline]
    pub(crate) fn load(&self) -> State {
        // Pair A.
        State::of(self.0.load(Ordering::Acquire))
    }

    /// Under the lock: an entry that is linked now stays so until the unlock.
    #[inline]
    pub(crate) fn load_locked(&self) -> State {
        State::of(self.0.load(Ordering::Relaxed))
    }

    /// (1)
    #[inline]
    pub(crate) fn link(&self, deadline: u64) {
        debug_assert!(deadline <= LAST);
        self.0.store(deadline, Ordering::Relaxed);
    }

    /// (2). Not done where the deadline is not `deadline` any more: the answer is what it is.
    #[inline]
    pub(crate) fn fire(&self, deadline: u64) -> Result<(), u64> {
        // Pair A.
        let order =
            if canary("timer_fire_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        self.0.compare_exchange(deadline, FIRED, order, Ordering::Relaxed).map(drop)
    }

    /// (3)
    #[inline]
    pub(crate) fn close(&self) {
        // Pair A. An extension at the same time is overwritten, or fails.
        let order =
            if canary("timer_close_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        self.0.store(CLOSED, order);
    }

    /// (4)
    #[inline]
    pub(crate) fn idle(&self) {
        self.0.store(IDLE, Ordering::Relaxed);
    }

    /// (5). Not done where the entry has fired meanwhile.
    #[inline]
    pub(crate) fn extend(&self, from: u64, to: u64) -> bool {
        debug_assert!(from <= to && to <= LAST);
        if canary("timer_extend_unchecked") {
            self.0.store(to, Ordering::Relaxed);
            return true;
        }
        self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// (6)
    #[inline]
    pub(crate) fn fired(&self) {
        self.0.store(FIRED, Ordering::Relaxed);
    }

    /// (6)
    #[inline]
    pub(crate) fn refused(&self) {
        self.0.store(CLOSED, Ordering::Relaxed);
    }
}

impl State {
    #[inline(always)]
    fn of(word: u64) -> Self {
        match word {
            IDLE => State::Idle,
            FIRED => State::Fired,
            CLOSED => State::Closed,
            deadline => State::Linked(deadline),
        }
    }
}
