//! A registered descriptor: waiting for it, and operations that try, clear and wait again.

use crate::direct;
use crate::driver::{Io, Shared, gone};
use crate::ready::{Direction, Interest, Ready, ReadyEvent};
use crate::slots::Owned;
use crate::token::Token;
use crate::waiters::{self, Readiness};
use crate::word::Seen;
use core::fmt;
use core::future::poll_fn;
use core::panic::Location;
use core::task::{Context, Poll, ready};
use shinkan_base::wait::WaitKind;
use shinkan_context::{self as context, budget};
use std::io;
use std::os::fd::RawFd;

/// A descriptor's registration. Dropping it deregisters; the descriptor itself is its owner's.
pub struct Source {
    owned: Owned<Shared>,
    fd: RawFd,
    place: &'static Location<'static>,
}

impl Source {
    pub(crate) fn new(owned: Owned<Shared>, fd: RawFd, place: &'static Location<'static>) -> Self {
        Self { owned, fd, place }
    }

    /// Waits in one direction; at most one task each. The last one to poll is woken; where that one
    /// is told that it is ready, the one before it may be woken too.
    ///
    /// # Errors
    /// The runtime has ended.
    #[inline]
    pub fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<ReadyEvent>> {
        let kind = match direction {
            Direction::Read => WaitKind::Read,
            Direction::Write => WaitKind::Write,
        };
        self.poll_ready_as(cx, direction, kind, self.place)
    }

    /// The same for a leaf that knows better what it waits for and where it was made.
    ///
    /// # Errors
    /// As [`Source::poll_ready`].
    #[inline]
    pub fn poll_ready_as(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        kind: WaitKind,
        place: &'static Location<'static>,
    ) -> Poll<io::Result<ReadyEvent>> {
        let mut seen = self.owned.slot().word.look();
        if !seen.is_usable(direction) {
            match ready!(self.wait_as(cx, direction, kind, place)) {
                Some(ready) => seen = ready,
                None => return Poll::Ready(Err(gone())),
            }
        }
        if budget::poll_spend(cx).is_pending() {
            context::pending(WaitKind::Budget, self.fd as usize, place);
            return Poll::Pending;
        }
        Poll::Ready(Ok(seen.event(direction.mask())))
    }

    /// The same for what is no task: without budget and record. Nothing if the runtime has ended.
    pub(crate) fn poll_event(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<Option<ReadyEvent>> {
        let seen = ready!(direct::poll(self.owned.slot(), cx, direction));
        Poll::Ready((!seen.is_shutdown()).then(|| seen.event(direction.mask())))
    }

    /// Whether it is registered there.
    pub(crate) fn is_of(&self, io: &Io) -> bool {
        io.is(self.owned.table())
    }

    /// Waits for an interest, in any number of tasks.
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    pub async fn readiness(
        &self,
        interest: Interest,
        kind: WaitKind,
        place: &'static Location<'static>,
    ) -> io::Result<ReadyEvent> {
        let event = self.wait(interest, kind, place).await;
        if event.is_shutdown() { Err(gone()) } else { Ok(event) }
    }

    fn wait(
        &self,
        interest: Interest,
        kind: WaitKind,
        place: &'static Location<'static>,
    ) -> Readiness<'_> {
        Readiness::new(self.owned.slot(), self.fd as usize, interest, kind, place)
    }

    /// Takes a readiness away, unless there was another event since it was seen. The peer's ends
    /// stay: they are reported once.
    #[inline]
    pub fn clear(&self, event: ReadyEvent) {
        self.owned.slot().word.clear(event, event.ready - Ready::CLOSED);
    }

    /// The same after an operation said `WouldBlock`. Then no end was real either: a datagram
    /// socket that had an error, or a FIFO that has a new writer, is not at its end. An end that
    /// stays would have each operation tried for ever.
    #[inline]
    fn would_block(&self, event: ReadyEvent) {
        self.owned.slot().word.clear(event, event.ready);
    }

    /// Calls `f` where the descriptor counts as ready for the interest.
    ///
    /// # Errors
    /// `WouldBlock` where it is not ready, or where `f` says so, which clears the readiness. Else
    /// those of `f`.
    #[inline]
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        let event = self.ready_event(interest);
        if event.ready.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match f() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.would_block(event);
                Err(io::ErrorKind::WouldBlock.into())
            }
            result => result,
        }
    }

    /// What it is ready for now, of the interest.
    #[inline]
    pub fn ready_event(&self, interest: Interest) -> ReadyEvent {
        self.owned.slot().word.look().event(interest.mask())
    }

    /// Calls `f` each time when it is ready, until it says something else than `WouldBlock`.
    ///
    /// # Errors
    /// Those of `f`, or the runtime has ended.
    #[inline]
    pub fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        f: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let kind = match direction {
            Direction::Read => WaitKind::Read,
            Direction::Write => WaitKind::Write,
        };
        self.poll_io_as(cx, direction, kind, self.place, f)
    }

    /// The same for a leaf that knows better what it waits for and where it was made.
    ///
    /// # Errors
    /// As [`Source::poll_io`].
    #[inline]
    pub fn poll_io_as<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        kind: WaitKind,
        place: &'static Location<'static>,
        mut f: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let event = ready!(self.poll_ready_as(cx, direction, kind, place))?;
            match f() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.would_block(event),
                result => return Poll::Ready(result),
            }
        }
    }

    /// Moves up to `len` bytes of a stream: as [`Source::poll_io`], and where `f` moved fewer but
    /// some, the descriptor is known to be drained (or full), so that the next call waits for the
    /// kernel's event instead of asking it.
    ///
    /// A read that filled its buffer is followed by one that finds nothing (0.16 us of the 5 to
    /// 7 us of a round trip). Rejected: TCP_INQ, which tells how much is left, but only recvmsg(2)
    /// says it, and that costs as much more as the empty read.
    ///
    /// # Errors
    /// As [`Source::poll_io`].
    // The whole path from a trait's method is one function at its caller: of 290 instructions that a
    // read takes in it 100 were those of the calls, and what they pass through memory.
    #[inline(always)]
    pub fn poll_stream(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        len: usize,
        mut f: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let word = &self.owned.slot().word;
        loop {
            let mut seen = word.look();
            if !seen.is_usable(direction) {
                let waited = match direction {
                    Direction::Read => self.wait_to_read(cx),
                    Direction::Write => self.wait_to_write(cx),
                };
                match ready!(waited) {
                    Some(ready) => seen = ready,
                    None => return Poll::Ready(Err(gone())),
                }
            }
            if budget::poll_spend(cx).is_pending() {
                context::pending(WaitKind::Budget, self.fd as usize, self.place);
                return Poll::Pending;
            }
            match f() {
                Ok(moved) => {
                    if 0 < moved && moved < len {
                        word.clear_stream(seen, direction);
                    }
                    return Poll::Ready(Ok(moved));
                }
                Err(error) => match self.refused_slow(seen.event(direction.mask()), error) {
                    None => {}
                    Some(error) => return Poll::Ready(Err(error)),
                },
            }
        }
    }

    // Not a part of each read and write, and each for itself: the word's bits are constants then.
    #[inline(never)]
    fn wait_to_read(&self, cx: &mut Context<'_>) -> Poll<Option<Seen>> {
        self.wait_in(cx, Direction::Read, WaitKind::Read, self.place)
    }

    #[inline(never)]
    fn wait_to_write(&self, cx: &mut Context<'_>) -> Poll<Option<Seen>> {
        self.wait_in(cx, Direction::Write, WaitKind::Write, self.place)
    }

    #[inline(never)]
    fn wait_as(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        kind: WaitKind,
        place: &'static Location<'static>,
    ) -> Poll<Option<Seen>> {
        self.wait_in(cx, direction, kind, place)
    }

    /// Waits until it is ready, and takes no unit of the budget. Nothing if the runtime has ended.
    #[inline(always)]
    fn wait_in(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        kind: WaitKind,
        place: &'static Location<'static>,
    ) -> Poll<Option<Seen>> {
        if budget::poll_remaining(cx).is_pending() {
            context::pending(WaitKind::Budget, self.fd as usize, place);
            return Poll::Pending;
        }
        match direct::poll(self.owned.slot(), cx, direction) {
            Poll::Ready(seen) => Poll::Ready((!seen.is_shutdown()).then_some(seen)),
            Poll::Pending => {
                context::pending(kind, self.fd as usize, place);
                Poll::Pending
            }
        }
    }

    /// An operation failed. Nothing, if it did because the descriptor is not ready.
    // Not a part of each read and write, which would take more registers by it.
    #[inline(never)]
    fn refused_slow(&self, event: ReadyEvent, error: io::Error) -> Option<io::Error> {
        if error.kind() != io::ErrorKind::WouldBlock {
            return Some(error);
        }
        self.would_block(event);
        None
    }

    /// As [`Source::poll_io`], for an interest and in any number of tasks.
    ///
    /// # Errors
    /// Those of `f`, or the runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped: `f` was not called, or said `WouldBlock`.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        kind: WaitKind,
        place: &'static Location<'static>,
        mut f: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let event = self.wait(interest, kind, place).await;
            if event.is_shutdown() {
                return Err(gone());
            }
            let unit = poll_fn(budget::poll_proceed).await;
            match f() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.would_block(event),
                result => {
                    unit.made_progress();
                    return result;
                }
            }
        }
    }

    /// Counts the descriptor as ready, as if the kernel had said so: for a caller who knows.
    pub fn assume_ready(&self, ready: Ready) {
        let mut out = shinkan_base::wakers::Wakers::new();
        let token = self.owned.token();
        waiters::set(self.owned.slot(), token.generation(), ready, &mut out);
        out.wake_all();
    }

    /// What its events carry.
    pub fn token(&self) -> Token {
        self.owned.token()
    }

    /// Where it was registered.
    pub fn place(&self) -> &'static Location<'static> {
        self.place
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // Fails where the descriptor was closed before, which deregistered it. Events that a
        // thread has harvested meet the next generation, as `owned` is dropped after this.
        let _ = Shared::deregister(&self.owned, self.fd);
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("fd", &self.fd).field("place", &self.place).finish()
    }
}
