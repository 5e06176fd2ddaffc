//! What all sockets share: registration with the runtime of the calling thread, waiting, and
//! moving the bytes of a stream.

use super::fill;
use bytes::BufMut;
use shinkan_base::wait::WaitKind;
use shinkan_driver::{Direction, Interest, Ready, Registered, Source, ops};
use shinkan_io::ReadBuf;
use shinkan_rt::Handle;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice, IoSliceMut};
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::task::{Context, Poll};

/// A socket of the standard library, registered.
pub(super) struct Sock<T>(Registered<T>);

impl<T: AsFd> Sock<T> {
    /// Registers with the current runtime.
    #[track_caller]
    pub(super) fn new(inner: T) -> io::Result<Self> {
        Self::at(inner, Ready::EMPTY, Location::caller())
    }

    /// The same, for a socket that is known to be ready, or that was made at `place`.
    #[track_caller]
    pub(super) fn at(
        inner: T,
        start: Ready,
        place: &'static Location<'static>,
    ) -> io::Result<Self> {
        let handle = Handle::current();
        let interest = Interest::READABLE | Interest::WRITABLE;
        Ok(Self(Registered::at(inner, handle.io(), interest, start, place)?))
    }

    /// Registers a socket that the caller made.
    #[track_caller]
    pub(super) fn from_std(inner: T) -> io::Result<Self> {
        debug_assert!(
            ops::is_nonblocking(&inner)?,
            "`from_std` was given a socket that blocks, which would stop the whole thread: call \
             `set_nonblocking(true)` on it first"
        );
        Self::new(inner)
    }

    /// Deregisters.
    pub(super) fn into_inner(self) -> T {
        self.0.into_inner()
    }

    #[inline]
    pub(super) fn source(&self) -> &Source {
        self.0.source()
    }

    /// Waits until a connection is made or has failed.
    pub(super) async fn connected(self, place: &'static Location<'static>) -> io::Result<Self> {
        let source = self.source();
        poll_fn(|cx| source.poll_ready_as(cx, Direction::Write, WaitKind::Connect, place)).await?;
        match ops::SockRef::from(&self).take_error()? {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    pub(super) async fn ready(
        &self,
        interest: Interest,
        kind: WaitKind,
        place: &'static Location<'static>,
    ) -> io::Result<Ready> {
        Ok(self.source().readiness(interest, kind, place).await?.ready)
    }

    /// Waits until a stream is ready for one or both directions.
    pub(super) fn stream_ready(
        &self,
        interest: Interest,
        place: &'static Location<'static>,
    ) -> impl Future<Output = io::Result<Ready>> {
        let kind = if interest.is_readable() { WaitKind::Read } else { WaitKind::Write };
        self.ready(interest, kind, place)
    }

    /// Waits until a datagram socket is ready for one or both directions.
    pub(super) fn datagram_ready(
        &self,
        interest: Interest,
        place: &'static Location<'static>,
    ) -> impl Future<Output = io::Result<Ready>> {
        let kind = if interest.is_readable() { WaitKind::Recv } else { WaitKind::Send };
        self.ready(interest, kind, place)
    }

    #[inline]
    pub(super) fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<()>> {
        self.source().poll_ready(cx, direction).map_ok(drop)
    }

    /// Reads what a stream holds, into the free part of `buf`.
    #[inline]
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        self.source()
            .poll_stream(cx, Direction::Read, room, || {
                Ok(fill::read_buf(buf, |free| Ok((ops::recv(self, free)?, ())))?.0)
            })
            .map_ok(drop)
    }

    #[inline]
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.source().poll_stream(cx, Direction::Write, buf.len(), || ops::send(self, buf))
    }

    pub(super) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // One call takes a limited number of buffers: less than their sum means nothing then.
        self.source().poll_io(cx, Direction::Write, || ops::send_vectored(self, bufs))
    }

    pub(super) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.source().try_io(Interest::READABLE, || ops::recv(self, &mut *buf))
    }

    pub(super) fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.source().try_io(Interest::READABLE, || ops::readv(self, bufs))
    }

    pub(super) fn try_read_buf(&self, buf: &mut impl BufMut) -> io::Result<usize> {
        let read = || fill::buf_mut(buf, |free| Ok((ops::recv(self, free)?, ())));
        Ok(self.source().try_io(Interest::READABLE, read)?.0)
    }

    pub(super) fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.source().try_io(Interest::WRITABLE, || ops::send(self, buf))
    }

    pub(super) fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.source().try_io(Interest::WRITABLE, || ops::send_vectored(self, bufs))
    }

    /// Sends or receives a datagram when the socket is ready.
    #[inline]
    pub(super) fn poll_datagram<R>(
        &self,
        cx: &mut Context<'_>,
        kind: WaitKind,
        f: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let send = kind == WaitKind::Send;
        let direction = if send { Direction::Write } else { Direction::Read };
        self.source().poll_io_as(cx, direction, kind, self.source().place(), f)
    }

    /// Options of the socket.
    pub(super) fn options(&self) -> ops::SockRef<'_> {
        ops::SockRef::from(self)
    }
}

impl<T> Deref for Sock<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: AsFd> AsFd for Sock<T> {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<T: AsFd> AsRawFd for Sock<T> {
    #[inline]
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl<T: fmt::Debug> fmt::Debug for Sock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
