//! What a task waits for: one small record in its header, written by its own poll alone.
//!
//! A leaf future that answers Pending leaves kind, resource and place here; the reader (a dump on
//! another thread) may see a record half of one wait and half of the next, so it reads twice and
//! keeps what was equal. Plain relaxed stores: a wait costs three of them and a poll one.

use crate::atomics::plain::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use core::panic::Location;

pub use crate::wait_kind::WaitKind;

/// What a reader of a [`WaitSlot`] gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Of the leaf that answered Pending last.
    pub kind: WaitKind,
    /// The address of what is waited for, or another number that tells two of them apart.
    pub resource: usize,
    /// Where the leaf was made.
    pub place: &'static Location<'static>,
    /// How many leaves answered Pending in the last poll; at least 1.
    pub leaves: u32,
}

/// The record: 24 bytes in each task's header.
#[derive(Debug)]
pub struct WaitSlot {
    // Kind in the low 8 bits, the number of pending leaves of this poll above.
    word: AtomicU32,
    // Of the frame, not of the wait: it stands where there would be padding.
    owner: AtomicU32,
    resource: AtomicUsize,
    place: AtomicPtr<Location<'static>>,
}

impl WaitSlot {
    /// An empty record.
    pub const fn new() -> Self {
        Self {
            word: AtomicU32::new(0),
            owner: AtomicU32::new(0),
            resource: AtomicUsize::new(0),
            place: AtomicPtr::new(core::ptr::null_mut()),
        }
    }

    /// Forgets all waits: the task is about to be polled.
    #[inline(always)]
    pub fn clear(&self) {
        self.word.store(0, Ordering::Relaxed);
    }

    /// Notes that a leaf answered Pending in this poll.
    #[inline]
    pub fn note(&self, kind: WaitKind, resource: usize, place: &'static Location<'static>) {
        let leaves = (self.word.load(Ordering::Relaxed) >> 8) + 1;
        self.place.store(core::ptr::from_ref(place).cast_mut(), Ordering::Relaxed);
        self.resource.store(resource, Ordering::Relaxed);
        self.word.store(leaves.min(0x00ff_ffff) << 8 | kind as u32, Ordering::Relaxed);
    }

    /// The last wait, or nothing where the task waits for no leaf or is just writing.
    pub fn read(&self) -> Option<Wait> {
        let word = self.word.load(Ordering::Acquire);
        let resource = self.resource.load(Ordering::Acquire);
        let place = self.place.load(Ordering::Acquire);
        let again = (
            self.word.load(Ordering::Acquire),
            self.resource.load(Ordering::Acquire),
            self.place.load(Ordering::Acquire),
        );
        if word >> 8 == 0 || place.is_null() || (word, resource, place) != again {
            return None;
        }
        // SAFETY:
        // - not null, and only ever stored by `note` from a `&'static Location`.
        let place: &'static Location<'static> = unsafe { &*place };
        let kind = WaitKind::ALL[(word & 0xff) as usize];
        Some(Wait { kind, resource, place, leaves: word >> 8 })
    }
}

impl Default for WaitSlot {
    fn default() -> Self {
        Self::new()
    }
}

/// What a poll knows of the task it polls: its number and its wait record.
#[derive(Debug)]
pub struct TaskFrame {
    /// The task's number, unique in the process.
    pub id: u64,
    /// Written by the task's own poll.
    pub wait: WaitSlot,
}

impl TaskFrame {
    /// A frame without a wait.
    pub const fn new(id: u64) -> Self {
        Self { id, wait: WaitSlot::new() }
    }

    /// The number of the registry that holds the task; 0 where none does.
    #[inline]
    pub fn owner(&self) -> u32 {
        self.wait.owner.load(Ordering::Relaxed)
    }

    /// Sets it; the registry's own, under its lock.
    #[inline]
    pub fn set_owner(&self, registry: u32) {
        self.wait.owner.store(registry, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{WaitKind, WaitSlot};
    use core::panic::Location;

    #[test]
    fn the_last_leaf_of_a_poll_is_read() {
        let slot = WaitSlot::new();
        assert!(slot.read().is_none());
        let here = Location::caller();
        slot.note(WaitKind::Mutex, 7, here);
        slot.note(WaitKind::Sleep, 9, here);
        let wait = slot.read().expect("two leaves waited");
        assert_eq!((wait.kind, wait.resource, wait.leaves), (WaitKind::Sleep, 9, 2));
        assert_eq!(wait.place, here);
        slot.clear();
        assert!(slot.read().is_none());
    }

    #[test]
    fn the_record_stays_small() {
        assert_eq!(size_of::<WaitSlot>(), 24);
    }

    #[test]
    fn kinds_are_numbered_in_order() {
        for (i, kind) in WaitKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, i);
            assert!(!kind.as_str().is_empty());
        }
    }
}
