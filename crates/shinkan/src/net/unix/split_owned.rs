//! Two halves that own a Unix stream together.

use super::SocketAddr;
use super::UnixStream;
use crate::net::delegate::{reads, writes};
use bytes::BufMut;
use shinkan_driver::{Interest, Ready};
use shinkan_io::{AsyncRead, AsyncWrite};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The half to read from, which owns a [`UnixStream`] together with the other half; made by
/// [`UnixStream::into_split`].
#[derive(Debug)]
pub struct OwnedReadHalf {
    inner: Arc<UnixStream>,
}

/// The half to write to, which owns a [`UnixStream`] together with the other half; made by
/// [`UnixStream::into_split`].
///
/// Shutting it down, or dropping it, tells the peer that no more will come.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    inner: Arc<UnixStream>,
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

pub(super) fn split_owned(stream: UnixStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let inner = Arc::new(stream);
    let read = OwnedReadHalf { inner: inner.clone() };
    (read, OwnedWriteHalf { inner, shuts_down_on_drop: true })
}

fn reunite(read: OwnedReadHalf, write: OwnedWriteHalf) -> Result<UnixStream, ReuniteError> {
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
    pub fn reunite(self, other: OwnedWriteHalf) -> Result<UnixStream, ReuniteError> {
        reunite(self, other)
    }

    /// Waits until the stream is ready for what is asked, and says for what. Errors and cancel
    /// safety are those of [`UnixStream::ready`].
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.inner.io.ready(interest)
    }

    /// Waits until there is something to read, or the peer's end. Errors and cancel safety are
    /// those of [`UnixStream::readable`].
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.inner.io.readable()
    }

    /// Reads what is there, without waiting. Errors are those of [`UnixStream::try_read`].
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.io.try_read(buf)
    }

    /// As [`OwnedReadHalf::try_read`], into several buffers, one after the other. Errors are those
    /// of [`UnixStream::try_read_vectored`].
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.inner.io.try_read_vectored(bufs)
    }

    /// As [`OwnedReadHalf::try_read`], into the next chunk of a buffer, which is advanced. Errors
    /// are those of [`UnixStream::try_read_buf`].
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.inner.io.try_read_buf(buf)
    }

    /// The peer's address. Errors are those of [`UnixStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }

    /// The address on this side. Errors are those of [`UnixStream::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl OwnedWriteHalf {
    /// Puts the stream together again.
    ///
    /// # Errors
    /// The other half is of another stream; both come back.
    pub fn reunite(self, other: OwnedReadHalf) -> Result<UnixStream, ReuniteError> {
        reunite(other, self)
    }

    /// Drops this half without telling the peer that no more will come.
    pub fn forget(mut self) {
        self.shuts_down_on_drop = false;
    }

    /// Waits until the stream is ready for what is asked, and says for what. Errors and cancel
    /// safety are those of [`UnixStream::ready`].
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        self.inner.io.ready(interest)
    }

    /// Waits until there is room to write, or the peer is gone. Errors and cancel safety are those
    /// of [`UnixStream::writable`].
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.inner.io.writable()
    }

    /// Writes as much as there is room for, without waiting. Errors are those of
    /// [`UnixStream::try_write`].
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.inner.io.try_write(buf)
    }

    /// As [`OwnedWriteHalf::try_write`], from several buffers, one after the other. Errors are
    /// those of [`UnixStream::try_write_vectored`].
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner.io.try_write_vectored(bufs)
    }

    /// The peer's address. Errors are those of [`UnixStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }

    /// The address on this side. Errors are those of [`UnixStream::local_addr`].
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

impl AsRef<UnixStream> for OwnedReadHalf {
    fn as_ref(&self) -> &UnixStream {
        &self.inner
    }
}

impl AsRef<UnixStream> for OwnedWriteHalf {
    fn as_ref(&self) -> &UnixStream {
        &self.inner
    }
}
