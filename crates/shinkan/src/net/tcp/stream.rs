//! A TCP stream: connecting, waiting, peeking, splitting. The options stand in `options.rs`.

use super::split::{ReadHalf, WriteHalf, split};
use super::split_owned::{OwnedReadHalf, OwnedWriteHalf, split_owned};
use crate::net::addr::{ToSocketAddrs, none, resolve};
use crate::net::delegate::{descriptor, from_std, reads, writes};
use crate::net::fill;
use crate::net::sock::Sock;
use bytes::BufMut;
use shinkan_driver::{Direction, Interest, Ready, ops};
use shinkan_io::{AsyncRead, AsyncWrite, ReadBuf};
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A TCP connection.
///
/// Made by [`TcpStream::connect`] or by a listener. It is read and written by the methods of
/// `AsyncReadExt` and `AsyncWriteExt`. Shutting the writing side down tells the peer that no more
/// will come; dropping the stream closes it.
///
/// # Examples
/// ```
/// use shinkan::io::{AsyncRead, AsyncWrite};
/// use shinkan::net::TcpStream;
/// # async fn example() -> std::io::Result<()> {
/// let stream = TcpStream::connect("127.0.0.1:8080").await?;
/// stream.writable().await?;
/// let sent = stream.try_write(b"hello")?;
/// # let _ = sent;
/// # fn both(_: impl AsyncRead + AsyncWrite) {}
/// # both(stream);
/// # Ok(())
/// # }
/// ```
pub struct TcpStream {
    pub(super) io: Sock<net::TcpStream>,
}

impl TcpStream {
    /// Opens a connection to the first address that answers.
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name service; `InvalidInput` where the
    /// name has no address.
    ///
    /// # Cancel safety
    /// A connection that is on its way is closed.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn connect<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<TcpStream>> {
        let place = Location::caller();
        async move {
            let mut last = None;
            for addr in resolve(addr, place).await? {
                match Self::connected(ops::tcp_connect(addr), place).await {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = Some(error),
                }
            }
            Err(last.unwrap_or_else(none))
        }
    }

    pub(super) async fn connected(
        stream: io::Result<net::TcpStream>,
        place: &'static Location<'static>,
    ) -> io::Result<TcpStream> {
        let io = Sock::at(stream?, Ready::EMPTY, place)?.connected(place).await?;
        Ok(TcpStream { io })
    }

    /// A connection that a listener has taken. It can be written, and mostly read: asking the
    /// kernel is cheaper than waiting for its first event.
    #[track_caller]
    pub(super) fn accepted(
        stream: net::TcpStream,
        place: &'static Location<'static>,
    ) -> io::Result<TcpStream> {
        let start = Ready::READABLE | Ready::WRITABLE;
        Ok(TcpStream { io: Sock::at(stream, start, place)? })
    }

    /// Registers a socket of the standard library, which must not block.
    ///
    /// # Errors
    /// As registration: no memory, the kernel's limit of watches.
    ///
    /// # Panics
    /// Outside a runtime with I/O; in debug builds also where the socket blocks.
    #[track_caller]
    pub fn from_std(stream: net::TcpStream) -> io::Result<TcpStream> {
        Ok(TcpStream { io: Sock::from_std(stream)? })
    }

    /// Deregisters, and gives the socket as one of the standard library. It still does not block.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        Ok(self.io.into_inner())
    }

    /// The peer's address.
    ///
    /// # Errors
    /// Those of getpeername(2).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        ops::peer_inet(&self.io)
    }

    /// The address on this side.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        ops::local_inet(&self.io)
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

    /// Waits until there is something to read, or the peer's end. A hint, as [`TcpStream::ready`].
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

    /// Waits until there is room to write, or the peer is gone. A hint, as [`TcpStream::ready`].
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

    /// As [`TcpStream::try_read`], into several buffers, one after the other.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of readv(2).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io.try_read_vectored(bufs)
    }

    /// As [`TcpStream::try_read`], into the next chunk of a buffer, which is advanced.
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

    /// As [`TcpStream::try_write`], from several buffers, one after the other.
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

    /// Waits for data and copies it without taking it from the stream.
    ///
    /// # Errors
    /// Those of recv(2), or the runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn peek(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.io.take(move || ops::peek(&self.io, &mut *buf))
    }

    /// The form of [`TcpStream::peek`] for a hand-written future. At most one task waits in this
    /// way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`TcpStream::peek`].
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.io.poll_take(cx, || fill::read_buf(buf, |free| ops::peek(&self.io, free)))
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

impl AsyncRead for TcpStream {
    reads!(this => this.io);
}

impl AsyncWrite for TcpStream {
    writes!(this => this.io);

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.io.shut_down_write())
    }
}

impl AsRef<TcpStream> for TcpStream {
    fn as_ref(&self) -> &TcpStream {
        self
    }
}

descriptor!(TcpStream, io, Debug);
from_std!(net::TcpStream => TcpStream);
