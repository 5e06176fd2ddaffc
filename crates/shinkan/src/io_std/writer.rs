//! Writes to standard output and error, on threads that may block.

use shinkan_base::wait::WaitKind;
use shinkan_driver::ops::Output;
use shinkan_driver::rt_shutdown_err;
use shinkan_rt::{AtTheEnd, NotTaken, spawn_operation};
use shinkan_task::JoinHandle;
use std::io;
use std::mem;
use std::os::fd::RawFd;
use std::panic::Location;
use std::task::{Context, Poll, ready};

// Longer writes are taken in part: a copy of all would cost the program its memory twice.
const WRITE_MAX: usize = 2 << 20;

/// One of the two, with at most one operation on its way.
#[derive(Debug)]
pub(super) struct Writer {
    to: Output,
    state: State,
    /// There was a write after the last flush.
    is_dirty: bool,
    place: &'static Location<'static>,
}

#[derive(Debug)]
enum State {
    /// Nothing is on its way; the buffer is empty.
    Idle(Vec<u8>),
    Busy(JoinHandle<(io::Result<()>, Vec<u8>)>),
}

impl Writer {
    pub(super) fn new(to: Output, place: &'static Location<'static>) -> Self {
        Self { to, state: State::Idle(Vec::new()), is_dirty: false, place }
    }

    /// Takes a copy of the bytes, or of the first of them, and has it written. An error is that of
    /// the write before.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_idle(cx))?;
        let len = bytes.len().min(WRITE_MAX);
        if len > 0 {
            let to = self.to;
            self.begin(Some(&bytes[..len]), move |buf| to.write_all(buf))?;
            self.is_dirty = true;
        }
        Poll::Ready(Ok(len))
    }

    /// Waits until all is written, and has what the standard library keeps written too.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_idle(cx))?;
            if !self.is_dirty {
                return Poll::Ready(Ok(()));
            }
            let to = self.to;
            self.begin(None, move |_| to.flush())?;
            self.is_dirty = false;
        }
    }

    /// Waits for what is on its way, and gives its error.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let fd = self.fd();
        let State::Busy(task) = &mut self.state else { return Poll::Ready(Ok(())) };
        let ended = ready!(task.poll_as(cx, WaitKind::Blocking, fd as usize, self.place));
        self.state = State::Idle(Vec::new());
        let (result, buf) = ended?;
        self.state = State::Idle(buf);
        Poll::Ready(result)
    }

    /// Starts an operation. It is done also where the runtime ends before a thread is free: its
    /// bytes count as written.
    fn begin(
        &mut self,
        bytes: Option<&[u8]>,
        operation: impl FnOnce(&[u8]) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let State::Idle(buf) = &mut self.state else {
            unreachable!("the operation before was waited for")
        };
        let mut buf = mem::take(buf);
        buf.extend_from_slice(bytes.unwrap_or_default());
        let work = move || {
            let result = operation(&buf);
            buf.clear();
            (result, buf)
        };
        match spawn_operation(work, AtTheEnd::Run) {
            Ok(task) => {
                self.state = State::Busy(task);
                Ok(())
            }
            Err(NotTaken::NoThread(error)) => Err(error),
            Err(NotTaken::Ended) => Err(rt_shutdown_err(
                "standard output or error was written in a runtime that has shut down",
            )),
        }
    }

    fn fd(&self) -> RawFd {
        match self.to {
            Output::Stdout => 1,
            Output::Stderr => 2,
        }
    }
}
