//! Two halves that own a TCP stream together.

use super::TcpStream;
use crate::net::delegate::{reads, writes};
use bytes::BufMut;
use shinkan_driver::{Interest, Ready};
use shinkan_io::{AsyncRead, AsyncWrite, ReadBuf};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The half to read from, which owns a [`TcpStream`] together with the other half; made by
/// [`TcpStream::into_split`].
#[derive(Debug)]
pub struct OwnedReadHalf {
    inner: Arc<TcpStream>,
}

/// The half to write to, which owns a [`TcpStream`] together with the other half; made by
/// [`TcpStream::into_split`].
///
/// Shutting it down, or dropping it, tells the peer that no more will come.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    inner: Arc<TcpStream>,
    shuts_down_on_drop: bool,
}

/// Two halves of different streams were to be put together; both come back in it.
#[derive(Debug)]
pub struct ReuniteError(
    /// The half to read from.
    pub OwnedReadHalf,
    /// The half to write to.
    pub OwnedWriteHalf,
);

pub(super) fn split_owned(stream: TcpStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let inner = Arc::new(stream);
    let read = OwnedReadHalf { inner: inner.clone() };
    (read, OwnedWriteHalf { inner, shuts_down_on_drop: true })
}

fn reunite(read: OwnedReadHalf, write: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
    if !Arc::ptr_eq(&read.inner, &write.inner) {
        return Err(ReuniteError(read, write));
    }
    write.forget();
    Ok(Arc::try_unwrap(read.inner).expect("a stream is owned by its two halves and nobody else"))
}

impl fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the two halves are not of the same stream")
    }
}

impl Error for ReuniteError {}

impl OwnedReadHalf {
    /// Puts the stream together again.
    ///
    /// # Errors
    /// The other half is of another stream; both come back.
    pub fn reunite(self, other: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        reunite(self, other)
    }

    /// Waits for data and copies it without taking it from the stream. Errors and cancel safety are
    /// those of [`TcpStream::peek`].
    #[track_caller]
    pub fn peek(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.inner.peek(buf)
    }

    /// The form of [`OwnedReadHalf::peek`] for a hand-written future. Errors are those of
    /// [`TcpStream::poll_peek`].
    pub fn poll_peek(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_peek(cx, buf)
    }

    /// Waits until the stream is ready for what is asked, and says for what. Errors and cancel
    /// safety are those of [`TcpStream::ready`].
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.inner.io.ready(interest)
    }

    /// Waits until there is something to read, or the peer's end. Errors and cancel safety are
    /// those of [`TcpStream::readable`].
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.inner.io.readable()
    }

    /// Reads what is there, without waiting. Errors are those of [`TcpStream::try_read`].
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.io.try_read(buf)
    }

    /// As [`OwnedReadHalf::try_read`], into several buffers, one after the other. Errors are those
    /// of [`TcpStream::try_read_vectored`].
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.inner.io.try_read_vectored(bufs)
    }

    /// As [`OwnedReadHalf::try_read`], into the next chunk of a buffer, which is advanced. Errors
    /// are those of [`TcpStream::try_read_buf`].
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.inner.io.try_read_buf(buf)
    }

    /// The peer's address. Errors are those of [`TcpStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }

    /// The address on this side. Errors are those of [`TcpStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl OwnedWriteHalf {
    /// Puts the stream together again.
    ///
    /// # Errors
    /// The other half is of another stream; both come back.
    pub fn reunite(self, other: OwnedReadHalf) -> Result<TcpStream, ReuniteError> {
        reunite(other, self)
    }

    /// Drops this half without telling the peer that no more will come.
    pub fn forget(mut self) {
        self.shuts_down_on_drop = false;
    }

    /// Waits until the stream is ready for what is asked, and says for what. Errors and cancel
    /// safety are those of [`TcpStream::ready`].
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.inner.io.ready(interest)
    }

    /// Waits until there is room to write, or the peer is gone. Errors and cancel safety are those
    /// of [`TcpStream::writable`].
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.inner.io.writable()
    }

    /// Writes as much as there is room for, without waiting. Errors are those of
    /// [`TcpStream::try_write`].
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.inner.io.try_write(buf)
    }

    /// As [`OwnedWriteHalf::try_write`], from several buffers, one after the other. Errors are
    /// those of [`TcpStream::try_write_vectored`].
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner.io.try_write_vectored(bufs)
    }

    /// The peer's address. Errors are those of [`TcpStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }

    /// The address on this side. Errors are those of [`TcpStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.shuts_down_on_drop {
            // Nobody is left to tell of an error, and the peer that is gone needs no news.
            let _ = self.inner.io.shut_down_write();
        }
    }
}

impl AsyncRead for OwnedReadHalf {
    reads!(this => this.inner.io);
}

impl AsyncWrite for OwnedWriteHalf {
    writes!(this => this.inner.io);

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = self.inner.io.shut_down_write();
        if done.is_ok() {
            self.shuts_down_on_drop = false;
        }
        Poll::Ready(done)
    }
}

impl AsRef<TcpStream> for OwnedReadHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.inner
    }
}

impl AsRef<TcpStream> for OwnedWriteHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.inner
    }
}
