//! The end of a pipe to read from.

use super::expect_pipe;
use crate::net::fill;
use bytes::BufMut;
use shinkan_base::wait::WaitKind;
use shinkan_driver::{Direction, Interest, Ready, Registered, ops};
use shinkan_io::{AsyncRead, ReadBuf};
use shinkan_rt::Handle;
use std::fs::File;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The end of a pipe to read from. It reads to the end when the last writer is gone.
#[derive(Debug)]
pub struct Receiver {
    io: Registered<OwnedFd>,
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
        let interest = Interest::READABLE;
        let handle = Handle::current();
        Ok(Receiver { io: Registered::with(owned_fd, handle.io(), interest, Ready::EMPTY)? })
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
        async move { Ok(self.io.source().readiness(interest, WaitKind::Read, place).await?.ready) }
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
        let place = Location::caller();
        async move {
            self.io.source().readiness(Interest::READABLE, WaitKind::Read, place).await.map(drop)
        }
    }

    /// Waits until there is something to read. At most one task waits in this way; the last one
    /// to poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.source().poll_ready(cx, Direction::Read).map_ok(drop)
    }

    /// Reads what is there, without waiting. Zero bytes mean that the last writer is gone.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of read(2).
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_io(|| ops::read(&self.io, &mut *buf))
    }

    /// As [`Receiver::try_read`], into several buffers, one after the other.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of readv(2).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.try_io(|| ops::readv(&self.io, bufs))
    }

    /// As [`Receiver::try_read`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is there; else those of read(2).
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        Ok(self.try_io(|| fill::buf_mut(buf, |free| Ok((ops::read(&self.io, free)?, ()))))?.0)
    }

    /// Calls `f` where the pipe counts as ready, and takes the readiness away where `f` says
    /// `WouldBlock`. For operations that this type does not have.
    ///
    /// # Errors
    /// `WouldBlock` where the pipe is not ready; else those of `f`.
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.io.source().try_io(Interest::READABLE, f)
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

impl AsRawFd for Receiver {
    fn as_raw_fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl AsyncRead for Receiver {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        let read = || Ok(fill::read_buf(buf, |free| Ok((ops::read(&self.io, free)?, ())))?.0);
        self.io.source().poll_stream(cx, Direction::Read, room, read).map_ok(drop)
    }
}
