//! The thief's end of a ring: he claims the older half, reads it, and gives the slots back. The states
//! and the orderings stand in `ring.rs`.

use super::{Head, Item, Local, Stealer};
use crate::atomics::Ordering;
use crate::canary;
use core::fmt;

impl<T: Item, const N: usize> Stealer<T, N> {
    /// Takes the older half of the ring: returns its first item and moves the others, in their
    /// order, to the end of `thief`, or as many as there is room for. Nothing where the ring is
    /// empty or another thief is in it.
    pub fn steal_into(&self, thief: &mut Local<T, N>) -> Option<T> {
        let room = thief.room() as u32;
        let (first, count) = self.claim(room + 1)?;
        let from = &*self.shared;
        if canary("ring_release_early") {
            self.release();
        }
        // SAFETY:
        // - ours: `claim` moved `real` over `first..first + count`, and count is at least 1.
        // - filled: it lies before the `tail` that `claim` loaded (pair A).
        let item = unsafe { from.take(first) };
        let tail = thief.tail();
        for i in 1..count {
            // SAFETY: ours and filled, as `first` is.
            let raw = unsafe { from.read(first.wrapping_add(i)) };
            // SAFETY:
            // - the owner's: at most `room` slots behind `tail`, and `&mut` makes the caller the
            //   only owner of that ring. Room never shrinks but by the owner.
            unsafe { thief.shared.fill(tail.wrapping_add(i - 1), raw) };
        }
        self.release();
        if count > 1 {
            thief.publish(tail.wrapping_add(count - 1));
        }
        Some(item)
    }

    /// Takes half, rounded up, but not more than `most`: the first slot and how many.
    fn claim(&self, most: u32) -> Option<(u32, u32)> {
        let words = &self.shared.words;
        let mut head = self.shared.head(Ordering::Acquire);
        loop {
            // Pair A.
            let tail = words.tail.load(Ordering::Acquire);
            let len = tail.wrapping_sub(head.real);
            let count = (len - len / 2).min(most);
            if (head.is_stealing() && !canary("ring_two_thieves")) || count == 0 {
                return None;
            }
            let next = Head { steal: head.steal, real: head.real.wrapping_add(count) };
            // Pair C. Acquire on failure, since `tail` is loaded anew.
            let swap = words.head.compare_exchange_weak(
                head.pack(),
                next.pack(),
                Ordering::Release,
                Ordering::Acquire,
            );
            match swap {
                Ok(_) => return Some((head.real, count)),
                Err(now) => head = Head::unpack(now),
            }
        }
    }

    /// Gives the slots that were claimed back to the owner.
    fn release(&self) {
        let words = &self.shared.words;
        // Pair B.
        let order =
            if canary("ring_release_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        let mut word = words.head.load(Ordering::Relaxed);
        loop {
            let next = Head::at(Head::unpack(word).real).pack();
            match words.head.compare_exchange_weak(word, next, order, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// The index of the first item, if there is any: while it stays the same, nobody has taken one.
    #[inline]
    pub fn first(&self) -> Option<u32> {
        let head = self.shared.head(Ordering::Acquire);
        let tail = self.shared.words.tail.load(Ordering::Acquire);
        (tail != head.real).then_some(head.real)
    }

    /// How many items there are; of the past where the owner is at work.
    #[inline]
    pub fn len(&self) -> usize {
        let head = self.shared.head(Ordering::Acquire);
        let tail = self.shared.words.tail.load(Ordering::Acquire);
        // The owner may have gone on between the two loads.
        (tail.wrapping_sub(head.real) as usize).min(N)
    }

    /// Whether there is none; of the past where the owner is at work.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Item, const N: usize> Clone for Stealer<T, N> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T: Item, const N: usize> fmt::Debug for Stealer<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stealer").field("len", &self.len()).finish()
    }
}
