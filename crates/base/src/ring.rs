//! A worker's run queue: a bounded ring with one owner, who pushes and pops, and any number of
//! thieves, who take half of it at once.
//!
//! Called by the scheduler for each task. Never allocates after [`new`], never blocks: an owner
//! waits for no thief and a thief for nobody. Knows nothing of tasks.
//!
//! The queue is Go's (runtime/proc.go, `runqput`, `runqget`, `runqgrab`; 2012): a circular array
//! with free-running indices as in Chase and Lev (SPAA 2005), but first in, first out at the
//! owner's end too, so that no task waits for ever under newer ones. The head is Tokio's (2019):
//! two indices in one word, by which a thief first claims its half and then reads it.
//! Rejected: Go's thief, who reads first and claims after. It saves one compare-and-swap, but one
//! pop in between voids its whole copy, so under short tasks, when help is needed most, it starves.
//!
//! # States
//!
//! `head` (see `packed.rs`) and `tail` count up and wrap; a slot is an index modulo `N`.
//!
//! ```text
//! slots              belong to
//! steal..real        the one thief that claimed them
//! real..tail         the ring: whoever moves `real` over one owns it from then on
//! tail..steal + N    the owner, to fill
//! ```
//!
//! (1) `push`: the owner fills slot `tail`, then moves `tail`; a [`Filling`] fills several first.
//! (2) `pop`: the owner moves `real`, and `steal` with it in row 1. (3) `claim`, row 1→2: a thief
//! moves `real`. (4) `release`, row 2→1: it moves `steal` up to `real`. (5) `take_half`, in row 1
//! with all slots filled: the owner takes everything, then publishes the older half again, whose
//! slots are by then `tail..`.
//!
//! # Orderings, in pairs
//!
//! - A: (1) stores `tail` with Release; a thief loads it with Acquire before (3). So it reads what
//!   the owner wrote. The owner needs no order to read its own writes.
//! - B: (4) is Release; (1) loads `head` with Acquire. So the thief has read a slot before the
//!   owner fills it anew. Pops between the two are read-modify-writes and continue the release.
//! - C: (2), (3) and (5) are Release; readers load `head` with Acquire and `tail` after it. So no
//!   reader sees a `tail` behind its `real`, and lengths don't wrap.
//!
//! - D: (1) stores `tail`, fences, and loads `head` again; a thief that sleeps has moved `head` by
//!   (3), fences, and loads `tail` once more. So the thief sees the item, or the owner sees that
//!   nothing is left before it. A plain look at `head` before the store is too old: the owner may
//!   lose its processor between the two. Of several items the thief may have claimed the first by
//!   then, and the owner is told that the ring was not empty: such a thief has work, and so wakes the
//!   next one, or is not the last who searches.
//!
//! Indices of 32 bits: a thief that sleeps between its loads and (3) while exactly a multiple of
//! 2³² items pass through would claim wrongly; at 100 million a second that is 43 s to the
//! instruction.

mod thief;

use crate::atomics::{Arc, AtomicU32, AtomicU64, Ordering, UnsafeCell, fence};
use crate::canary;
use crate::packed::Head;
use crate::pad::Padded;
use crate::prefetch::prefetch;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// What a ring can hold: anything that is one pointer.
///
/// # Safety
/// `from_raw` of what `into_raw` returned gives the same value back, on any thread if the type is
/// `Send`; neither panics.
pub unsafe trait Item: Sized {
    /// Turns the value into its pointer.
    fn into_raw(self) -> NonNull<()>;

    /// Turns the pointer back into the value.
    ///
    /// # Safety
    /// The pointer came from `into_raw`, and is turned back once.
    unsafe fn from_raw(raw: NonNull<()>) -> Self;
}

// SAFETY: a reference is its pointer; it may be copied, so it may be turned back any number of times.
unsafe impl<T: Sync> Item for &'static T {
    fn into_raw(self) -> NonNull<()> {
        NonNull::from(self).cast()
    }

    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: from a reference that lives for ever (the caller's word).
        unsafe { raw.cast().as_ref() }
    }
}

/// What a push found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Whether nothing else could be stolen once this item was there: a thief that took the last
    /// one and goes to sleep does not see this one, so somebody has to be told.
    pub was_empty: bool,
}

/// The owner's end. One a ring.
pub struct Local<T: Item, const N: usize> {
    shared: Arc<Shared<T, N>>,
}

/// A thief's end.
pub struct Stealer<T: Item, const N: usize> {
    shared: Arc<Shared<T, N>>,
}

struct Shared<T: Item, const N: usize> {
    // The owner writes both words all the time and a thief reads both: one line is one miss.
    words: Padded<Words>,
    slots: [UnsafeCell<NonNull<()>>; N],
    _items: PhantomData<T>,
}

struct Words {
    head: AtomicU64,
    tail: AtomicU32,
}

// SAFETY:
// - an item is handed from the thread that pushes to the one that takes it, so it must be `Send`.
// - slots are only touched by whom the table in the module's head names.
unsafe impl<T: Item + Send, const N: usize> Send for Shared<T, N> {}
// SAFETY: as above; no `&T` is ever made, so `T: Sync` is not needed.
unsafe impl<T: Item + Send, const N: usize> Sync for Shared<T, N> {}

/// An empty ring for `N` items, a power of two and at least 2.
pub fn new<T: Item, const N: usize>() -> (Local<T, N>, Stealer<T, N>) {
    new_at(0)
}

/// An empty ring whose indices start at `index`: tests start close to where they wrap.
#[doc(hidden)]
pub fn new_at<T: Item, const N: usize>(index: u32) -> (Local<T, N>, Stealer<T, N>) {
    const {
        assert!(N.is_power_of_two() && N >= 2 && N <= 1 << 16, "a ring holds 2, 4, … 65536 items");
    }
    let shared = Arc::new(Shared {
        words: Padded(Words {
            head: AtomicU64::new(Head::at(index).pack()),
            tail: AtomicU32::new(index),
        }),
        slots: core::array::from_fn(|_| UnsafeCell::new(NonNull::dangling())),
        _items: PhantomData,
    });
    (Local { shared: shared.clone() }, Stealer { shared })
}

impl<T: Item, const N: usize> Local<T, N> {
    /// Adds an item as the last: two plain stores, and a fence where there were others.
    ///
    /// # Errors
    /// Gives the item back if the ring is full. Slots that a thief is reading count as filled.
    #[inline]
    pub fn push(&mut self, item: T) -> Result<Pushed, T> {
        // Pair B.
        let head = self.shared.head(Ordering::Acquire);
        let tail = self.tail();
        if tail.wrapping_sub(head.steal) >= N as u32 {
            return Err(item);
        }
        // SAFETY:
        // - the owner's: `tail` is below `steal + N`, and `&mut self` makes us the only owner.
        unsafe { self.shared.fill(tail, item.into_raw()) };
        self.publish(tail.wrapping_add(1));
        Ok(Pushed { was_empty: head.real == tail || self.emptied_up_to(tail) })
    }

    /// Begins to add several items, which thieves see together: the fence is paid once.
    #[inline]
    pub fn fill(&mut self) -> Filling<'_, T, N> {
        // Pair B.
        let head = self.shared.head(Ordering::Acquire);
        let start = self.tail();
        Filling { ring: self, head, start, end: start }
    }

    /// Whether thieves took everything before `tail` since the push began. The owner may have been
    /// off its processor in the middle of it, time enough for a thief to take what there was, run
    /// it, find no more and sleep. Pair D.
    #[inline]
    fn emptied_up_to(&self, tail: u32) -> bool {
        if canary("ring_stale_empty") {
            return false;
        }
        fence(Ordering::SeqCst);
        self.shared.head(Ordering::Acquire).real == tail
    }

    /// Takes the first item: one compare-and-swap, more only if a thief moved the head meanwhile.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let tail = self.tail();
        let words = &self.shared.words;
        let mut word = words.head.load(Ordering::Relaxed);
        loop {
            let head = Head::unpack(word);
            if head.real == tail {
                return None;
            }
            let mut next = head.popped();
            if canary("ring_pop_moves_thief") {
                next = Head::at(next.real);
            }
            if canary("ring_pop_unclaimed") {
                words.head.store(next.pack(), Ordering::Release);
                // SAFETY: it is not: a thief may have taken it meanwhile.
                return Some(unsafe { self.shared.take(head.real) });
            }
            // Pair C.
            let swap = words.head.compare_exchange_weak(
                word,
                next.pack(),
                Ordering::Release,
                Ordering::Relaxed,
            );
            match swap {
                // SAFETY:
                // - ours: we moved `real` over it (2).
                // - filled: it was before `tail`, by this thread or before this thread became the
                //   owner.
                Ok(_) => return Some(unsafe { self.shared.take(head.real) }),
                Err(now) => word = now,
            }
        }
    }

    /// Makes room in a full ring: gives the newer half to `f`, oldest first, and answers how many
    /// those were. 0 where a thief was quicker; he is about to make room.
    ///
    /// The older half has waited longest and stays to be run next; and where the caller moves the
    /// taken ones to a shared queue, those that came from there don't go back to it. For a moment
    /// thieves see an empty ring: the caller wakes one for what it moved.
    #[cold]
    pub fn take_half(&mut self, mut f: impl FnMut(T)) -> usize {
        let tail = self.tail();
        let words = &self.shared.words;
        let mut head = self.shared.head(Ordering::Acquire);
        loop {
            // Where a thief is reading, fewer than N are left behind his part.
            if tail.wrapping_sub(head.real) != N as u32 {
                return 0;
            }
            if canary("ring_overflow_unclaimed") {
                words.head.store(Head::at(tail).pack(), Ordering::Release);
                break;
            }
            // Pair C.
            let swap = words.head.compare_exchange_weak(
                head.pack(),
                Head::at(tail).pack(),
                Ordering::Release,
                Ordering::Acquire,
            );
            match swap {
                Ok(_) => break,
                Err(now) => head = Head::unpack(now),
            }
        }
        let half = N as u32 / 2;
        // The slots of the older half are again the next to be taken, N indices further on.
        self.publish(tail.wrapping_add(half));
        let newer = Claimed { shared: &*self.shared, next: tail.wrapping_sub(half), end: tail };
        newer.for_each(&mut f);
        half as usize
    }

    /// Has the memory of the first item brought into this processor's cache: so many lines, from
    /// where its pointer points. A thief may take it meanwhile.
    #[inline]
    pub fn prefetch_first<const LINES: usize>(&self) {
        let head = self.shared.head(Ordering::Relaxed).real;
        if head != self.tail() {
            // SAFETY:
            // - filled: it lies before `tail`; and only the owner, which we are, fills slots. What the
            //   pointer points to may be a thief's: it is not followed.
            let first = unsafe { self.shared.read(head) };
            prefetch::<LINES>(first);
        }
    }

    /// The index of the first item. An item has the index that [`Local::end`] had before it was
    /// pushed, until a [`Local::take_half`].
    #[inline]
    pub fn start(&self) -> u32 {
        self.shared.head(Ordering::Relaxed).real
    }

    /// The index that the next item will have. Indices wrap.
    #[inline]
    pub fn end(&self) -> u32 {
        self.tail()
    }

    /// How many items there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.tail().wrapping_sub(self.shared.head(Ordering::Relaxed).real) as usize
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many pushes will find room.
    #[inline]
    pub fn room(&self) -> usize {
        N - self.tail().wrapping_sub(self.shared.head(Ordering::Acquire).steal) as usize
    }

    /// Another thief's end.
    pub fn stealer(&self) -> Stealer<T, N> {
        Stealer { shared: self.shared.clone() }
    }

    #[inline(always)]
    fn tail(&self) -> u32 {
        // Only the owner writes it.
        self.shared.words.tail.load(Ordering::Relaxed)
    }

    /// Makes all slots before `tail` the ring's.
    #[inline(always)]
    fn publish(&self, tail: u32) {
        // Pair A.
        let order =
            if canary("ring_publish_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        self.shared.words.tail.store(tail, order);
    }
}

/// Items on their way into a ring: they are its own when this is [finished](Filling::finish) or
/// dropped.
pub struct Filling<'a, T: Item, const N: usize> {
    ring: &'a mut Local<T, N>,
    head: Head,
    start: u32,
    end: u32,
}

impl<T: Item, const N: usize> Filling<'_, T, N> {
    /// Adds an item as the last.
    ///
    /// # Errors
    /// Gives the item back if there is no room. Room that thieves made meanwhile does not count.
    #[inline]
    pub fn push(&mut self, item: T) -> Result<(), T> {
        let first = if canary("ring_fill_over_thief") { self.head.real } else { self.head.steal };
        if self.end.wrapping_sub(first) >= N as u32 {
            return Err(item);
        }
        if canary("ring_fill_published_first") {
            self.ring.publish(self.end.wrapping_add(1));
        }
        // SAFETY:
        // - the owner's: `end` is below `steal + N`, which only grows, and not below `tail`; the
        //   borrow of the owner's end makes us the only owner.
        unsafe { self.ring.shared.fill(self.end, item.into_raw()) };
        self.end = self.end.wrapping_add(1);
        Ok(())
    }

    /// Makes the items visible. Nothing where there are none.
    #[inline]
    pub fn finish(self) -> Option<Pushed> {
        let (start, head) = (self.start, self.head);
        let any = self.end != start;
        if any {
            self.ring.publish(self.end);
        }
        let was_empty = any && (head.real == start || self.ring.emptied_up_to(start));
        core::mem::forget(self);
        any.then_some(Pushed { was_empty })
    }
}

impl<T: Item, const N: usize> Drop for Filling<'_, T, N> {
    #[inline]
    fn drop(&mut self) {
        self.ring.publish(self.end);
    }
}

impl<T: Item, const N: usize> Shared<T, N> {
    #[inline(always)]
    fn head(&self, order: Ordering) -> Head {
        Head::unpack(self.words.head.load(order))
    }

    /// Puts a pointer into a slot.
    ///
    /// # Safety
    /// The slot is the caller's to fill.
    #[inline(always)]
    unsafe fn fill(&self, index: u32, raw: NonNull<()>) {
        let slot = &self.slots[index as usize & (N - 1)];
        // SAFETY: nobody else touches the slot (the caller's word).
        slot.with_mut(|slot| unsafe { slot.write(raw) });
    }

    /// Reads the pointer in a slot. Where the slot is the caller's, it counts as empty from then on.
    ///
    /// # Safety
    /// The slot is filled, and nobody fills it meanwhile.
    #[inline(always)]
    unsafe fn read(&self, index: u32) -> NonNull<()> {
        let slot = &self.slots[index as usize & (N - 1)];
        // SAFETY: nobody writes to the slot (the caller's word).
        slot.with(|slot| unsafe { slot.read() })
    }

    /// As [`Shared::read`], but turns the pointer into the item.
    ///
    /// # Safety
    /// As there, and the slot is the caller's.
    #[inline(always)]
    unsafe fn take(&self, index: u32) -> T {
        // SAFETY: the caller's word.
        let raw = unsafe { self.read(index) };
        // SAFETY: a filled slot has a pointer from `into_raw`; it is empty now.
        unsafe { T::from_raw(raw) }
    }
}

/// Items that were taken but are still in their slots. Dropping it drops those left.
struct Claimed<'a, T: Item, const N: usize> {
    shared: &'a Shared<T, N>,
    next: u32,
    end: u32,
}

impl<T: Item, const N: usize> Iterator for Claimed<'_, T, N> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.next == self.end {
            return None;
        }
        let index = self.next;
        self.next = index.wrapping_add(1);
        // SAFETY:
        // - ours and filled: whoever made this had taken `next..end`, and each index comes up once.
        Some(unsafe { self.shared.take(index) })
    }
}

impl<T: Item, const N: usize> Drop for Claimed<'_, T, N> {
    fn drop(&mut self) {
        // Only where the caller's closure panicked.
        self.for_each(drop);
    }
}

impl<T: Item, const N: usize> Drop for Shared<T, N> {
    fn drop(&mut self) {
        let next = self.head(Ordering::Relaxed).real;
        let end = self.words.tail.load(Ordering::Relaxed);
        Claimed { shared: self, next, end }.for_each(drop);
    }
}

impl<T: Item, const N: usize> fmt::Debug for Local<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("len", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests;
