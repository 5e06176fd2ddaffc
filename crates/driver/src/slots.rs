//! The table of slots: they lie in chunks of doubling size that never move.
//!
//! An event may be applied to its slot whatever has become of the descriptor; the generation in slot
//! and event says whether it still concerns the owner. Who applies events holds the table's lock
//! for reading, so that no chunk goes meanwhile.
//!
//! Slots are given out from the smallest chunk that has one, those that were given back first: a
//! server's churn stays in warm lines, and after a rush the largest chunks come to stand empty. The
//! last of them is freed when what is owned fills less than half of those before it, so that no
//! number of descriptors has a chunk made and freed again and again. The generations of a chunk that
//! is made anew go on where they ended, for there may still be events of its first owners.
//!
//! ```text
//! lock     guards                                 taken inside
//! free     what has an owner, and who is next     nothing
//! chunks   which chunks there are                 free (to drop a chunk), or nothing
//! waiters  of one slot                            chunks (to apply an event), or nothing
//! ```
//!
//! The model of a chunk that is freed is `models/tests/slots_freed.rs`.
//!
//! Rejected: to count the turns that apply events beside atomic pointers to the chunks; a turn
//! writes a shared line twice, like by this lock, and who frees has to come again.

#![allow(unsafe_code)]

use crate::direct::Direct;
use crate::kept::CHUNKS_KEPT;
use crate::ready::Ready;
use crate::token::Token;
use crate::waiters::{self, Waiters};
use crate::word::Word;
use core::fmt;
use core::ptr::NonNull;
use shinkan_base::atomics::{
    AtomicBool, Mutex, Ordering, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use shinkan_base::canary;
use shinkan_base::prefetch::prefetch;
use shinkan_base::wakers::Wakers;
use std::sync::{Arc, PoisonError};

/// What the backends know of a descriptor: one cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Slot {
    pub(crate) word: Word,
    pub(crate) direct: Direct,
    pub(crate) waiters: Mutex<Waiters>,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Slots {
    chunks: RwLock<Chunks>,
    free: Mutex<Free>,
    // Set before the first slot is given out.
    is_used: AtomicBool,
}

type Chunk = Box<[Slot]>;

#[derive(Debug)]
struct Chunks([Option<Chunk>; CHUNKS]);

#[derive(Debug)]
struct Free {
    parts: [Part; CHUNKS],
    // A bit for each chunk that has a slot to give out, made or not.
    vacant: u32,
    // A bit for each chunk of which a slot was given out since it was last freed.
    begun: u32,
    owned: u32,
    // How many had an owner, ever.
    owned_ever: u64,
    is_closed: bool,
}

/// What is free of one chunk.
#[derive(Debug)]
struct Part {
    // Slots that were given back, with the generation of their next owner.
    given_back: Vec<Token>,
    // Offsets from here on were not given out yet.
    fresh: u32,
    owned: u32,
    // Of the first owners, when the chunk is made.
    generation: u32,
}

/// Applies events. No chunk is freed while it lives.
pub(crate) struct Applying<'a>(RwLockReadGuard<'a, Chunks>);

const CHUNKS: usize = 28;

/// Why no slot was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The runtime has ended.
    Closed,
    /// All are in use.
    Full,
}

/// The right to a slot. Holds the table.
pub(crate) struct Owned<T: AsRef<Slots>> {
    table: Arc<T>,
    slot: NonNull<Slot>,
    token: Token,
}

impl Slot {
    /// With the generation of its first owner.
    fn new(generation: u32) -> Self {
        let word = Word::new(generation);
        Self { word, direct: Direct::new(), waiters: Mutex::default() }
    }
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            chunks: RwLock::new(Chunks([const { None }; CHUNKS])),
            free: Mutex::new(Free::new()),
            is_used: AtomicBool::new(false),
        }
    }

    /// Gives out a slot that starts with `ready`.
    pub(crate) fn own<T: AsRef<Slots>>(table: &Arc<T>, ready: Ready) -> Result<Owned<T>, Refused> {
        let slots: &Slots = (**table).as_ref();
        let (token, first_generation) = slots.free.lock().take()?;
        if !slots.is_used.load(Ordering::Relaxed) {
            slots.is_used.store(true, Ordering::Release);
        }
        // The chunk stays from here on: `take` counted its owner.
        let slot = slots.slot_or_make(token.index(), first_generation);
        let owned = Owned { slot, token, table: table.clone() };
        // Nobody waits yet, and a shutdown since then stays in the word.
        let _ = owned.slot().word.set(token.generation(), ready);
        Ok(owned)
    }

    /// For a turn that has found events.
    #[inline]
    pub(crate) fn applying(&self) -> Applying<'_> {
        Applying(self.read())
    }

    /// Refuses new owners and ends the waits of all that there are.
    pub(crate) fn shut_down(&self, out: &mut Wakers) {
        let begun = {
            let mut free = self.free.lock();
            free.is_closed = !canary("readiness_end_before_close");
            free.begun
        };
        // A slot that was given out just before has its chunk, or will have it while nobody waits:
        // then the next owner's first look is what tells it. So chunks are made here, too.
        for chunk in (0..CHUNKS).filter(|chunk| begun & (1 << chunk) != 0) {
            let (fresh, generation) = {
                let part = &self.free.lock().parts[chunk];
                (part.fresh as usize, part.generation)
            };
            self.slot_or_make((1 << chunk) - 1, generation);
            let chunks = self.read();
            let slots = chunks.0[chunk].iter().flatten().take(fresh);
            slots.for_each(|slot| waiters::shut_down(slot, out));
        }
        if canary("readiness_end_before_close") {
            self.free.lock().is_closed = true;
        }
    }

    /// Whether no slot was ever given out: no event can come.
    #[inline]
    pub(crate) fn are_unused(&self) -> bool {
        !self.is_used.load(Ordering::Acquire)
    }

    /// How many slots have an owner, and how many owners there ever were.
    pub(crate) fn owned(&self) -> (u32, u64) {
        let free = self.free.lock();
        (free.owned, free.owned_ever)
    }

    fn give_back(&self, token: Token) {
        let mut free = self.free.lock();
        free.give_back(token);
        let mut freed = Vec::new();
        while let Some(chunk) = free.surplus() {
            // Under both locks: nobody is given a slot of it, and nobody applies an event.
            freed.push((free.forget(chunk), self.write().0[chunk].take()));
        }
        drop(free);
        drop(freed);
    }

    fn slot_or_make(&self, index: u32, generation: u32) -> NonNull<Slot> {
        let (chunk, offset) = place(index);
        if let Some(slots) = &self.read().0[chunk] {
            return NonNull::from(&slots[offset]);
        }
        // Before the lock: others apply their events meanwhile.
        let slot = |_| Slot::new(generation);
        let made: Chunk = (0..1usize << chunk).map(slot).collect();
        let mut chunks = self.write();
        // Somebody else may have been faster; then ours goes when the lock is gone.
        let (there, unused) = match &mut chunks.0[chunk] {
            Some(there) => (there, Some(made)),
            none => (none.insert(made), None),
        };
        let slot = NonNull::from(&there[offset]);
        drop(chunks);
        drop(unused);
        slot
    }

    #[inline]
    fn read(&self) -> RwLockReadGuard<'_, Chunks> {
        // Nothing under the lock panics.
        self.chunks.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Chunks> {
        self.chunks.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Applying<'_> {
    /// Has the slot of an event that is applied soon brought into the cache.
    #[inline]
    pub(crate) fn prefetch(&self, token: Token) {
        if let Some(slot) = self.slot(token) {
            prefetch::<1>(NonNull::from(slot).cast());
        }
    }

    #[inline]
    fn slot(&self, token: Token) -> Option<&Slot> {
        let (chunk, offset) = place(token.index());
        self.0.0.get(chunk)?.as_ref()?.get(offset)
    }

    /// Applies an event, however late it comes.
    #[inline]
    pub(crate) fn set(&self, token: Token, ready: Ready, out: &mut Wakers) {
        // Where the chunk is gone, so is the owner.
        if let Some(slot) = self.slot(token) {
            waiters::set(slot, token.generation(), ready, out);
        }
    }
}

/// Chunk `k` holds `1 << k` slots.
#[inline]
fn place(index: u32) -> (usize, usize) {
    let shifted = u64::from(index) + 1;
    let chunk = shifted.ilog2();
    (chunk as usize, (shifted - (1 << chunk)) as usize)
}

impl Free {
    fn new() -> Self {
        let part = || Part { given_back: Vec::new(), fresh: 0, owned: 0, generation: 0 };
        Self {
            parts: core::array::from_fn(|_| part()),
            vacant: (1 << CHUNKS) - 1,
            begun: 0,
            owned: 0,
            owned_ever: 0,
            is_closed: false,
        }
    }

    /// A token, and the generation with which its chunk is made if there is none yet.
    fn take(&mut self) -> Result<(Token, u32), Refused> {
        if self.is_closed {
            return Err(Refused::Closed);
        }
        let chunk = self.vacant.trailing_zeros();
        let Some(part) = self.parts.get_mut(chunk as usize) else { return Err(Refused::Full) };
        let token = part.given_back.pop().unwrap_or_else(|| {
            part.fresh += 1;
            let generation = if canary("slots_fresh_forgets") { 0 } else { part.generation };
            Token::new((1 << chunk) - 1 + part.fresh - 1, generation)
        });
        part.owned += 1;
        if part.owned == 1 << chunk {
            self.vacant &= !(1 << chunk);
        }
        self.begun |= 1 << chunk;
        self.owned += 1;
        self.owned_ever += 1;
        Ok((token, part.generation))
    }

    fn give_back(&mut self, token: Token) {
        let (chunk, _) = place(token.index());
        let part = &mut self.parts[chunk];
        part.given_back.push(token);
        part.owned -= 1;
        self.vacant |= 1 << chunk;
        self.owned -= 1;
    }

    /// The largest chunk, if it can be missed.
    #[inline]
    fn surplus(&self) -> Option<usize> {
        let chunk = self.begun.checked_ilog2()?;
        let is_missed = chunk < CHUNKS_KEPT || self.owned >= (1 << chunk) / 2;
        let is_spare = !is_missed && self.parts[chunk as usize].owned == 0 && !self.is_closed;
        is_spare.then_some(chunk as usize)
    }

    /// Forgets a chunk that nobody owns a slot of; its list, to be dropped.
    #[cold]
    fn forget(&mut self, chunk: usize) -> Vec<Token> {
        let part = &mut self.parts[chunk];
        let given_back = core::mem::take(&mut part.given_back);
        let next = given_back.iter().map(|token| token.generation()).max();
        if !canary("slots_generations_restart") {
            part.generation = next.unwrap_or(part.generation);
        }
        part.fresh = 0;
        self.begun &= !(1 << chunk);
        given_back
    }
}

// SAFETY:
// - the pointer is to a slot of the table that the `Arc` keeps, and slots are `Sync`.
unsafe impl<T: AsRef<Slots> + Send + Sync> Send for Owned<T> {}
// SAFETY: as above.
unsafe impl<T: AsRef<Slots> + Send + Sync> Sync for Owned<T> {}

impl<T: AsRef<Slots>> Owned<T> {
    #[inline(always)]
    pub(crate) fn slot(&self) -> &Slot {
        // SAFETY:
        // - alive and in place: `table` keeps a chunk while a slot of it is owned, and chunks never
        //   move (`slot_or_make`).
        unsafe { self.slot.as_ref() }
    }

    pub(crate) fn token(&self) -> Token {
        self.token
    }

    pub(crate) fn table(&self) -> &Arc<T> {
        &self.table
    }
}

impl<T: AsRef<Slots>> Drop for Owned<T> {
    fn drop(&mut self) {
        // Dropped last: a waker whose drop panics costs no slot.
        let mut forgotten = Wakers::new();
        let generation = waiters::release(self.slot(), &mut forgotten);
        let generation =
            if canary("slots_generation_stays") { self.token.generation() } else { generation };
        let slots: &Slots = (*self.table).as_ref();
        slots.give_back(Token::new(self.token.index(), generation));
    }
}

impl<T: AsRef<Slots>> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned").field("token", &self.token).finish()
    }
}

#[cfg(all(test, not(shinkan_loom)))]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Table(Slots);

    impl AsRef<Slots> for Table {
        fn as_ref(&self) -> &Slots {
            &self.0
        }
    }

    #[test]
    fn every_index_has_a_place_of_its_own() {
        assert_eq!(place(0), (0, 0));
        assert_eq!(place(1), (1, 0));
        assert_eq!(place(2), (1, 1));
        assert_eq!(place(3), (2, 0));
        let last = (1 << CHUNKS) - 2;
        assert_eq!(place(last), (CHUNKS - 1, (1 << (CHUNKS - 1)) - 1));
    }

    #[test]
    fn a_slot_that_is_given_out_again_has_another_generation_and_nothing_left() {
        let table = Arc::new(Table(Slots::new()));
        let first = Slots::own(&table, Ready::READABLE).unwrap();
        let token = first.token();
        drop(first);
        let second = Slots::own(&table, Ready::EMPTY).unwrap();
        assert_eq!(second.token().index(), token.index());
        assert_ne!(second.token(), token);
        table.0.applying().set(token, Ready::ALL, &mut Wakers::new());
        assert!(second.slot().word.look().event(Ready::ALL).ready.is_empty());
    }

    /// How many chunks there are.
    fn chunks(table: &Table) -> usize {
        table.0.read().0.iter().flatten().count()
    }

    #[test]
    fn when_all_have_ended_only_the_smallest_chunks_are_left() {
        let table = Arc::new(Table(Slots::new()));
        let mut owned: Vec<_> =
            (0..5_000).map(|_| Slots::own(&table, Ready::EMPTY).unwrap()).collect();
        assert_eq!(chunks(&table), 13);
        let late: Vec<_> = owned.iter().map(|owned| owned.token()).collect();
        // From both ends, so that no chunk empties before the others.
        while owned.len() > 1 {
            owned.swap_remove(owned.len() / 2);
        }
        drop(owned);
        assert_eq!((chunks(&table), table.0.owned()), (CHUNKS_KEPT as usize, (0, 5_000)));
        let bytes: usize = table.0.free.lock().parts.iter().map(|part| part.given_back.len()).sum();
        assert_eq!(bytes, (1 << CHUNKS_KEPT) - 1, "of the others nothing is remembered");

        // Events of the first owners come after the chunks were made anew, or where there are none.
        let mut wakers = Wakers::new();
        late.iter().for_each(|late| table.0.applying().set(*late, Ready::ALL, &mut wakers));
        let owned: Vec<_> = (0..5_000).map(|_| Slots::own(&table, Ready::EMPTY).unwrap()).collect();
        late.iter().for_each(|late| table.0.applying().set(*late, Ready::ALL, &mut wakers));
        for owned in &owned {
            assert!(owned.slot().word.look().event(Ready::ALL).ready.is_empty());
            table.0.applying().set(owned.token(), Ready::READABLE, &mut wakers);
            assert!(!owned.slot().word.look().event(Ready::ALL).ready.is_empty());
        }
    }

    #[test]
    fn a_number_that_comes_and_goes_makes_no_chunk_each_time() {
        let table = Arc::new(Table(Slots::new()));
        let owned: Vec<_> = (0..1_023).map(|_| Slots::own(&table, Ready::EMPTY).unwrap()).collect();
        let place_of_the_chunk = || table.0.read().0[10].as_ref().map(|slots| slots.as_ptr());
        assert_eq!(place_of_the_chunk(), None);
        drop(Slots::own(&table, Ready::EMPTY).unwrap());
        let first = place_of_the_chunk();
        assert!(first.is_some());
        drop(Slots::own(&table, Ready::EMPTY).unwrap());
        assert_eq!(place_of_the_chunk(), first);
        drop(owned);
        assert_eq!(place_of_the_chunk(), None);
    }

    #[test]
    fn chunks_are_freed_beside_those_who_apply_events() {
        let table = Arc::new(Table(Slots::new()));
        std::thread::scope(|scope| {
            let churn = || {
                for _ in 0..200 {
                    let owned: Vec<_> =
                        (0..300).map(|_| Slots::own(&table, Ready::EMPTY).unwrap()).collect();
                    let mut wakers = Wakers::new();
                    for owned in &owned {
                        table.0.applying().set(owned.token(), Ready::READABLE, &mut wakers);
                        let seen = owned.slot().word.look().event(Ready::ALL).ready;
                        assert!(seen.is_readable());
                    }
                }
            };
            (0..3).for_each(|_| drop(scope.spawn(churn)));
        });
        assert_eq!((chunks(&table), table.0.owned().0), (CHUNKS_KEPT as usize, 0));
    }

    #[test]
    fn after_the_end_no_slot_is_given_out() {
        let table = Arc::new(Table(Slots::new()));
        let owned: Vec<_> = (0..200).map(|_| Slots::own(&table, Ready::EMPTY).unwrap()).collect();
        assert_eq!(table.0.owned(), (200, 200));
        table.0.shut_down(&mut Wakers::new());
        assert_eq!(Slots::own(&table, Ready::EMPTY).unwrap_err(), Refused::Closed);
        drop(owned);
        assert_eq!(table.0.owned(), (0, 200));
    }

    #[test]
    fn a_slot_is_one_cache_line() {
        assert_eq!(size_of::<Slot>(), 64);
    }
}
