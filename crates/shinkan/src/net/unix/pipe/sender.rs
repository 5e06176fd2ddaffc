//! The end of a pipe to write to.

use super::expect_pipe;
use crate::net::delegate::{descriptor, writes};
use crate::net::sock::Sock;
use shinkan_driver::{Direction, Interest, Ready, ops};
use shinkan_io::AsyncWrite;
use std::fs::File;
use std::future::Future;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The end of a pipe to write to. Dropping the last one ends the readers' input.
#[derive(Debug)]
pub struct Sender {
    io: Sock<OwnedFd>,
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
        let io = Sock::with(owned_fd, Interest::WRITABLE, Ready::EMPTY, Location::caller())?;
        Ok(Sender { io })
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
        self.io.ready(interest)
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
        self.io.writable()
    }

    /// Waits until there is room to write. At most one task waits in this way; the last one to
    /// poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_ready(cx, Direction::Write)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room, `BrokenPipe` where the last reader is gone; else those
    /// of write(2).
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.try_write(buf)
    }

    /// As [`Sender::try_write`], from several buffers, one after the other.
    ///
    /// # Errors
    /// As [`Sender::try_write`].
    pub fn try_write_vectored(&self, buf: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io.try_write_vectored(buf)
    }

    /// Calls `f` where the pipe counts as ready, and takes the readiness away where `f` says
    /// `WouldBlock`. For operations that this type does not have.
    ///
    /// # Errors
    /// `WouldBlock` where the pipe is not ready; else those of `f`.
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.try_put(f)
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

impl AsyncWrite for Sender {
    writes!(this => this.io);

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

descriptor!(Sender, io);
