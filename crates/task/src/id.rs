//! The number of a task.

use crate::header::Header;
use core::cell::Cell;
use core::fmt;
use core::num::NonZeroU64;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};

/// A number that no other task of this process has or will have.
///
/// It says nothing of the order in which tasks were spawned.
#[derive(Clone, Copy, Debug, Hash, Eq, PartialEq, Ord, PartialOrd)]
pub struct Id(NonZeroU64);

/// A thread takes this many numbers at once, so that spawning writes no line that all share.
/// The registry counts on it too: a block's tasks stand in one shard.
pub(crate) const BLOCK: u64 = 64;

static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // The next number of this thread's block; a multiple of BLOCK: take a new one.
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

impl Id {
    /// A new number.
    #[inline]
    pub fn next() -> Self {
        NEXT.with(|next| {
            let mut id = next.get();
            if id % BLOCK == 0 {
                id = next_block_slow();
            }
            next.set(id + 1);
            // The first of a block is never 0: `next_block_slow` leaves the very first number out.
            Self(NonZeroU64::new(id).unwrap_or(NonZeroU64::MIN))
        })
    }

    /// The number as such, as wait records and dumps have it.
    #[inline]
    pub fn as_u64(self) -> u64 {
        self.0.get()
    }

    #[inline]
    pub(crate) fn of(header: &Header) -> Self {
        Self(NonZeroU64::new(header.frame.id).unwrap_or(NonZeroU64::MIN))
    }
}

#[cold]
fn next_block_slow() -> u64 {
    let block = NEXT_BLOCK.fetch_add(1, Ordering::Relaxed);
    // The number at a block's border asks for a new block, so a block starts one behind it.
    block * BLOCK + 1
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The task number that [`Id::as_u64`] gave; nothing for 0, which no task has.
pub fn id_from_u64(number: u64) -> Option<Id> {
    NonZeroU64::new(number).map(Id)
}

/// The number of the task that is running on this thread.
///
/// # Panics
/// Outside a task; the future given to `block_on` is none.
#[track_caller]
pub fn id() -> Id {
    match try_id() {
        Some(id) => id,
        None => panic!(
            "`task::id` was called outside a task: call it in code that a spawned task runs, or \
             use `task::try_id`"
        ),
    }
}

/// The number of the task that is running on this thread; nothing outside one.
#[track_caller]
pub fn try_id() -> Option<Id> {
    shinkan_context::task_id().and_then(NonZeroU64::new).map(Id)
}

#[cfg(test)]
mod tests {
    use super::Id;
    use std::collections::HashSet;

    #[test]
    fn no_number_comes_twice_on_many_threads() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..1_000).map(|_| Id::next()).collect::<Vec<_>>()))
            .collect();
        let all: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap_or_default()).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 4_000);
        assert_eq!(Id::next().to_string().parse().ok(), Some(Id::next().as_u64() - 1));
    }
}
