//! The end of a pipe to write to.

use super::expect_pipe;
use shinkan_base::wait::WaitKind;
use shinkan_driver::{Direction, Interest, Ready, Registered, ops};
use shinkan_io::AsyncWrite;
use shinkan_rt::Handle;
use std::fs::File;
use std::future::Future;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The end of a pipe to write to. Dropping the last one ends the readers' input.
#[derive(Debug)]
pub struct Sender {
    io: Registered<OwnedFd>,
}

impl Sender {
    /// Takes over a pipe or FIFO that was opened for writing, and makes it not block.
    ///
    /// # Errors
    /// `InvalidInput` where it is no pipe or cannot be written; those of fcntl(2).
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn from_file(file: File) -> io::Result<Sender> {
        Self::from_owned_fd(file.into())
    }

    /// The same for a descriptor.
    ///
    /// # Errors
    /// As [`Sender::from_file`].
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn from_owned_fd(owned_fd: OwnedFd) -> io::Result<Sender> {
        expect_pipe(&owned_fd)?;
        if !ops::access(&owned_fd)?.1 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the pipe was not opened for writing",
            ));
        }
        ops::set_nonblocking(&owned_fd, true)?;
        Self::from_owned_fd_unchecked(owned_fd)
    }

    /// Takes over a pipe or FIFO without asking what it is. It must not block.
    ///
    /// # Errors
    /// Those of registration.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn from_file_unchecked(file: File) -> io::Result<Sender> {
        Self::from_owned_fd_unchecked(file.into())
    }

    /// The same for a descriptor.
    ///
    /// # Errors
    /// Those of registration.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn from_owned_fd_unchecked(owned_fd: OwnedFd) -> io::Result<Sender> {
        let interest = Interest::WRITABLE;
        let handle = Handle::current();
        Ok(Sender { io: Registered::with(owned_fd, handle.io(), interest, Ready::EMPTY)? })
    }

    /// Waits until the pipe is ready for what is asked, and says for what. A hint: an operation
    /// may still say `WouldBlock`, which takes the readiness away.
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
        let place = Location::caller();
        async move { Ok(self.io.source().readiness(interest, WaitKind::Write, place).await?.ready) }
    }

    /// Waits until there is room to write, or the last reader is gone.
    ///
    /// # Errors
    /// The runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
        let place = Location::caller();
        async move {
            self.io.source().readiness(Interest::WRITABLE, WaitKind::Write, place).await.map(drop)
        }
    }

    /// Waits until there is room to write. At most one task waits in this way; the last one to
    /// poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.source().poll_ready(cx, Direction::Write).map_ok(drop)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room, `BrokenPipe` where the last reader is gone; else those
    /// of write(2).
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_io(|| ops::write(&self.io, buf))
    }

    /// As [`Sender::try_write`], from several buffers, one after the other.
    ///
    /// # Errors
    /// As [`Sender::try_write`].
    pub fn try_write_vectored(&self, buf: &[IoSlice<'_>]) -> io::Result<usize> {
        self.try_io(|| ops::writev(&self.io, buf))
    }

    /// Calls `f` where the pipe counts as ready, and takes the readiness away where `f` says
    /// `WouldBlock`. For operations that this type does not have.
    ///
    /// # Errors
    /// `WouldBlock` where the pipe is not ready; else those of `f`.
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.source().try_io(Interest::WRITABLE, f)
    }

    /// Deregisters, and gives the descriptor, which blocks from now on.
    ///
    /// # Errors
    /// Those of fcntl(2).
    pub fn into_blocking_fd(self) -> io::Result<OwnedFd> {
        let fd = self.into_nonblocking_fd()?;
        ops::set_nonblocking(&fd, false)?;
        Ok(fd)
    }

    /// Deregisters, and gives the descriptor, which still does not block.
    ///
    /// # Errors
    /// None today.
    pub fn into_nonblocking_fd(self) -> io::Result<OwnedFd> {
        Ok(self.io.into_inner())
    }
}

impl AsRawFd for Sender {
    fn as_raw_fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }
}

impl AsFd for Sender {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl AsyncWrite for Sender {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = || ops::write(&self.io, buf);
        self.io.source().poll_stream(cx, Direction::Write, buf.len(), write)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.source().poll_io(cx, Direction::Write, || ops::writev(&self.io, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
