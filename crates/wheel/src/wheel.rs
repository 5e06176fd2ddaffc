//! The slots: six levels of 64, each slot a list of entries. Everything here is under the lock of
//! the shard.
//!
//! A hashed hierarchical wheel (Varghese and Lauck, SOSP 1987, scheme 7), addressed by the bits of
//! the deadline: an entry stands on the level of the highest six-bit digit in which its deadline
//! differs from `cursor`, in the slot that this digit names. So on each level but the top all
//! occupied slots lie behind the cursor's own, the first of them is the lowest bit of a mask, and
//! a lower level is always due before a higher one. What is 2³⁶ ticks away or more (two years of
//! milliseconds) shares the top level's slots with the nearer and is looked at when it comes close.
//!
//! Each slot knows the least deadline that it was given. So the earliest deadline is known to the
//! tick, and nobody wakes up to move entries from level to level; removals leave it too early,
//! which costs one such wake-up.

#![allow(unsafe_code)]

use crate::entry::Entry;
use core::fmt;
use core::ptr::NonNull;
use shinkan_base::list::List;
use shinkan_base::wakers::Wakers;

const DIGIT: u32 = 6;
const SLOTS: usize = 1 << DIGIT;
const LEVELS: usize = 6;
const TOP: usize = LEVELS - 1;

struct Slot {
    entries: List<Entry>,
    // Not later than any deadline in the slot; `u64::MAX` where it is empty.
    min: u64,
}

pub(crate) struct Wheel {
    // All entries that were due before this tick have fired, and none of those that are linked is
    // due before it. It lags behind the clock while nothing is due.
    cursor: u64,
    closed: bool,
    // A bit a slot, set where it is occupied; and a bit a level with such slots.
    occupied: [u64; LEVELS],
    levels: u32,
    slots: [Slot; LEVELS * SLOTS],
}

/// The level and the slot on it of an entry that is due at `deadline`, seen from `cursor`.
#[inline]
fn place(cursor: u64, deadline: u64) -> (usize, usize) {
    // The lowest digit takes what differs in no higher one.
    let differs = (cursor ^ deadline) | (SLOTS as u64 - 1);
    let level = ((differs.ilog2() / DIGIT) as usize).min(TOP);
    let slot = (deadline >> (DIGIT * level as u32)) as usize % SLOTS;
    (level, slot)
}

impl Wheel {
    pub(crate) fn new(now: u64) -> Self {
        Self {
            cursor: now,
            closed: false,
            occupied: [0; LEVELS],
            levels: 0,
            slots: core::array::from_fn(|_| Slot { entries: List::new(), min: u64::MAX }),
        }
    }

    /// Whether [`Wheel::close`] was called.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether an entry with that deadline would be late: it is not to be linked.
    #[inline]
    pub(crate) fn is_past(&self, deadline: u64) -> bool {
        deadline <= self.cursor
    }

    /// Links an entry.
    ///
    /// # Safety
    /// The entry is alive, in no wheel, and stays where it is until it is unlinked or its state is
    /// no longer Linked.
    #[inline]
    pub(crate) unsafe fn link(&mut self, entry: NonNull<Entry>, deadline: u64) {
        debug_assert!(deadline >= self.cursor, "an entry is late when it is linked");
        let (level, slot) = place(self.cursor, deadline);
        let index = level * SLOTS + slot;
        // SAFETY: alive, and in no wheel, so its place is ours (the caller's word).
        unsafe { Entry::set_slot(entry, index as u16) };
        let slot_ref = &mut self.slots[index];
        slot_ref.min = slot_ref.min.min(deadline);
        // SAFETY: as for the place.
        unsafe { slot_ref.entries.push_back(entry) };
        self.occupied[level] |= 1 << slot;
        self.levels |= 1 << level;
    }

    /// Unlinks an entry. The answer is a deadline: [`Wheel::earliest`] may have changed only where
    /// it was not before that.
    ///
    /// # Safety
    /// The entry is linked in this wheel.
    #[inline]
    pub(crate) unsafe fn unlink(&mut self, entry: NonNull<Entry>) -> u64 {
        // SAFETY: linked here, so alive, and its place is the lock's.
        let index = unsafe { Entry::slot(entry) } as usize;
        let slot = &mut self.slots[index];
        // SAFETY: linked in the slot that its place names.
        let linked = unsafe { slot.entries.remove(entry) };
        debug_assert!(linked, "an entry was unlinked that was in no wheel");
        if slot.entries.is_empty() { self.emptied(index) } else { u64::MAX }
    }

    /// Notes that a slot has become empty, and returns its least deadline.
    #[inline]
    fn emptied(&mut self, index: usize) -> u64 {
        let level = index / SLOTS;
        self.occupied[level] &= !(1 << (index % SLOTS));
        if self.occupied[level] == 0 {
            self.levels &= !(1 << level);
        }
        core::mem::replace(&mut self.slots[index].min, u64::MAX)
    }

    /// The slot that is due first, and its least deadline.
    #[inline]
    fn first(&self) -> Option<(usize, u64)> {
        let level = self.levels.trailing_zeros() as usize;
        if level >= TOP {
            return self.first_of_top();
        }
        let index = level * SLOTS + self.occupied[level].trailing_zeros() as usize;
        Some((index, self.slots[index].min))
    }

    /// The same for the top level, whose slots are in no order: they hold what is far away too; also
    /// where there is nothing at all.
    fn first_of_top(&self) -> Option<(usize, u64)> {
        let mut left = self.occupied[TOP];
        let mut first: Option<(usize, u64)> = None;
        while left != 0 {
            let index = TOP * SLOTS + left.trailing_zeros() as usize;
            left &= left - 1;
            let min = self.slots[index].min;
            if first.is_none_or(|(_, least)| min < least) {
                first = Some((index, min));
            }
        }
        first
    }

    /// The tick at which something is due, or before it; `u64::MAX` where there is nothing.
    #[inline]
    pub(crate) fn earliest(&self) -> u64 {
        self.first().map_or(u64::MAX, |(_, min)| min)
    }

    /// Fires what is due at `now`, in the order of deadlines, and among equal ones in that of
    /// registration. The answer is whether `out` filled up before all was done.
    pub(crate) fn advance(&mut self, now: u64, out: &mut Wakers) -> bool {
        while let Some((index, min)) = self.first() {
            let level = index / SLOTS;
            let start = min & !((1 << (DIGIT * level as u32)) - 1);
            if start > now {
                break;
            }
            self.cursor = self.cursor.max(start);
            if level == 0 {
                if !self.fire_slot(index, out) {
                    return true;
                }
            } else {
                self.cascade(index);
            }
        }
        self.cursor = self.cursor.max(now);
        false
    }

    /// Fires a slot of the lowest level, whose tick is the cursor's; false where `out` is full.
    fn fire_slot(&mut self, index: usize, out: &mut Wakers) -> bool {
        while let Some(entry) = self.slots[index].entries.front() {
            if out.is_full() {
                return false;
            }
            self.slots[index].entries.pop_front();
            // SAFETY:
            // - it was linked and is unlinked now, under the lock; if it is late it is not touched
            //   again.
            match unsafe { Entry::fire(entry, self.cursor) } {
                Ok(waker) => out.push(waker),
                // SAFETY: not fired, so it is still alive and ours, and it is in no list.
                Err(later) => unsafe { self.link(entry, later) },
            }
        }
        self.emptied(index);
        true
    }

    /// Moves the entries of a slot whose time has begun to lower levels.
    #[cold]
    fn cascade(&mut self, index: usize) {
        let mut entries = self.slots[index].entries.take();
        self.emptied(index);
        while let Some(entry) = entries.pop_front() {
            // SAFETY: it was linked in this wheel, so it is alive.
            let deadline = unsafe { Entry::deadline(entry) };
            // SAFETY: alive, and popped from the only list it was in.
            unsafe { self.link(entry, deadline) };
        }
    }

    /// Refuses new entries and closes those that are linked; the answer is whether `out` filled up
    /// before all was done.
    pub(crate) fn close(&mut self, out: &mut Wakers) -> bool {
        self.closed = true;
        while let Some((index, _)) = self.first() {
            while let Some(entry) = self.slots[index].entries.front() {
                if out.is_full() {
                    return true;
                }
                self.slots[index].entries.pop_front();
                // SAFETY: it was linked and is unlinked now, and is not touched again.
                out.push(unsafe { Entry::close(entry) });
            }
            self.emptied(index);
        }
        false
    }
}

impl fmt::Debug for Wheel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("cursor", &self.cursor)
            .field("closed", &self.closed)
            .field("earliest", &self.earliest())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{LEVELS, SLOTS, TOP, Wheel, place};

    #[test]
    fn a_place_follows_the_highest_digit_that_differs() {
        assert_eq!(place(0, 0), (0, 0));
        assert_eq!(place(0, 63), (0, 63));
        assert_eq!(place(63, 64), (1, 1));
        assert_eq!(place(64, 127), (0, 63));
        assert_eq!(place(0, 64 * 64 * 5 + 3), (2, 5));
        assert_eq!(place(0, (1 << 36) - 1), (TOP, 63));
        assert_eq!(place(0, u64::MAX), (TOP, 63));
        assert_eq!(place(u64::MAX - 1, u64::MAX), (0, 63));
        assert_eq!(place(1 << 63, u64::MAX), (TOP, 63));
    }

    #[test]
    fn a_wheel_fits_ten_kilobytes() {
        assert!(size_of::<Wheel>() < 24 * LEVELS * SLOTS + 128);
    }
}
