//! The readiness word: one for each slot, written by whoever harvests events, by the tasks that
//! use the descriptor and by the one that closes it. No bit of it leaves this file.
//!
//! ```text
//! 63        36 35      12  11    10    9     8    7..6  5..0
//! generation   tick       SHUT  LIST  WRITE READ   -    readiness
//!
//! field        is changed by                                  under the slot's lock
//! readiness    set (adds), clear (takes, if the tick fits)    no
//! tick         set (+1)                                       no
//! READ, WRITE  wait (a `poll_*` waker is left), woken (taken) yes
//! LIST         wait (a node is linked), woken (none left)     yes
//! SHUT         shut down, once and for ever                   no
//! generation   release (+1, the rest but SHUT becomes 0)      yes
//! ```
//!
//! **No edge is lost to a clear.** A clear names the tick that its caller saw before it found the
//! descriptor empty. A set that came between has advanced the tick, so the clear does nothing.
//!
//! **No edge is lost to a waiter.** `wait` adds the waiter's bit in one exchange with the look
//! that finds no readiness: in the order of the word's changes a set is either before, and the
//! look sees it, or after, and the set sees the bit, takes the lock and finds the waker.
//!
//! **No late event reaches the next owner.** An event carries the generation under which its
//! descriptor was registered; `set` compares it in the same exchange.
//!
//! Ticks wrap after 2^24 sets between a look and its clear, generations after 2^28 owners of one
//! slot between the harvest of an event and its set.

use crate::ready::{Direction, Ready};
use shinkan_base::atomics::{AtomicU64, Ordering};
use shinkan_base::canary;

const READY: u64 = 0x3f;
const WAITS_READ: u64 = 1 << 8;
const WAITS_WRITE: u64 = 1 << 9;
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
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen(u64);

/// A readiness and the tick at which it was seen, for a later clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadyEvent {
    /// What the descriptor was ready for, of what was asked.
    pub ready: Ready,
    tick: u32,
    is_shutdown: bool,
}

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// A waker of a `poll_*` method.
    Direction(Direction),
    /// A node in the list.
    Node,
}

/// What a set found.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// The slot has another owner: nothing was changed.
    Stale,
    /// Set; nobody waits for it.
    NoWaiter,
    /// Set; take the lock and the wakers.
    Waiters,
}

impl ReadyEvent {
    /// An event of its own making: what `ready` says, at the same moment.
    #[doc(hidden)]
    pub fn with_ready(self, ready: Ready) -> ReadyEvent {
        ReadyEvent { ready, ..self }
    }

    /// Whether the runtime has ended.
    pub(crate) fn is_shutdown(self) -> bool {
        self.is_shutdown
    }
}

impl Waiter {
    #[inline]
    const fn bit(self) -> u64 {
        match self {
            Waiter::Direction(Direction::Read) => WAITS_READ,
            Waiter::Direction(Direction::Write) => WAITS_WRITE,
            Waiter::Node => WAITS_LIST,
        }
    }
}

impl Seen {
    #[inline]
    fn ready(self) -> Ready {
        Ready::from_bits((self.0 & READY) as u8)
    }

    #[inline]
    fn is_shutdown(self) -> bool {
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

    #[inline]
    pub(crate) fn has(self, waiter: Waiter) -> bool {
        self.0 & waiter.bit() != 0
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

    #[inline]
    fn waiters_for(self, ready: Ready) -> bool {
        (ready.is_readable() && self.0 & WAITS_READ != 0)
            || (ready.is_writable() && self.0 & WAITS_WRITE != 0)
            || self.0 & WAITS_LIST != 0
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
            let next = (seen.0 & !TICK) | tick | u64::from(ready.bits());
            match self.exchange(seen, next) {
                Ok(()) if canary("readiness_waiters_before_set") && !before.waiters_for(ready) => {
                    return Set::NoWaiter;
                }
                Ok(()) if seen.waiters_for(ready) => return Set::Waiters,
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

    /// Notes a waiter, or answers with the readiness that it need not wait for. The caller holds
    /// the slot's lock, and has left the waker or is about to before it unlocks.
    #[inline]
    pub(crate) fn wait(&self, waiter: Waiter, mask: Ready) -> Option<ReadyEvent> {
        if canary("readiness_wait_without_recheck") {
            self.0.fetch_or(waiter.bit(), Ordering::AcqRel);
            return None;
        }
        let mut seen = self.look();
        loop {
            if let Some(event) = seen.ready_event(mask) {
                return Some(event);
            }
            if seen.has(waiter) {
                return None;
            }
            match self.exchange(seen, seen.0 | waiter.bit()) {
                Ok(()) => return None,
                Err(now) => seen = now,
            }
        }
    }

    /// Notes that a waiter was taken. The caller holds the slot's lock.
    #[inline]
    pub(crate) fn woken(&self, waiter: Waiter) {
        self.0.fetch_and(!waiter.bit(), Ordering::AcqRel);
    }

    /// Ends it all: from now on every wait is answered. All waiters are to be woken.
    pub(crate) fn shut_down(&self) {
        self.0.fetch_or(SHUTDOWN, Ordering::AcqRel);
    }

    /// Ends the owner's time and returns the generation of the next. The caller holds the slot's
    /// lock.
    pub(crate) fn release(&self) -> u32 {
        let mut seen = self.look();
        loop {
            let next =
                (seen.0 & !(GENERATION_ONE - 1)).wrapping_add(GENERATION_ONE) | (seen.0 & SHUTDOWN);
            match self.exchange(seen, next) {
                Ok(()) => return Seen(next).generation(),
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
        assert_eq!(word.release(), 1);
        assert_eq!(word.set(0, Ready::ALL), Set::Stale);
        assert!(word.look().event(Ready::ALL).ready.is_empty());
        assert_eq!(word.set(1, Ready::ALL), Set::NoWaiter);
    }

    #[test]
    fn a_set_tells_of_the_waiters_of_its_direction() {
        let word = Word::new(0);
        let reader = Waiter::Direction(Direction::Read);
        assert_eq!(word.wait(reader, READ), None);
        assert_eq!(word.set(0, Ready::WRITABLE), Set::NoWaiter);
        assert_eq!(word.set(0, Ready::READ_CLOSED), Set::Waiters);
        word.woken(reader);
        assert!(!word.look().has(reader));
        assert_eq!(word.set(0, Ready::READABLE), Set::NoWaiter);
        assert!(word.wait(reader, READ).is_some());
    }

    #[test]
    fn the_tick_and_the_generation_wrap_in_their_own_bits() {
        let word = Word(AtomicU64::new(!SHUTDOWN));
        let last = (1 << GENERATION_BITS) - 1;
        assert_eq!(word.look().generation(), last);
        assert_eq!(word.set(last, Ready::READABLE), Set::Waiters);
        assert_eq!((word.look().tick(), word.look().generation()), (0, last));
        assert_eq!(word.release(), 0);
        assert!(!word.look().is_shutdown());
    }

    #[test]
    fn after_the_end_every_wait_is_answered_also_for_the_next_owner() {
        let word = Word::new(0);
        word.shut_down();
        assert!(word.wait(Waiter::Node, READ).is_some_and(ReadyEvent::is_shutdown));
        word.release();
        assert!(word.look().ready_event(READ).is_some_and(ReadyEvent::is_shutdown));
    }
}
