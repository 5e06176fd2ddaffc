//! The end of a pipe to read from.

use super::expect_pipe;
use crate::net::delegate::{descriptor, reads};
use crate::net::sock::Sock;
use bytes::BufMut;
use shinkan_driver::{Direction, Interest, Ready, ops};
use shinkan_io::AsyncRead;
use std::fs::File;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::os::fd::OwnedFd;
use std::panic::Location;
use std::task::{Context, Poll};

/// The end of a pipe to read from. It reads to the end when the last writer is gone.
#[derive(Debug)]
pub struct Receiver {
    io: Sock<OwnedFd>,
}

impl Receiver {
    /// Takes over a pipe or FIFO that was opened for reading, and makes it not block.
    ///
    /// # Errors
    /// `InvalidInput` where it is no pipe or cannot be read; those of fcntl(2).
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn from_file(file: File) -> io::Result<Receiver> {
        Self::from_owned_fd(file.into())
    }

    /// The same for a descriptor.
    ///
    /// # Errors
    /// As [`Receiver::from_file`].
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn from_owned_fd(owned_fd: OwnedFd) -> io::Result<Receiver> {
        expect_pipe(&owned_fd)?;
        if !ops::access(&owned_fd)?.0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the pipe was not opened for reading",
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
    pub fn from_file_unchecked(file: File) -> io::Result<Receiver> {
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
    pub fn from_owned_fd_unchecked(owned_fd: OwnedFd) -> io::Result<Receiver> {
        let io = Sock::with(owned_fd, Interest::READABLE, Ready::EMPTY, Location::caller())?;
        Ok(Receiver { io })
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

    /// Waits until there is something to read, or the last writer is gone.
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

    /// Waits until there is something to read. At most one task waits in this way; the last one
    /// to poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_ready(cx, Direction::Read)
    }

    /// Reads what is there, without waiting. Zero bytes mean that the last writer is gone.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of read(2).
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.try_read(buf)
    }

    /// As [`Receiver::try_read`], into several buffers, one after the other.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of readv(2).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io.try_read_vectored(bufs)
    }

    /// As [`Receiver::try_read`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of read(2).
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.try_read_buf(buf)
    }

    /// Calls `f` where the pipe counts as ready, and takes the readiness away where `f` says
    /// `WouldBlock`. For operations that this type does not have.
    ///
    /// # Errors
    /// `WouldBlock` where the pipe is not ready; else those of `f`.
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.try_take(f)
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

impl AsyncRead for Receiver {
    reads!(this => this.io);
}

descriptor!(Receiver, io);
