//! What reads signals in one runtime: a waker in the slot of the bell.
//!
//! It is no task, so it needs no scheduler, and runs wherever the driver's wakers are called. The
//! slot's waker owns the reader and the reader owns the slot; the driver's shutdown takes the
//! waker out, which undoes the knot.

use super::board::Board;
use crate::driver::Io;
use crate::ready::{Direction, Interest, Ready};
use crate::source::Source;
use core::task::{Context, Poll, Waker};
use shinkan_base::atomics::Arc;
use shinkan_base::canary;
use shinkan_base::wakers::Wakers;
use std::io;
use std::os::fd::RawFd;
use std::task::Wake;

struct Reader {
    source: Source,
    io: Io,
    board: Arc<Board>,
}

/// Sees to it that the runtime of `io` reads signals for `board`, told by `bell`.
///
/// # Errors
/// The runtime has ended, or the kernel's limit of watches.
pub fn watch(io: &Io, board: &Arc<Board>, bell: RawFd) -> io::Result<()> {
    if io.watches_signals() {
        return Ok(());
    }
    let starting = board.starting.lock();
    if io.watches_signals() {
        return Ok(());
    }
    // Not ready to start with: what is pending waits for the next turn of the driver, so that the
    // listener for whose sake this is called receives it too. An epoll reports once unasked.
    let source = io.register(bell, Interest::READABLE, Ready::EMPTY)?;
    board.add_reader();
    io.set_watches_signals(true);
    drop(starting);
    std::sync::Arc::new(Reader { source, io: io.clone(), board: board.clone() }).turn();
    Ok(())
}

impl Reader {
    /// Tells what has arrived and leaves its waker for the next edge.
    fn turn(self: std::sync::Arc<Self>) {
        let mut out = Wakers::new();
        let waker = Waker::from(self.clone());
        let mut cx = Context::from_waker(&waker);
        while let Poll::Ready(event) = self.source.poll_event(&mut cx, Direction::Read) {
            let Some(event) = event else {
                self.end(&mut out);
                break;
            };
            self.source.clear(event);
            self.board.tell(&mut out);
        }
        // Last: this is foreign code, and may panic.
        out.wake_all();
    }

    /// The runtime has ended.
    fn end(&self, out: &mut Wakers) {
        if canary("signal_end_disturbs_first") {
            self.board.disturb(out);
        }
        self.io.set_watches_signals(false);
        self.board.remove_reader();
        self.board.tell(out);
        if !canary("signal_end_disturbs_first") {
            self.board.disturb(out);
        }
    }
}

impl Wake for Reader {
    fn wake(self: std::sync::Arc<Self>) {
        self.turn();
    }
}
