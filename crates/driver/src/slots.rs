//! The table of slots: type-stable memory that lives as long as the `Io`.
//!
//! Slots lie in chunks of doubling size that never move and are never freed while the table lives,
//! so an event may be applied to its slot whatever has become of the descriptor; the generation in
//! slot and event says whether it still concerns the owner. A slot that is given back is given
//! out again first, so that a server's churn stays in warm lines.

#![allow(unsafe_code)]

use crate::ready::Ready;
use crate::waiters::{self, Waiters};
use crate::word::{GENERATION_BITS, Word};
use core::fmt;
use core::ptr::NonNull;
use shinkan_base::atomics::Mutex;
use shinkan_base::canary;
use shinkan_base::wakers::Wakers;
use std::sync::{Arc, OnceLock};

/// What the backends know of a descriptor: one cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Slot {
    pub(crate) word: Word,
    pub(crate) waiters: Mutex<Waiters>,
}

/// A slot and the generation of one owner, as the 64 bits that an event carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(u64);

/// The table.
#[derive(Debug)]
pub(crate) struct Slots {
    chunks: [OnceLock<Box<[Slot]>>; CHUNKS],
    free: Mutex<Free>,
}

#[derive(Debug)]
struct Free {
    // Indices that were given back, with the generation of their next owner.
    given_back: Vec<Token>,
    // Indices from here on were never given out.
    fresh: u32,
    owned: u32,
    // How many had an owner, ever.
    owned_ever: u64,
    is_closed: bool,
}

const CHUNKS: usize = 28;
const SLOTS_MAX: u32 = (1 << CHUNKS) - 1;

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

impl Token {
    fn new(index: u32, generation: u32) -> Self {
        debug_assert!(generation >> GENERATION_BITS == 0, "a generation has its bits");
        Self(u64::from(generation) << 32 | u64::from(index))
    }

    /// The token of which [`Token::as_u64`] gave the bits.
    #[inline]
    pub(crate) const fn from_u64(bits: u64) -> Self {
        Self(bits)
    }

    /// As a number.
    #[inline]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    #[inline]
    const fn index(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl Slots {
    pub(crate) fn new() -> Self {
        let free =
            Free { given_back: Vec::new(), fresh: 0, owned: 0, owned_ever: 0, is_closed: false };
        Self { chunks: [const { OnceLock::new() }; CHUNKS], free: Mutex::new(free) }
    }

    /// Gives out a slot that starts with `ready`.
    pub(crate) fn own<T: AsRef<Slots>>(table: &Arc<T>, ready: Ready) -> Result<Owned<T>, Refused> {
        let slots: &Slots = (**table).as_ref();
        let token = slots.free.lock().take()?;
        let slot = slots.slot_or_grow(token.index());
        let owned = Owned { slot: NonNull::from(slot), token, table: table.clone() };
        // Nobody waits yet, and a shutdown since then stays in the word.
        let _ = slot.word.set(token.generation(), ready);
        Ok(owned)
    }

    /// Applies an event, however late it comes.
    #[inline]
    pub(crate) fn set(&self, token: Token, ready: Ready, out: &mut Wakers) {
        let slot = self.slot(token.index());
        debug_assert!(slot.is_some(), "the event of a slot that was never given out");
        if let Some(slot) = slot {
            waiters::set(slot, token.generation(), ready, out);
        }
    }

    /// Refuses new owners and ends the waits of all that there are.
    pub(crate) fn shut_down(&self, out: &mut Wakers) {
        let fresh = {
            let mut free = self.free.lock();
            free.is_closed = !canary("readiness_end_before_close");
            free.fresh
        };
        // A slot that was given out just before has its chunk, or will have it while nobody waits:
        // then the next owner's first look is what tells it. So chunks are made here, too.
        for index in 0..fresh {
            waiters::shut_down(self.slot_or_grow(index), out);
        }
        if canary("readiness_end_before_close") {
            self.free.lock().is_closed = true;
        }
    }

    /// Whether no slot was ever given out: no event can come.
    #[inline]
    pub(crate) fn are_unused(&self) -> bool {
        self.chunks[0].get().is_none()
    }

    /// How many slots have an owner, and how many owners there ever were.
    pub(crate) fn owned(&self) -> (u32, u64) {
        let free = self.free.lock();
        (free.owned, free.owned_ever)
    }

    #[inline]
    fn slot(&self, index: u32) -> Option<&Slot> {
        let (chunk, offset) = place(index);
        self.chunks.get(chunk)?.get()?.get(offset)
    }

    fn slot_or_grow(&self, index: u32) -> &Slot {
        let (chunk, offset) = place(index);
        let slots = self.chunks[chunk].get_or_init(|| {
            (0..1usize << chunk)
                .map(|_| Slot { word: Word::new(), waiters: Mutex::default() })
                .collect()
        });
        &slots[offset]
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
    fn take(&mut self) -> Result<Token, Refused> {
        if self.is_closed {
            return Err(Refused::Closed);
        }
        let token = match self.given_back.pop() {
            Some(token) => token,
            None if self.fresh == SLOTS_MAX => return Err(Refused::Full),
            None => {
                self.fresh += 1;
                Token::new(self.fresh - 1, 0)
            }
        };
        self.owned += 1;
        self.owned_ever += 1;
        Ok(token)
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
        // - alive and in place: `table` keeps the chunks, which never move (`slot_or_grow`).
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
        let slots: &Slots = (*self.table).as_ref();
        let mut free = slots.free.lock();
        free.owned -= 1;
        free.given_back.push(Token::new(self.token.index(), generation));
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
        assert_eq!(place(SLOTS_MAX - 1), (CHUNKS - 1, (1 << (CHUNKS - 1)) - 1));
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
        table.0.set(token, Ready::ALL, &mut Wakers::new());
        assert!(second.slot().word.look().event(Ready::ALL).ready.is_empty());
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
