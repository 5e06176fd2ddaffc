//! Two halves that borrow a Unix stream.

use super::SocketAddr;
use super::UnixStream;
use crate::net::delegate::{reads, writes};
use bytes::BufMut;
use shinkan_driver::{Interest, Ready};
use shinkan_io::{AsyncRead, AsyncWrite};
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};

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
    /// Waits until the stream is ready for what is asked, and says for what. Errors and cancel
    /// safety are those of [`UnixStream::ready`].
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.0.io.ready(interest)
    }

    /// Waits until there is something to read, or the peer's end. Errors and cancel safety are
    /// those of [`UnixStream::readable`].
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.0.io.readable()
    }

    /// Reads what is there, without waiting. Errors are those of [`UnixStream::try_read`].
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.io.try_read(buf)
    }

    /// As [`ReadHalf::try_read`], into several buffers, one after the other. Errors are those of
    /// [`UnixStream::try_read_vectored`].
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.io.try_read_vectored(bufs)
    }

    /// As [`ReadHalf::try_read`], into the next chunk of a buffer, which is advanced. Errors are
    /// those of [`UnixStream::try_read_buf`].
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.0.io.try_read_buf(buf)
    }

    /// The peer's address. Errors are those of [`UnixStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address on this side. Errors are those of [`UnixStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl WriteHalf<'_> {
    /// Waits until the stream is ready for what is asked, and says for what. Errors and cancel
    /// safety are those of [`UnixStream::ready`].
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.0.io.ready(interest)
    }

    /// Waits until there is room to write, or the peer is gone. Errors and cancel safety are those
    /// of [`UnixStream::writable`].
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.0.io.writable()
    }

    /// Writes as much as there is room for, without waiting. Errors are those of
    /// [`UnixStream::try_write`].
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.io.try_write(buf)
    }

    /// As [`WriteHalf::try_write`], from several buffers, one after the other. Errors are those of
    /// [`UnixStream::try_write_vectored`].
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.io.try_write_vectored(bufs)
    }

    /// The peer's address. Errors are those of [`UnixStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address on this side. Errors are those of [`UnixStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl AsyncRead for ReadHalf<'_> {
    reads!(this => this.0.io);
}

impl AsyncWrite for WriteHalf<'_> {
    writes!(this => this.0.io);

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.io.shut_down_write())
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
