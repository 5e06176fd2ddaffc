//! One request to an interrupted thread, and whose the buffer is meanwhile. Used by `signal.rs`;
//! `models/tests/request.rs` walks its interleavings. Never blocks: half of it runs in a handler.
//!
//! One word: the number of the request, and a phase. There is one asker at a time (a lock of
//! `signal.rs`), and one thread that was asked; a handler of an earlier request may come late, from
//! a thread that held the signal off, or was not scheduled.
//!
//! ```text
//! row  phase    the buffer belongs to
//!  1   FREE     the asker
//!  2   ASKED    nobody: the signal is under way
//!  3   WRITING  the handler
//!  4   DONE     the asker, who reads
//! (1) ask 1|4→2   (2) serve 2→3, if the number is its own   (3) serve 3→4
//! (4) withdraw 2→1
//! ```
//!
//! - A handler writes only between (2) and (3). (2) is a compare-and-exchange that names the number,
//!   and each number is asked with once, so a late handler finds another number or phase and writes
//!   nothing.
//! - `withdraw` gives up. In row 2 it takes the request back, and no handler can begin any more. In
//!   row 3 it fails: the buffer stays the handler's, and `ask` refuses the slot until (3). A thread
//!   that ends in row 2 was interrupted by nothing; one that is in row 3 runs the handler, and so
//!   cannot end before (3).
//! - Pairs: `serve`'s Release at (3) with `is_done`'s Acquire (the copy is seen whole); the Release of
//!   `ask` with `serve`'s Acquire at (2) (the asker has read the last copy before the next is written,
//!   and what it wrote is there).

use shinkan_base::atomics::{AtomicU64, Ordering};
use shinkan_base::canary;

const FREE: u64 = 0;
const ASKED: u64 = 1;
const WRITING: u64 = 2;
const DONE: u64 = 3;
const PHASE: u64 = 3;

/// The number of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

impl Ticket {
    /// Such numbers are below this.
    pub const LIMIT: u64 = 1 << 40;

    /// As a number, to be sent.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// From a number that came with a signal.
    pub fn from_u64(number: u64) -> Self {
        Self(number % Self::LIMIT)
    }
}

/// The word of one slot.
#[derive(Debug)]
pub struct Request {
    pub(crate) word: AtomicU64,
}

impl Request {
    /// Nothing was asked.
    pub fn new() -> Self {
        Self { word: AtomicU64::new(FREE) }
    }

    /// (1) The next request; nothing while a handler still writes for an earlier one.
    #[must_use]
    pub fn ask(&self) -> Option<Ticket> {
        self.ask_with(|| {})
    }

    /// The same; `write` leaves in the buffer what the handler is to know.
    #[must_use]
    pub fn ask_with(&self, write: impl FnOnce()) -> Option<Ticket> {
        let word = self.word.load(Ordering::Acquire);
        // The one asker: from FREE or DONE nobody else moves on.
        if matches!(word & PHASE, ASKED | WRITING) {
            return None;
        }
        write();
        let ticket = Ticket(((word >> 2) + 1) % Ticket::LIMIT);
        let order =
            if canary("request_asked_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        self.word.store(ticket.0 << 2 | ASKED, order);
        Some(ticket)
    }

    /// (2), `write`, (3): by the handler. Whether the request still stood.
    pub fn serve(&self, ticket: Ticket, write: impl FnOnce()) -> bool {
        let named = ticket.0 << 2 | ASKED;
        let mine = ticket.0 << 2 | WRITING;
        let order = Ordering::Acquire;
        if self.word.compare_exchange(named, mine, order, Ordering::Relaxed).is_err() {
            return false;
        }
        let done = ticket.0 << 2 | DONE;
        if canary("request_step_swapped") {
            self.word.store(done, Ordering::Release);
            write();
            return true;
        }
        write();
        let order =
            if canary("request_done_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        self.word.store(done, order);
        true
    }

    /// Whether the copy is there, whole.
    #[must_use]
    pub fn is_done(&self, ticket: Ticket) -> bool {
        self.word.load(Ordering::Acquire) == ticket.0 << 2 | DONE
    }

    /// (4) The asker waits no longer. False: a handler has begun.
    pub fn withdraw(&self, ticket: Ticket) -> bool {
        let named = ticket.0 << 2 | ASKED;
        let free = ticket.0 << 2 | FREE;
        if canary("request_blind_withdraw") {
            self.word.store(free, Ordering::Release);
            return true;
        }
        self.word.compare_exchange(named, free, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

impl Default for Request {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All rows and who may do what in them.
    #[test]
    fn the_table_is_the_code() {
        let request = Request::new();
        let first = request.ask().expect("row 1");
        assert!(request.ask().is_none(), "row 2");
        assert!(!request.is_done(first));
        let other = Ticket::from_u64(first.as_u64() + 1);
        assert!(!request.serve(other, || panic!("another number")));
        let served = request.serve(first, || {
            assert!(!request.is_done(first), "row 3");
            assert!(!request.withdraw(first), "row 3");
            assert!(request.ask().is_none(), "row 3");
        });
        assert!(served && request.is_done(first) && !request.withdraw(first), "row 4");
        assert!(!request.serve(first, || panic!("a number serves once")));
        let second = request.ask().expect("row 4");
        assert!(!request.is_done(first) && request.withdraw(second), "row 2");
        assert!(!request.serve(second, || panic!("it was withdrawn")));
        assert_ne!(request.ask(), Some(second));
    }
}
