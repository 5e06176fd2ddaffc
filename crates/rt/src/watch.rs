//! Which deadline the sleepers watch. See the end of `IDLE.md`.

use shinkan_base::atomics::plain::{AtomicU64, Ordering};

/// Ticks (ms) that the other sleepers wait longer than the one that watches the deadline.
const SLACK: u64 = 10;

/// The tick that one sleeper waits for; `u64::MAX` where none does.
pub(crate) struct Watch(AtomicU64);

impl Watch {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }

    /// A sleeper is about to wait, with `deadline` the earliest of all: until when it should.
    pub(crate) fn begin(&self, deadline: u64) -> u64 {
        if deadline == u64::MAX {
            return u64::MAX;
        }
        let before = self.0.fetch_min(deadline, Ordering::SeqCst);
        if deadline < before { deadline } else { deadline.saturating_add(SLACK) }
    }

    /// It is back from waiting until `until`.
    pub(crate) fn end(&self, until: u64) {
        if until != u64::MAX {
            // Only the one that watches finds its own tick here; another's value stays.
            let _ = self.0.compare_exchange(until, u64::MAX, Ordering::SeqCst, Ordering::Relaxed);
        }
    }

    /// Whether a timer for `deadline`, registered off the workers, would be seen too late.
    pub(crate) fn is_late_for(&self, deadline: u64) -> bool {
        deadline < self.0.load(Ordering::SeqCst)
    }
}
