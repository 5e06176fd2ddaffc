//! The word of a oneshot channel: who still uses its memory, and who owns value and wakers.
//!
//! ```text
//! TX_DONE   the sender has sent, or gave up; VALUE says which. It looks at nothing any more
//!           but the wakers that it took in the same step.
//! TX_GONE   the sender does not touch the memory again.   RX_GONE   nor does the receiver.
//! CLOSED    the receiver takes no value that was not sent yet.
//! RX_WAKER  the receiver left a waker.                    TX_WAKER  the sender did.
//!
//! row  TX_DONE VALUE CLOSED   the value is
//!  1     0      0     0      not there; the sender may write it
//!  2     1      1     any    the receiver's
//!  3     1      0     any    not there, and never will be
//!  4     0      0     1      not there; the sender keeps it
//! (1) finish_sender(true) 1→2   (2) finish_sender(false) 1→3, 4→3   (3) close 1→4
//! (4) finish_receiver 1→4, 2→2, 3→3, 4→4
//! ```
//!
//! A waker's cell belongs to its writer while the bit is clear; whoever clears the bit owns the
//! waker in it. The side whose GONE bit comes second frees the memory: one that finds the other
//! gone already needs no write for that, so that create, send and receive are one
//! read-modify-write together.
//!
//! Orderings: value and wakers are written before the Release half of the step that publishes
//! them, and read after the Acquire half of the step that saw it.

use shinkan_base::atomics::{AtomicU32, Ordering};
use shinkan_base::canary;

const RX_WAKER: u32 = 1;
const TX_WAKER: u32 = 2;
const VALUE: u32 = 4;
const TX_DONE: u32 = 8;
const TX_GONE: u32 = 16;
const CLOSED: u32 = 32;
const RX_GONE: u32 = 64;
const WAKERS: u32 = RX_WAKER | TX_WAKER;

pub(super) struct State(AtomicU32);

/// The word at one moment.
#[derive(Clone, Copy)]
pub(super) struct Seen(u32);

/// What a side must do after its last step.
#[must_use]
pub(super) enum Last {
    /// Nothing: it is gone, and the other side frees the memory.
    Gone,
    /// It is gone, and the other was before: free the memory.
    Free,
    /// These wakers are its own now; when they are taken out it calls `sender_gone` or
    /// `receiver_gone`.
    Take { rx: bool, tx: bool },
}

impl Seen {
    #[inline]
    pub(super) fn is_done(self) -> bool {
        self.0 & TX_DONE != 0
    }

    #[inline]
    pub(super) fn has_value(self) -> bool {
        self.0 & VALUE != 0
    }

    #[inline]
    pub(super) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    #[inline]
    pub(super) fn has_rx_waker(self) -> bool {
        self.0 & RX_WAKER != 0
    }

    #[inline]
    pub(super) fn has_tx_waker(self) -> bool {
        self.0 & TX_WAKER != 0
    }

    #[inline]
    pub(super) fn is_sender_gone(self) -> bool {
        self.0 & TX_GONE != 0
    }
}

impl State {
    #[inline]
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    #[inline]
    pub(super) fn load(&self) -> Seen {
        Seen(self.0.load(Ordering::Acquire))
    }

    /// (1), (2) The sender's last step but one. Nothing happens, and nothing is returned, where a
    /// value is to be sent and the channel is closed.
    #[inline]
    pub(super) fn finish_sender(&self, value: bool) -> Option<Last> {
        let order =
            if canary("oneshot_send_relaxed") { Ordering::Relaxed } else { Ordering::AcqRel };
        let mut seen = self.0.load(Ordering::Acquire);
        loop {
            if value && seen & CLOSED != 0 && !canary("oneshot_send_closed") {
                return None;
            }
            let done = seen | TX_DONE | if value { VALUE } else { 0 };
            let (next, last) = if seen & WAKERS == 0 {
                let last = if seen & RX_GONE == 0 { Last::Gone } else { Last::Free };
                (done | TX_GONE, last)
            } else {
                let (rx, tx) = (seen & RX_WAKER != 0, seen & TX_WAKER != 0);
                (done & !WAKERS, Last::Take { rx, tx })
            };
            match self.0.compare_exchange_weak(seen, next, order, Ordering::Acquire) {
                Ok(_) => return Some(last),
                Err(now) => seen = now,
            }
        }
    }

    /// The sender has taken the wakers out. True: free the memory.
    pub(super) fn sender_gone(&self) -> bool {
        self.0.fetch_or(TX_GONE, Ordering::AcqRel) & RX_GONE != 0
    }

    /// (3) True: the sender's waker is the caller's.
    pub(super) fn close(&self) -> bool {
        let mut seen = self.0.load(Ordering::Acquire);
        while seen & (TX_DONE | CLOSED) == 0 {
            let next = (seen | CLOSED) & !TX_WAKER;
            match self.0.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return seen & TX_WAKER != 0,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// (4) The receiver's last step but one, where the sender is not done. Nothing happens, and
    /// nothing is returned, where it is.
    pub(super) fn finish_receiver(&self) -> Option<Last> {
        let mut seen = self.0.load(Ordering::Acquire);
        loop {
            if seen & TX_DONE != 0 {
                return None;
            }
            let (next, last) = if seen & WAKERS == 0 {
                (seen | CLOSED | RX_GONE, Last::Gone)
            } else {
                let (rx, tx) = (seen & RX_WAKER != 0, seen & TX_WAKER != 0);
                ((seen | CLOSED) & !WAKERS, Last::Take { rx, tx })
            };
            match self.0.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(last),
                Err(now) => seen = now,
            }
        }
    }

    /// The receiver has taken out all that was its own. True: free the memory.
    pub(super) fn receiver_gone(&self) -> bool {
        self.0.fetch_or(RX_GONE, Ordering::AcqRel) & TX_GONE != 0
    }

    /// The receiver's waker is in its cell; what the word was before.
    #[inline]
    pub(super) fn set_rx_waker(&self) -> Seen {
        Seen(self.0.fetch_or(RX_WAKER, Ordering::AcqRel))
    }

    /// The receiver wants its waker back; it has it if the word had the bit.
    pub(super) fn clear_rx_waker(&self) -> Seen {
        Seen(self.0.fetch_and(!RX_WAKER, Ordering::AcqRel))
    }

    /// The sender's waker is in its cell; what the word was before.
    pub(super) fn set_tx_waker(&self) -> Seen {
        Seen(self.0.fetch_or(TX_WAKER, Ordering::AcqRel))
    }

    /// The sender wants its waker back; it has it if the word had the bit.
    pub(super) fn clear_tx_waker(&self) -> Seen {
        Seen(self.0.fetch_and(!TX_WAKER, Ordering::AcqRel))
    }
}
