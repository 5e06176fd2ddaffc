//! The readiness word: one for each slot, written by whoever harvests events, by the tasks that
//! use the descriptor and by the one that closes it. No bit of it leaves this file.
//!
//! ```text
//! 63        36 35      12  11    10    9 8    7 6   5..0
//! generation   tick       SHUT  LIST  WAITS  HELD  readiness
//!
//! field        is changed by                                  under the slot's lock
//! readiness    set (adds), clear (takes, if the tick fits)    no
//! tick         set (+1)                                       no
//! WAITS, HELD  the table below, a bit for each direction      no
//! LIST         wait (a node is linked), no node waits          yes
//! SHUT         shut down, once and for ever                   no
//! generation   release (+1; all but SHUT, HELD becomes 0)     yes
//! ```
//!
//! The waker of a direction's `poll_*` methods lies in a cell beside the word (`direct.rs`):
//!
//! ```text
//! WAITS HELD  the cell  who may touch it     goes on to
//! 0     0     empty     nobody               HELD   hold: a task is about to leave its waker
//! 1     0     full      nobody               HELD   hold: a task replaces the waker
//!                                            HELD   set, shut down, release: to take it
//! 0     1     changes   who set HELD, alone  WAITS  leave, in one exchange with the look that
//!                                                   finds no readiness
//!                                            none   let go: the cell is empty
//! ```
//!
//! A task that finds HELD looks again until it is gone: whoever holds calls nobody's code, and lets
//! go after a few instructions. A set and a shut down need not wait: who leaves a waker after them
//! sees the readiness (or that it was cleared since) and wakes whom it has displaced, and who takes
//! one before them wakes it. Nor need a release: HELD stays, and the next owner's first task to wait
//! is held up until who set it has carried the last owner's waker away.
//!
//! **No edge is lost to a clear.** A clear names the tick that its caller saw before it found the
//! descriptor empty. A set that came between has advanced the tick, so the clear does nothing.
//!
//! **No edge is lost to a waiter.** `leave` and `wait` add the waiter's bit in one exchange with the
//! look that finds no readiness: in the order of the word's changes a set is either before, and the
//! look sees it, or after, and the set sees the bit and holds the cell, or takes the lock and finds
//! the node.
//!
//! **One at a time touches a cell.** HELD is set by an exchange from a word without it, and taken
//! away by who set it. Each exchange is AcqRel, so what the last holder wrote is seen by the next.
//!
//! **No late event reaches the next owner.** An event carries the generation under which its
//! descriptor was registered; `set` compares it in the same exchange.
//!
//! Ticks wrap after 2^24 sets between a look and its clear, generations after 2^28 owners of one
//! slot between the harvest of an event and its set.

use crate::ready::{Direction, Ready, ReadyEvent};
use shinkan_base::atomics::{AtomicU64, Ordering};
use shinkan_base::canary;

const READY: u64 = 0x3f;
const HELD_READ: u64 = 1 << 6;
const HELD_WRITE: u64 = 1 << 7;
const HELD: u64 = HELD_READ | HELD_WRITE;
const WAITS_READ: u64 = HELD_READ << TO_WAITS;
const WAITS_WRITE: u64 = HELD_WRITE << TO_WAITS;
const WAITS: u64 = WAITS_READ | WAITS_WRITE;
/// A direction's WAITS lies so far above its HELD.
const TO_WAITS: u32 = 2;
const WAITS_LIST: u64 = 1 << 10;
const SHUTDOWN: u64 = 1 << 11;
const TICK_ONE: u64 = 1 << 12;
const TICK: u64 = ((1 << 24) - 1) << 12;
const GENERATION_ONE: u64 = 1 << 36;

/// Bits of a generation.
pub(crate) const GENERATION_BITS: u32 = 28;

/// The word.
#[derive(Debug)]
pub(crate) struct Word(AtomicU64);

/// What the word said at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u64);

/// Cells that the caller holds, and whether nodes wait. The cells have to be let go, once.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken(u64);

/// What a set found.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// The slot has another owner: nothing was changed.
    Stale,
    /// Set; nobody is to be woken: who holds a cell sees it, or wakes whom it took from there.
    NoWaiter,
    /// Set; take the wakers from the cells that are held, and from the list.
    Waiters(Taken),
}

impl Direction {
    // By a shift, since the direction is mostly an argument.
    #[inline]
    const fn held(self) -> u64 {
        const { assert!(HELD_WRITE == HELD_READ << Direction::Write as u32, "one bit further") };
        HELD_READ << self as u32
    }

    #[inline]
    const fn waits(self) -> u64 {
        self.held() << TO_WAITS
    }
}

impl Taken {
    /// Whether the caller holds the cell of this direction, which is full.
    #[inline]
    pub(crate) fn holds(&self, direction: Direction) -> bool {
        self.0 & direction.held() != 0
    }

    /// Whether it holds any.
    #[inline]
    pub(crate) fn holds_any(&self) -> bool {
        self.0 & HELD != 0
    }

    /// Whether nodes wait in the list.
    #[inline]
    pub(crate) fn has_nodes(&self) -> bool {
        self.0 & WAITS_LIST != 0
    }
}

impl Seen {
    #[inline]
    fn ready(self) -> Ready {
        Ready::from_bits((self.0 & READY) as u8)
    }

    #[inline]
    pub(crate) fn is_shutdown(self) -> bool {
        self.0 & SHUTDOWN != 0
    }

    #[inline]
    fn tick(self) -> u32 {
        ((self.0 & TICK) / TICK_ONE) as u32
    }

    #[inline]
    pub(crate) fn generation(self) -> u32 {
        (self.0 / GENERATION_ONE) as u32
    }

    /// Whether a waker lies in the direction's cell, and nobody holds it.
    #[inline]
    pub(crate) fn waits(self, direction: Direction) -> bool {
        self.0 & direction.waits() != 0
    }

    /// Whether it is ready in this direction, and the runtime has not ended: by one comparison.
    #[inline]
    pub(crate) fn is_usable(self, direction: Direction) -> bool {
        let ready = u64::from(direction.mask().bits());
        const { assert!(SHUTDOWN > READY) };
        (self.0 & (ready | SHUTDOWN)).wrapping_sub(1) < SHUTDOWN - 1
    }

    /// Whether a wait in this direction is over.
    #[inline]
    pub(crate) fn ends_wait(self, direction: Direction) -> bool {
        self.0 & (u64::from(direction.mask().bits()) | SHUTDOWN) != 0
    }

    /// Whether nothing ends a wait in this direction, and its cell is empty: by one comparison.
    #[inline]
    pub(crate) fn has_to_wait(self, direction: Direction) -> bool {
        let ready = u64::from(direction.mask().bits());
        self.0 & (ready | SHUTDOWN | direction.waits() | direction.held()) == 0
    }

    /// Whether somebody holds the direction's cell.
    #[inline]
    pub(crate) fn is_held(self, direction: Direction) -> bool {
        self.0 & direction.held() != 0
    }

    /// Whether nodes wait in the list.
    #[inline]
    pub(crate) fn has_nodes(self) -> bool {
        self.0 & WAITS_LIST != 0
    }

    /// The part of the readiness that `mask` asks for. Empty after the end, too, where none is.
    #[inline]
    pub(crate) fn event(self, mask: Ready) -> ReadyEvent {
        ReadyEvent {
            ready: self.ready() & mask,
            tick: self.tick(),
            is_shutdown: self.is_shutdown(),
        }
    }

    /// The same, where it ends a wait.
    #[inline]
    pub(crate) fn ready_event(self, mask: Ready) -> Option<ReadyEvent> {
        let event = self.event(mask);
        (event.is_shutdown || !event.ready.is_empty()).then_some(event)
    }

    /// Those who wait for any of `ready`: the bits that say so.
    #[inline]
    fn waiters_for(self, ready: Ready) -> u64 {
        let mut concerned = WAITS_LIST;
        if ready.is_readable() {
            concerned |= WAITS_READ;
        }
        if ready.is_writable() {
            concerned |= WAITS_WRITE;
        }
        self.0 & concerned
    }

    /// The word after the cells of `waiters` were taken hold of; and which they are.
    #[inline]
    fn held(self, waiters: u64) -> (u64, Taken) {
        let full = waiters & WAITS;
        let held = if canary("readiness_take_unheld") { 0 } else { full >> TO_WAITS };
        let gone = if canary("readiness_take_twice") { 0 } else { full };
        (self.0 & !gone | held, Taken(full >> TO_WAITS | waiters & WAITS_LIST))
    }
}

impl Word {
    /// Of a slot whose first owner has that generation.
    pub(crate) fn new(generation: u32) -> Self {
        Self(AtomicU64::new(u64::from(generation) * GENERATION_ONE))
    }

    /// A look. Acquire, against the release of a set: what the harvester saw happened before.
    #[inline]
    pub(crate) fn look(&self) -> Seen {
        Seen(self.0.load(Ordering::Acquire))
    }

    /// Adds readiness for the owner of `generation`, and advances the tick.
    #[inline]
    pub(crate) fn set(&self, generation: u32, ready: Ready) -> Set {
        let mut seen = self.look();
        let before = seen;
        loop {
            if seen.generation() != generation && !canary("readiness_set_any_generation") {
                return Set::Stale;
            }
            let tick = if canary("readiness_set_keeps_tick") {
                seen.0 & TICK
            } else {
                seen.0.wrapping_add(TICK_ONE) & TICK
            };
            let looked = if canary("readiness_waiters_before_set") { before } else { seen };
            let waiters = looked.waiters_for(ready);
            let (next, taken) = seen.held(waiters);
            match self.exchange(seen, (next & !TICK) | tick | u64::from(ready.bits())) {
                Ok(()) if waiters != 0 => return Set::Waiters(taken),
                Ok(()) => return Set::NoWaiter,
                Err(now) => seen = now,
            }
        }
    }

    /// Takes `gone` away, unless there was a set since `event` was seen.
    #[inline]
    pub(crate) fn clear(&self, event: ReadyEvent, gone: Ready) {
        let gone = u64::from(gone.bits());
        let mut seen = self.look();
        while seen.tick() == event.tick && seen.0 & gone != 0 {
            match self.exchange(seen, seen.0 & !gone) {
                Ok(()) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// Takes the readiness of this direction away, as [`Word::clear`] does, but its end, and nothing
    /// where there is urgent data: a read ends at its mark, also where more lies behind it.
    #[inline]
    pub(crate) fn clear_stream(&self, seen: Seen, direction: Direction) {
        let gone = u64::from(direction.open().bits());
        let mut now = self.look();
        while (now.0 ^ seen.0) & TICK == 0
            && now.0 & gone != 0
            && now.0 & u64::from(Ready::PRIORITY.bits()) == 0
        {
            match self.exchange(now, now.0 & !gone) {
                Ok(()) => return,
                Err(other) => now = other,
            }
        }
    }

    /// Takes hold of a direction's cell, which nobody held in `seen`: what the word says then.
    ///
    /// # Errors
    /// The word has changed: what it says now.
    #[inline]
    pub(crate) fn hold(&self, seen: Seen, direction: Direction) -> Result<Seen, Seen> {
        let held = seen.0 & !direction.waits() | direction.held();
        self.exchange(seen, held).map(|()| Seen(held))
    }

    /// Leaves a waker in the cell, which the caller has held, so that the word said `seen`, and
    /// filled. Or answers with the readiness that it need not wait for: then the cell is still held.
    #[inline]
    pub(crate) fn leave(&self, mut seen: Seen, direction: Direction) -> Option<Seen> {
        let step = direction.waits() - direction.held();
        if canary("readiness_wait_without_recheck") {
            self.0.fetch_add(step, Ordering::AcqRel);
            return None;
        }
        loop {
            debug_assert!(seen.is_held(direction) && !seen.waits(direction));
            match self.exchange(seen, seen.0 + step) {
                Ok(()) => return None,
                Err(now) => seen = now,
            }
            if seen.ends_wait(direction) {
                return Some(seen);
            }
        }
    }

    /// Gives up the cells that were taken, which are empty now.
    #[inline]
    pub(crate) fn let_go(&self, taken: Taken) {
        let held = taken.0 & HELD;
        if !canary("readiness_take_unheld") {
            let before = self.0.fetch_and(!held, Ordering::AcqRel);
            debug_assert!(before & held == held, "nobody else lets go of them");
        }
    }

    /// Gives up the one cell that a [`hold`](Word::hold) got.
    #[inline]
    pub(crate) fn let_go_of(&self, direction: Direction) {
        self.0.fetch_and(!direction.held(), Ordering::AcqRel);
    }

    /// Notes that a node waits, or answers with the readiness that it need not wait for. The caller
    /// holds the slot's lock, and links the node before it unlocks.
    #[inline]
    pub(crate) fn wait(&self, mask: Ready) -> Option<ReadyEvent> {
        let mut seen = self.look();
        loop {
            if let Some(event) = seen.ready_event(mask) {
                return Some(event);
            }
            if seen.has_nodes() {
                return None;
            }
            match self.exchange(seen, seen.0 | WAITS_LIST) {
                Ok(()) => return None,
                Err(now) => seen = now,
            }
        }
    }

    /// Notes that no node is left. The caller holds the slot's lock.
    #[inline]
    pub(crate) fn no_node_waits(&self) {
        self.0.fetch_and(!WAITS_LIST, Ordering::AcqRel);
    }

    /// Ends it all: from now on every wait is answered. All who wait are to be woken.
    pub(crate) fn shut_down(&self) -> Taken {
        let mut seen = self.look();
        loop {
            let (next, taken) = seen.held(seen.0 & (WAITS | WAITS_LIST));
            match self.exchange(seen, next | SHUTDOWN) {
                Ok(()) => return taken,
                Err(now) => seen = now,
            }
        }
    }

    /// Ends the owner's time: the generation of the next, and the cells that the caller now holds.
    /// The caller holds the slot's lock.
    pub(crate) fn release(&self) -> (u32, Taken) {
        let mut seen = self.look();
        loop {
            let (held, taken) = seen.held(seen.0 & WAITS);
            let stays = if canary("readiness_release_unheld") { SHUTDOWN } else { SHUTDOWN | HELD };
            let next =
                (seen.0 & !(GENERATION_ONE - 1)).wrapping_add(GENERATION_ONE) | (held & stays);
            match self.exchange(seen, next) {
                Ok(()) => return (Seen(next).generation(), taken),
                Err(now) => seen = now,
            }
        }
    }

    #[inline]
    fn exchange(&self, seen: Seen, next: u64) -> Result<(), Seen> {
        // AcqRel for each change: a set publishes what its harvester saw, and every other change
        // passes on what the ones before it published.
        let order =
            if canary("readiness_set_relaxed") { Ordering::Relaxed } else { Ordering::AcqRel };
        match self.0.compare_exchange_weak(seen.0, next, order, Ordering::Acquire) {
            Ok(_) => Ok(()),
            Err(now) => Err(Seen(now)),
        }
    }
}

#[cfg(all(test, not(shinkan_loom)))]
mod tests {
    use super::*;

    const READ: Ready = Direction::Read.mask();

    #[test]
    fn a_clear_takes_what_it_names() {
        let word = Word::new(0);
        assert_eq!(word.set(0, Ready::READABLE | Ready::READ_CLOSED), Set::NoWaiter);
        let event = word.look().event(READ);
        word.clear(event, event.ready - Ready::CLOSED);
        assert_eq!(word.look().event(Ready::ALL).ready, Ready::READ_CLOSED);
        word.clear(event, event.ready);
        assert_eq!(word.look().event(Ready::ALL).ready, Ready::EMPTY);
    }

    #[test]
    fn a_clear_that_is_older_than_a_set_takes_nothing() {
        let word = Word::new(0);
        let _ = word.set(0, Ready::READABLE);
        let event = word.look().event(READ);
        let _ = word.set(0, Ready::READABLE);
        word.clear(event, event.ready);
        assert!(word.look().event(READ).ready.is_readable());
    }

    #[test]
    fn a_set_of_an_older_generation_does_nothing() {
        let word = Word::new(0);
        assert_eq!(word.release().0, 1);
        assert_eq!(word.set(0, Ready::ALL), Set::Stale);
        assert!(word.look().event(Ready::ALL).ready.is_empty());
        assert_eq!(word.set(1, Ready::ALL), Set::NoWaiter);
    }

    fn hold(word: &Word, direction: Direction) -> Seen {
        let Ok(held) = word.hold(word.look(), direction) else { panic!("nobody else is there") };
        held
    }

    /// A task leaves its waker.
    fn leave(word: &Word, direction: Direction) -> Option<Seen> {
        let held = hold(word, direction);
        word.leave(held, direction)
    }

    #[test]
    fn a_set_takes_hold_of_the_cells_of_its_directions() {
        let word = Word::new(0);
        assert_eq!(leave(&word, Direction::Read), None);
        assert_eq!(word.set(0, Ready::WRITABLE), Set::NoWaiter);
        let Set::Waiters(taken) = word.set(0, Ready::READ_CLOSED) else { panic!("one waits") };
        assert!(taken.holds(Direction::Read) && !taken.holds(Direction::Write));
        assert!(!taken.has_nodes());
        assert!(word.look().is_held(Direction::Read) && !word.look().waits(Direction::Read));
        assert_eq!(word.set(0, Ready::READABLE), Set::NoWaiter, "the first one wakes it");
        word.let_go(taken);
        assert!(!word.look().is_held(Direction::Read));
        word.clear(word.look().event(READ), READ);
        let held = hold(&word, Direction::Read);
        assert_eq!(word.set(0, Ready::READABLE), Set::NoWaiter, "who holds it sees it");
        assert!(word.leave(held, Direction::Read).is_some());
        assert!(word.look().is_held(Direction::Read), "it has to take its waker back");
    }

    #[test]
    fn who_lets_go_of_one_cell_keeps_the_others_hold() {
        let word = Word::new(0);
        assert_eq!(leave(&word, Direction::Read), None);
        let Set::Waiters(taken) = word.set(0, Ready::READABLE) else { panic!("one waits") };
        let held = hold(&word, Direction::Write);
        word.let_go(taken);
        assert!(word.look().is_held(Direction::Write) && !word.look().is_held(Direction::Read));
        word.clear(word.look().event(READ), READ);
        assert_eq!(word.leave(held, Direction::Write), None);
        assert!(word.look().waits(Direction::Write) && !word.look().is_held(Direction::Write));
    }

    #[test]
    fn a_stream_that_is_drained_keeps_its_end_and_the_other_direction() {
        for direction in [Direction::Read, Direction::Write] {
            let word = Word::new(0);
            assert!(!word.look().is_usable(direction) && !word.look().ends_wait(direction));
            let _ = word.set(
                0,
                Ready::READABLE | Ready::WRITABLE | Ready::READ_CLOSED | Ready::WRITE_CLOSED,
            );
            let seen = word.look();
            assert!(seen.is_usable(direction) && seen.ends_wait(direction));
            word.clear_stream(seen, direction);
            let left = word.look().event(Ready::ALL).ready;
            let open = direction.open();
            assert!((left & open).is_empty() && left | open == seen.event(Ready::ALL).ready);
            assert!(word.look().is_usable(direction), "closed");
        }
    }

    #[test]
    fn a_stream_with_news_or_urgent_data_is_not_drained() {
        let word = Word::new(0);
        let _ = word.set(0, Ready::READABLE);
        let seen = word.look();
        let _ = word.set(0, Ready::READABLE);
        word.clear_stream(seen, Direction::Read);
        assert!(word.look().is_usable(Direction::Read), "there was a set since");
        let _ = word.set(0, Ready::PRIORITY);
        word.clear_stream(word.look(), Direction::Read);
        assert!(word.look().is_usable(Direction::Read));
    }

    #[test]
    fn after_the_end_a_direction_is_not_usable_and_waits_end() {
        let word = Word::new(0);
        let _ = word.set(0, Ready::READABLE);
        let _ = word.shut_down();
        assert!(!word.look().is_usable(Direction::Read));
        assert!(word.look().ends_wait(Direction::Read) && word.look().ends_wait(Direction::Write));
    }

    #[test]
    fn a_set_tells_of_nodes() {
        let word = Word::new(0);
        assert_eq!(word.wait(READ), None);
        let Set::Waiters(taken) = word.set(0, Ready::WRITABLE) else { panic!("one waits") };
        assert!(taken.has_nodes() && !taken.holds_any());
        word.no_node_waits();
        assert_eq!(word.set(0, Ready::READABLE), Set::NoWaiter);
        assert!(word.wait(READ).is_some());
    }

    #[test]
    fn the_next_owner_has_no_waiter_and_the_last_ones_are_held() {
        let word = Word::new(0);
        assert_eq!(leave(&word, Direction::Read), None);
        assert_eq!(leave(&word, Direction::Write), None);
        let (generation, taken) = word.release();
        assert_eq!(generation, 1);
        assert!(taken.holds(Direction::Read) && taken.holds(Direction::Write));
        word.let_go(taken);
        assert_eq!(word.set(1, Ready::ALL), Set::NoWaiter);
    }

    #[test]
    fn the_tick_and_the_generation_wrap_in_their_own_bits() {
        let word = Word(AtomicU64::new(!(SHUTDOWN | HELD)));
        let last = (1 << GENERATION_BITS) - 1;
        assert_eq!(word.look().generation(), last);
        let Set::Waiters(taken) = word.set(last, Ready::READABLE) else { panic!("all wait") };
        assert!(taken.has_nodes() && taken.holds(Direction::Read));
        assert_eq!((word.look().tick(), word.look().generation()), (0, last));
        word.let_go(taken);
        assert_eq!(word.release().0, 0);
        assert!(!word.look().is_shutdown());
    }

    #[test]
    fn after_the_end_every_wait_is_answered_also_for_the_next_owner() {
        let word = Word::new(0);
        assert!(!word.shut_down().holds_any());
        assert!(word.wait(READ).is_some_and(ReadyEvent::is_shutdown));
        assert!(word.look().ready_event(READ).is_some_and(ReadyEvent::is_shutdown));
        let _ = word.release();
        assert!(word.look().ready_event(READ).is_some_and(ReadyEvent::is_shutdown));
    }
}
