//! Two halves that borrow a TCP stream.

use super::TcpStream;
use crate::net::delegate::{reads, writes};
use bytes::BufMut;
use shinkan_driver::{Interest, Ready};
use shinkan_io::{AsyncRead, AsyncWrite, ReadBuf};
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The half to read from, of a [`TcpStream`] that is borrowed; made by [`TcpStream::split`].
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a TcpStream);

/// The half to write to, of a [`TcpStream`] that is borrowed; made by [`TcpStream::split`].
///
/// Shutting it down tells the peer that no more will come; dropping it does nothing.
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a TcpStream);

pub(super) fn split(stream: &mut TcpStream) -> (ReadHalf<'_>, WriteHalf<'_>) {
    (ReadHalf(stream), WriteHalf(stream))
}

impl ReadHalf<'_> {
    /// Waits for data and copies it without taking it from the stream. Errors and cancel safety are
    /// those of [`TcpStream::peek`].
    #[track_caller]
    pub fn peek(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.0.peek(buf)
    }

    /// The form of [`ReadHalf::peek`] for a hand-written future. Errors are those of
    /// [`TcpStream::poll_peek`].
    pub fn poll_peek(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.0.poll_peek(cx, buf)
    }

    /// Waits until the stream is ready for what is asked, and says for what. Errors and cancel
    /// safety are those of [`TcpStream::ready`].
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.0.io.ready(interest)
    }

    /// Waits until there is something to read, or the peer's end. Errors and cancel safety are
    /// those of [`TcpStream::readable`].
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.0.io.readable()
    }

    /// Reads what is there, without waiting. Errors are those of [`TcpStream::try_read`].
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.io.try_read(buf)
    }

    /// As [`ReadHalf::try_read`], into several buffers, one after the other. Errors are those of
    /// [`TcpStream::try_read_vectored`].
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.io.try_read_vectored(bufs)
    }

    /// As [`ReadHalf::try_read`], into the next chunk of a buffer, which is advanced. Errors are
    /// those of [`TcpStream::try_read_buf`].
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.0.io.try_read_buf(buf)
    }

    /// The peer's address. Errors are those of [`TcpStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address on this side. Errors are those of [`TcpStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl WriteHalf<'_> {
    /// Waits until the stream is ready for what is asked, and says for what. Errors and cancel
    /// safety are those of [`TcpStream::ready`].
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.0.io.ready(interest)
    }

    /// Waits until there is room to write, or the peer is gone. Errors and cancel safety are those
    /// of [`TcpStream::writable`].
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.0.io.writable()
    }

    /// Writes as much as there is room for, without waiting. Errors are those of
    /// [`TcpStream::try_write`].
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.io.try_write(buf)
    }

    /// As [`WriteHalf::try_write`], from several buffers, one after the other. Errors are those of
    /// [`TcpStream::try_write_vectored`].
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.io.try_write_vectored(bufs)
    }

    /// The peer's address. Errors are those of [`TcpStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// The address on this side. Errors are those of [`TcpStream::local_addr`].
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

impl AsRef<TcpStream> for ReadHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.0
    }
}

impl AsRef<TcpStream> for WriteHalf<'_> {
    fn as_ref(&self) -> &TcpStream {
        self.0
    }
}
