//! A stream of the Unix family.

use super::split::{ReadHalf, WriteHalf, split};
use super::split_owned::{OwnedReadHalf, OwnedWriteHalf, split_owned};
use super::{SocketAddr, UCred};
use crate::net::delegate::{descriptor, from_std, reads, writes};
use crate::net::sock::Sock;
use bytes::BufMut;
use shinkan_driver::{Direction, Interest, Ready, ops};
use shinkan_io::{AsyncRead, AsyncWrite};
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::net;
use std::panic::Location;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A connection within this machine.
///
/// Made by [`UnixStream::connect`], by a listener or as a [pair](UnixStream::pair). It is read and
/// written by the methods of `AsyncReadExt` and `AsyncWriteExt`.
///
/// # Examples
/// ```
/// use shinkan::net::UnixStream;
/// # async fn example() -> std::io::Result<()> {
/// let (here, there) = UnixStream::pair()?;
/// here.try_write(b"hello")?;
/// there.readable().await?;
/// let mut buf = [0; 5];
/// assert_eq!(there.try_read(&mut buf)?, 5);
/// # Ok(())
/// # }
/// ```
pub struct UnixStream {
    pub(super) io: Sock<net::UnixStream>,
}

impl UnixStream {
    /// Opens a connection to the listener at a path; behind a leading zero byte, to one with a
    /// name that is in no file system.
    ///
    /// # Errors
    /// Those of connect(2); `WouldBlock` where the listener's queue is full.
    ///
    /// # Cancel safety
    /// A connection that is on its way is closed.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn connect<P: AsRef<Path>>(path: P) -> impl Future<Output = io::Result<UnixStream>> {
        let place = Location::caller();
        async move {
            let addr = ops::unix_addr(path.as_ref())?;
            drop(path);
            Self::connected(ops::unix_connect(&addr), place).await
        }
    }

    /// The same for an address.
    ///
    /// # Errors
    /// As [`UnixStream::connect`].
    ///
    /// # Cancel safety
    /// A connection that is on its way is closed.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn connect_addr(socket_addr: &SocketAddr) -> impl Future<Output = io::Result<UnixStream>> {
        let place = Location::caller();
        async move { Self::connected(ops::unix_connect(&socket_addr.0), place).await }
    }

    pub(super) async fn connected(
        stream: io::Result<net::UnixStream>,
        place: &'static Location<'static>,
    ) -> io::Result<UnixStream> {
        let io = Sock::at(stream?, Ready::EMPTY, place)?.connected(place).await?;
        Ok(UnixStream { io })
    }

    /// A connection that can be written, and mostly read.
    #[track_caller]
    pub(super) fn accepted(
        stream: net::UnixStream,
        place: &'static Location<'static>,
    ) -> io::Result<UnixStream> {
        let start = Ready::READABLE | Ready::WRITABLE;
        Ok(UnixStream { io: Sock::at(stream, start, place)? })
    }

    /// Two streams that are connected to each other.
    ///
    /// # Errors
    /// No descriptors left.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let place = Location::caller();
        let (a, b) = ops::unix_stream_pair()?;
        let new = |stream| -> io::Result<_> {
            Ok(UnixStream { io: Sock::at(stream, Ready::WRITABLE, place)? })
        };
        Ok((new(a)?, new(b)?))
    }

    /// Registers a socket of the standard library, which must not block.
    ///
    /// # Errors
    /// As registration: no memory, the kernel's limit of watches.
    ///
    /// # Panics
    /// Outside a runtime with I/O; in debug builds also where the socket blocks.
    #[track_caller]
    pub fn from_std(stream: net::UnixStream) -> io::Result<UnixStream> {
        Ok(UnixStream { io: Sock::from_std(stream)? })
    }

    /// Deregisters, and gives the socket as one of the standard library. It still does not block.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::UnixStream> {
        Ok(self.io.into_inner())
    }

    /// The peer's address.
    ///
    /// # Errors
    /// Those of getpeername(2).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        ops::peer_unix(&self.io).map(SocketAddr)
    }

    /// The address on this side.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        ops::local_unix(&self.io).map(SocketAddr)
    }

    /// Who made the other end: the process, its user and its group, as the kernel knows them.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn peer_cred(&self) -> io::Result<UCred> {
        ops::peer_cred(&self.io).map(UCred::new)
    }

    /// Takes the error that waits at the socket, if there is one.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.options().take_error()
    }

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
        self.io.ready(interest)
    }

    /// Waits until there is something to read, or the peer's end. A hint, as [`UnixStream::ready`].
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
        self.io.readable()
    }

    /// Waits until there is room to write, or the peer is gone. A hint, as [`UnixStream::ready`].
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        self.io.writable()
    }

    /// Waits until there is something to read. At most one task waits in this way; the last one
    /// to poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_ready(cx, Direction::Read)
    }

    /// Waits until there is room to write. At most one task waits in this way; the last one to
    /// poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_ready(cx, Direction::Write)
    }

    /// Reads what is there, without waiting. Zero bytes mean the peer's end, or a buffer without
    /// room.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of recv(2).
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.try_read(buf)
    }

    /// As [`UnixStream::try_read`], into several buffers, one after the other.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of readv(2).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io.try_read_vectored(bufs)
    }

    /// As [`UnixStream::try_read`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of recv(2).
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.try_read_buf(buf)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; else those of send(2).
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.try_write(buf)
    }

    /// As [`UnixStream::try_write`], from several buffers, one after the other.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; else those of sendmsg(2).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io.try_write_vectored(bufs)
    }

    /// Calls `f` where the socket counts as ready, and takes the readiness away where `f` says
    /// `WouldBlock`. For operations that this type does not have; `f` must not wait and must not
    /// use this type's own methods.
    ///
    /// # Errors
    /// `WouldBlock` where the socket is not ready; else those of `f`.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        self.io.try_io(interest, f)
    }

    /// Calls `f` each time when the socket is ready, until it says something else than
    /// `WouldBlock`. For operations that this type does not have.
    ///
    /// # Errors
    /// Those of `f`, or the runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped, as long as `f` itself takes nothing and says
    /// `WouldBlock`.
    #[track_caller]
    pub fn async_io<R>(
        &self,
        interest: Interest,
        f: impl FnMut() -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        self.io.async_io(interest, f)
    }

    /// Two halves that borrow the stream, for use within one task.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        split(self)
    }

    /// Two halves that own the stream together, and can go to different tasks. When the writing
    /// half is dropped the peer is told that no more will come.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        split_owned(self)
    }
}

impl AsyncRead for UnixStream {
    reads!(this => this.io);
}

impl AsyncWrite for UnixStream {
    writes!(this => this.io);

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.io.shut_down_write())
    }
}

impl AsRef<UnixStream> for UnixStream {
    fn as_ref(&self) -> &UnixStream {
        self
    }
}

descriptor!(UnixStream, io, Debug);
from_std!(net::UnixStream => UnixStream);
