//! Signals of the operating system, on their way from the handler to those who wait.
//!
//! ```text
//! handler (any thread, any instruction)   reader (one for each runtime)      listener
//! (1) pending := true                     (3) harvest the edge, clear it     (6) told != seen: ready
//! (2) ring the bell                       (4) pending := false; was true?    (7) leave the waker
//!                                         (5) told += 1, take the wakers     (8) told != seen: ready
//!                                             call them
//! ```
//!
//! The **bell** is one eventfd for the process. Each runtime that is asked for a signal has it in
//! its epoll, edge-triggered, and nobody ever reads it: each ring is an edge for each runtime, and
//! none can take it from the others. Whichever runtime looks first does (4) for all; the others
//! find nothing. So signals reach the listeners of all runtimes as long as one of them is driven.
//!
//! **Nothing is missed.** The handler stores before it rings. A reader looks after it has cleared
//! the edge, so either its look finds the store, or the ring that comes after the store makes an
//! edge that is not cleared (a clear names the tick that it saw, `word.rs`). The listener leaves
//! its waker and looks again under the lock under which (5) counts: either (5) finds the waker, or
//! (8) finds the count.
//!
//! **Coalescing.** A flag holds one signal and a count that went on twice is one change, so what
//! arrives before the reader or the listener looks is reported once. A signal that waits in its
//! flag also reaches a listener that is made before a reader looks.
//!
//! **Orderings.** (1) is a swap with `Release`, (4) one with `Acquire`; (5) stores with `Release`,
//! (6) loads with `Acquire`. So what a thread wrote before it raised a signal is seen by who
//! receives it, also where several were raised, since a swap continues the one before it. The
//! kernel's part of the way is relied on for delivery only.
//!
//! **The end of a runtime.** Its reader, woken by the driver's shutdown, takes its mark off the
//! driver, then tells what is pending, then wakes *all* listeners. A listener that has left its
//! waker looks for the mark of the runtime that polls it and starts a reader where there is none.
//! Either it finds the mark gone, or the reader finds its waker. So no listener stays behind with
//! a reader that is gone.
//!
//! The handler calls [`Board::raise`] with an eventfd's write, and nothing else. The model is
//! `models/tests/signal_board.rs`.

mod board;
mod install;
mod reader;

pub use board::{Board, Listener};
pub use reader::watch;
pub use shinkan_sys::signals::{SIGNAL_MAX, number};

use crate::driver::Io;
use shinkan_sys::signals::is_allowed;
use std::io;

/// Listens for a signal from now on, by a reader in the runtime of `io`.
///
/// # Errors
/// `Other` where the signal is none that a handler may be installed for, or the runtime has
/// ended; else those of sigaction(2), or no descriptors left.
pub fn listen(io: &Io, signal: i32) -> io::Result<Listener> {
    if !is_allowed(signal) {
        return Err(refused(signal, "no program may handle it"));
    }
    if signal > SIGNAL_MAX {
        return Err(refused(signal, "there is no such signal"));
    }
    let hub = install::hub()?;
    watch(io, &hub.board, hub.bell())?;
    hub.install(signal)?;
    Ok(Board::listen(&hub.board, signal))
}

/// Sees to it that the runtime of `io` has a reader, for a listener that is polled there.
///
/// # Errors
/// The runtime has ended, or the kernel's limit of watches.
#[inline]
pub fn watch_again(io: &Io) -> io::Result<()> {
    if io.watches_signals() {
        return Ok(());
    }
    let hub = install::hub()?;
    watch(io, &hub.board, hub.bell())
}

#[cold]
fn refused(signal: i32, why: &str) -> io::Error {
    io::Error::other(format!("signal {signal} can't be listened for: {why}"))
}
