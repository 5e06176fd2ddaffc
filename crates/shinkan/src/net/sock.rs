//! What all sockets and pipes share: registration with the runtime of the calling thread, waiting,
//! and moving bytes. The public types delegate to it, in one line a method.

use super::carrier::Carrier;
use super::fill;
use bytes::BufMut;
use shinkan_base::wait::WaitKind;
use shinkan_driver::{Direction, Interest, Ready, Registered, Source, ops};
use shinkan_io::ReadBuf;
use shinkan_rt::Handle;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::task::{Context, Poll};

/// A descriptor that this module knows how to use, registered.
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
        // Of urgent data a short read must know: see `Source::poll_stream`.
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        Self::with(inner, interest, start, place)
    }

    /// The same, for what knows one direction only.
    #[track_caller]
    pub(super) fn with(
        inner: T,
        interest: Interest,
        start: Ready,
        place: &'static Location<'static>,
    ) -> io::Result<Self> {
        Ok(Self(Registered::at(inner, Handle::current().io(), interest, start, place)?))
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

    /// Takes a connection. `accept` is asked each time when the listener is ready.
    #[track_caller]
    pub(super) fn accept<R>(
        &self,
        accept: impl FnMut() -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        self.source().async_io(Interest::READABLE, WaitKind::Accept, Location::caller(), accept)
    }

    pub(super) fn poll_accept<R>(
        &self,
        cx: &mut Context<'_>,
        accept: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let source = self.source();
        source.poll_io_as(cx, Direction::Read, WaitKind::Accept, source.place(), accept)
    }

    /// Options of the socket.
    pub(super) fn options(&self) -> ops::SockRef<'_> {
        ops::SockRef::from(self)
    }

    /// Closes the writing side: the peer learns that no more will come.
    pub(super) fn shut_down_write(&self) -> io::Result<()> {
        match self.options().shutdown(Shutdown::Write) {
            // The peer is gone: it was told.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

/// Waiting, and moving bytes.
impl<T: Carrier> Sock<T> {
    #[track_caller]
    pub(super) fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        let place = Location::caller();
        async move { Ok(self.source().readiness(interest, T::kind(interest), place).await?.ready) }
    }

    #[track_caller]
    pub(super) fn readable(&self) -> impl Future<Output = io::Result<()>> {
        let place = Location::caller();
        async move { self.source().readiness(Interest::READABLE, T::READ, place).await.map(drop) }
    }

    #[track_caller]
    pub(super) fn writable(&self) -> impl Future<Output = io::Result<()>> {
        let place = Location::caller();
        async move { self.source().readiness(Interest::WRITABLE, T::WRITE, place).await.map(drop) }
    }

    #[inline]
    pub(super) fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<()>> {
        self.source().poll_ready(cx, direction).map_ok(drop)
    }

    pub(super) fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        self.source().try_io(interest, f)
    }

    /// Has `f` take something, without waiting.
    pub(super) fn try_take<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.try_io(Interest::READABLE, f)
    }

    /// Has `f` put something, without waiting.
    pub(super) fn try_put<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.try_io(Interest::WRITABLE, f)
    }

    #[track_caller]
    pub(super) fn async_io<R>(
        &self,
        interest: Interest,
        f: impl FnMut() -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        self.source().async_io(interest, T::kind(interest), Location::caller(), f)
    }

    /// Has `f` take something, as soon as it can.
    #[track_caller]
    pub(super) fn take<R>(
        &self,
        f: impl FnMut() -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        self.async_io(Interest::READABLE, f)
    }

    /// Has `f` put something, as soon as it can.
    #[track_caller]
    pub(super) fn put<R>(
        &self,
        f: impl FnMut() -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        self.async_io(Interest::WRITABLE, f)
    }

    #[inline]
    pub(super) fn poll_take<R>(
        &self,
        cx: &mut Context<'_>,
        f: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.source().poll_io_as(cx, Direction::Read, T::READ, self.source().place(), f)
    }

    #[inline]
    pub(super) fn poll_put<R>(
        &self,
        cx: &mut Context<'_>,
        f: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.source().poll_io_as(cx, Direction::Write, T::WRITE, self.source().place(), f)
    }

    /// Reads what a stream holds, into the free part of `buf`.
    #[inline]
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        let read = || fill::read_buf(buf, |free| self.read_uninit(free));
        self.source().poll_stream(cx, Direction::Read, room, read).map_ok(drop)
    }

    #[inline]
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.source().poll_stream(cx, Direction::Write, buf.len(), || self.write(buf))
    }

    #[inline]
    pub(super) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // One call takes a limited number of buffers: less than their sum means nothing then.
        const UNKNOWN: usize = 0;
        self.source().poll_stream(cx, Direction::Write, UNKNOWN, || self.write_vectored(bufs))
    }

    pub(super) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_take(|| self.read(buf))
    }

    pub(super) fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.try_take(|| ops::readv(self, bufs))
    }

    pub(super) fn try_read_buf(&self, buf: &mut impl BufMut) -> io::Result<usize> {
        self.try_take(|| fill::buf_mut(buf, |free| self.read_uninit(free)))
    }

    pub(super) fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_put(|| self.write(buf))
    }

    pub(super) fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.try_put(|| self.write_vectored(bufs))
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
