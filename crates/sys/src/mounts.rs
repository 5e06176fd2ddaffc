//! Of which mounts a file can be opened and read without asking anybody.
//!
//! Called by `cached`, on any thread. To open a file of FUSE is to ask a program, which may be this
//! one, and a file of another machine asks that; nothing says so before the file is open. So a
//! thread that may block finds out, once for each mount, and it is remembered here.
//!
//! A word is a mount's id, doubled, plus 1 where its files can be read at once; 0 is none. Each
//! word says all it says alone, so no ordering is needed. Two threads may write down one mount
//! twice, and a mount may be pushed out by others: both cost a look more.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use rustix::fs::{Statx, StatxFlags};

const ROOM: usize = 16;

static KNOWN: Known = Known::new();

struct Known {
    words: [AtomicU64; ROOM],
    next: AtomicUsize,
}

impl Known {
    const fn new() -> Self {
        Self { words: [const { AtomicU64::new(0) }; ROOM], next: AtomicUsize::new(0) }
    }

    fn find(&self, id: u64) -> Option<bool> {
        let mut words = self.words.iter().map(|word| word.load(Ordering::Relaxed));
        words.find(|word| word >> 1 == id).map(|word| word & 1 == 1)
    }

    fn put(&self, id: u64, yes: bool) {
        let nth = self.next.fetch_add(1, Ordering::Relaxed) % ROOM;
        self.words[nth].store(id << 1 | u64::from(yes), Ordering::Relaxed);
    }
}

/// What a mount is called, never to be another's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mount(u64);

impl Mount {
    // statx(2); `rustix` has no name for it yet.
    const UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);

    /// What statx(2) has to be asked for.
    pub(crate) const ASKED: StatxFlags = Self::UNIQUE;

    /// The mount that a file is on, where it has such a name. Before Linux 6.8 ids are used again,
    /// and so are the numbers of file systems that are on no device; a device's number stays.
    pub(crate) fn of(seen: &Statx) -> Option<Self> {
        if StatxFlags::from_bits_retain(seen.stx_mask).contains(Self::UNIQUE) {
            return Some(Self(seen.stx_mnt_id));
        }
        let device = u64::from(seen.stx_dev_major) << 32 | u64::from(seen.stx_dev_minor);
        (seen.stx_dev_major != 0).then_some(Self(device))
    }

    /// Whether its files can be read at once, if it is known.
    pub(crate) fn reads_at_once(self) -> Option<bool> {
        KNOWN.find(self.0)
    }

    /// Remembers whether they can.
    pub(crate) fn learn(self, reads_at_once: bool) {
        KNOWN.put(self.0, reads_at_once);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_known_until_others_push_it_out() {
        let known = Known::new();
        assert_eq!(known.find(7), None);
        known.put(7, true);
        known.put(8, false);
        assert_eq!((known.find(7), known.find(8)), (Some(true), Some(false)));
        for other in 100..100 + ROOM as u64 {
            known.put(other, true);
        }
        assert_eq!((known.find(7), known.find(8)), (None, None));
    }
}
