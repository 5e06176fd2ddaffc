//! A place for one item beside a ring: the owner puts in what it wants next, and takes it out
//! again, or a thief does.
//!
//! Called by the scheduler for each wake-up on a worker. Never allocates, never blocks. Knows
//! nothing of tasks.
//!
//! # States
//!
//! ```text
//! word   the item belongs to
//! null   nobody: there is none
//! item   the slot: whoever makes the word null owns it from then on
//! ```
//!
//! (1) `put`, null→item: the owner alone fills, so what it sees null stays so, and a store does.
//! (2) `put`, item→item: a swap, for a thief may be taking the first one; who finds it owns it.
//! (3) `take`, item→null: the owner, by a swap. (4) `take_marked`, item→null: a thief, by an
//! exchange for the item that it saw before. If that was taken and the same address was put in
//! again meanwhile, it gets the later one, which is as good.
//!
//! # Orderings, in pairs
//!
//! - A: (1) and (2) are Release; (3) and (4) are Acquire. So who takes an item sees what was
//!   written before it was put.
//!
//! Rejected: a plain field, of the owner alone. It saves a swap each time, some 5 ns, and leaves
//! the item behind whatever the owner is stuck in.

use crate::atomics::{AtomicPtr, Ordering};
use crate::canary;
use crate::ring::Item;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

/// The place. See the module.
pub struct LifoSlot<T: Item> {
    word: AtomicPtr<()>,
    _item: PhantomData<T>,
}

/// Which item a thief saw. Only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(NonNull<()>);

// SAFETY: an item is handed from the thread that puts it in to the one that takes it.
unsafe impl<T: Item + Send> Send for LifoSlot<T> {}
// SAFETY: as above; no `&T` is ever made, so `T: Sync` is not needed.
unsafe impl<T: Item + Send> Sync for LifoSlot<T> {}

impl<T: Item> LifoSlot<T> {
    /// An empty place.
    pub fn new() -> Self {
        Self { word: AtomicPtr::new(ptr::null_mut()), _item: PhantomData }
    }

    /// Puts an item in, and gives the one back that was there. One thread at a time, the owner's:
    /// an item that two put in at once may be lost.
    #[inline]
    pub fn put(&self, item: T) -> Option<T> {
        let raw = item.into_raw().as_ptr();
        // Pair A.
        let order = if canary("lifo_put_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        if self.is_empty() || canary("lifo_put_over") {
            self.word.store(raw, order);
            return None;
        }
        let before = self.word.swap(raw, Ordering::AcqRel);
        // SAFETY: (2): the word held it, and now holds another.
        NonNull::new(before).map(|raw| unsafe { T::from_raw(raw) })
    }

    /// Takes the item out. The owner's: it may be fresh.
    #[inline]
    pub fn take(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        if canary("lifo_take_unclaimed") {
            let raw = NonNull::new(self.word.load(Ordering::Acquire));
            self.word.store(ptr::null_mut(), Ordering::Relaxed);
            // SAFETY: it is not: a thief may have taken it meanwhile.
            return raw.map(|raw| unsafe { T::from_raw(raw) });
        }
        // Pair A.
        let raw = NonNull::new(self.word.swap(ptr::null_mut(), Ordering::Acquire))?;
        // SAFETY: (3): the word held it, and holds nothing now.
        Some(unsafe { T::from_raw(raw) })
    }

    /// The item that is there, for a thief to come back for.
    #[inline]
    pub fn mark(&self) -> Option<Mark> {
        NonNull::new(self.word.load(Ordering::Relaxed)).map(Mark)
    }

    /// Takes the item out if it is still the marked one.
    pub fn take_marked(&self, mark: Mark) -> Option<T> {
        // Pair A.
        let swap = self.word.compare_exchange(
            mark.0.as_ptr(),
            ptr::null_mut(),
            Ordering::Acquire,
            Ordering::Relaxed,
        );
        // What the word held, not the mark: that may have been freed, and another item stand there.
        let raw = NonNull::new(swap.ok()?)?;
        // SAFETY: (4): the word held it, and holds nothing now.
        Some(unsafe { T::from_raw(raw) })
    }

    /// Whether there is none; of the past for all but the owner.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.word.load(Ordering::Relaxed).is_null()
    }
}

impl<T: Item> Default for LifoSlot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Item> Drop for LifoSlot<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl<T: Item> fmt::Debug for LifoSlot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LifoSlot").field("is_empty", &self.is_empty()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ITEMS: [u32; 2] = [0, 1];

    #[test]
    fn the_last_one_is_there_and_the_one_before_comes_back() {
        let slot = LifoSlot::new();
        assert!(slot.is_empty() && slot.take().is_none() && slot.mark().is_none());
        assert_eq!(slot.put(&ITEMS[0]), None);
        assert_eq!(slot.put(&ITEMS[1]), Some(&ITEMS[0]));
        assert_eq!(slot.take(), Some(&ITEMS[1]));
        assert!(slot.is_empty());
    }

    #[test]
    fn a_thief_gets_what_it_saw_and_nothing_else() {
        let slot = LifoSlot::new();
        let _ = slot.put(&ITEMS[0]);
        let mark = slot.mark().unwrap();
        let _ = slot.put(&ITEMS[1]);
        assert_eq!(slot.take_marked(mark), None);
        let mark = slot.mark().unwrap();
        assert_eq!(slot.take_marked(mark), Some(&ITEMS[1]));
        assert_eq!(slot.take_marked(mark), None);
    }
}
