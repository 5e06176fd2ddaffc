//! Two halves that borrow a Unix stream.

use super::SocketAddr;
use super::UnixStream;
use bytes::BufMut;
use shinkan_driver::{Interest, Ready};
use shinkan_io::{AsyncRead, AsyncWrite, ReadBuf};
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The half to read from, of a [`UnixStream`] that is borrowed; made by [`UnixStream::split`].
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a UnixStream);

/// The half to write to, of a [`UnixStream`] that is borrowed; made by [`UnixStream::split`].
///
/// Shutting it down tells the peer that no more will come; dropping it does nothing.
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a UnixStream);

pub(super) fn split(stream: &mut UnixStream) -> (ReadHalf<'_>, WriteHalf<'_>) {
    (ReadHalf(stream), WriteHalf(stream))
}

impl ReadHalf<'_> {
    /// Waits until the stream is ready for what is asked, and says for what.
    ///
    /// It is a hint: an operation may still say `WouldBlock`, which takes the readiness away. At
    /// the peer's end the stream counts as readable for ever.
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.0.io.stream_ready(interest, Location::caller())
    }

    /// Waits until there is something to read, or the peer's end. A hint, as [`ReadHalf::ready`].
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        let place = Location::caller();
        async move { self.0.io.stream_ready(Interest::READABLE, place).await.map(drop) }
    }

    /// Reads what is there, without waiting. Zero bytes mean the peer's end, or a buffer without
    /// room.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of recv(2).
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.io.try_read(buf)
    }

    /// As [`ReadHalf::try_read`], into several buffers, one after the other.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of readv(2).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.io.try_read_vectored(bufs)
    }

    /// As [`ReadHalf::try_read`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of recv(2).
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.0.io.try_read_buf(buf)
    }

    /// The peer's address.
    ///
    /// # Errors
    /// Those of getpeername(2).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address on this side.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl WriteHalf<'_> {
    /// Waits until the stream is ready for what is asked, and says for what.
    ///
    /// It is a hint: an operation may still say `WouldBlock`, which takes the readiness away. At
    /// the peer's end the stream counts as readable for ever.
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.0.io.stream_ready(interest, Location::caller())
    }

    /// Waits until there is room to write, or the peer is gone. A hint, as [`WriteHalf::ready`].
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        let place = Location::caller();
        async move { self.0.io.stream_ready(Interest::WRITABLE, place).await.map(drop) }
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; else those of send(2).
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.io.try_write(buf)
    }

    /// As [`WriteHalf::try_write`], from several buffers, one after the other.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; else those of sendmsg(2).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.io.try_write_vectored(bufs)
    }

    /// The peer's address.
    ///
    /// # Errors
    /// Those of getpeername(2).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address on this side.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl AsyncRead for ReadHalf<'_> {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.io.poll_read(cx, buf)
    }
}

impl AsyncWrite for WriteHalf<'_> {
    #[inline]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.io.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.io.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    // The kernel has what was written.
    #[inline]
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shut_down_write())
    }
}

impl AsRef<UnixStream> for ReadHalf<'_> {
    fn as_ref(&self) -> &UnixStream {
        self.0
    }
}

impl AsRef<UnixStream> for WriteHalf<'_> {
    fn as_ref(&self) -> &UnixStream {
        self.0
    }
}
