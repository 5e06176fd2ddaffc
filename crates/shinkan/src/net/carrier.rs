//! How bytes get into and out of a kind of descriptor, and what a wait for it is called.

use super::fill::Filled;
use shinkan_base::wait::WaitKind;
use shinkan_driver::{Interest, ops};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net as unix;

/// What moves bytes. The calls are those for sockets where nothing else is said.
pub(super) trait Carrier: AsFd {
    /// What a dump calls a wait for something to read.
    const READ: WaitKind = WaitKind::Read;
    /// What it calls a wait for room to write.
    const WRITE: WaitKind = WaitKind::Write;

    /// What it calls a wait for an interest.
    #[inline]
    fn kind(interest: Interest) -> WaitKind {
        if interest.is_readable() { Self::READ } else { Self::WRITE }
    }

    #[inline]
    fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        ops::recv(self, buf)
    }

    #[inline]
    fn read_uninit<'b>(&self, free: &'b mut [MaybeUninit<u8>]) -> io::Result<Filled<'b>> {
        ops::recv(self, free)
    }

    #[inline]
    fn write(&self, buf: &[u8]) -> io::Result<usize> {
        ops::send(self, buf)
    }

    #[inline]
    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        ops::send_vectored(self, bufs)
    }
}

impl Carrier for net::TcpStream {}

impl Carrier for unix::UnixStream {}

impl Carrier for net::UdpSocket {
    const READ: WaitKind = WaitKind::Recv;
    const WRITE: WaitKind = WaitKind::Send;
}

impl Carrier for unix::UnixDatagram {
    const READ: WaitKind = WaitKind::Recv;
    const WRITE: WaitKind = WaitKind::Send;
}

/// An end of a pipe.
impl Carrier for OwnedFd {
    #[inline]
    fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        ops::read(self, buf)
    }

    #[inline]
    fn read_uninit<'b>(&self, free: &'b mut [MaybeUninit<u8>]) -> io::Result<Filled<'b>> {
        ops::read(self, free)
    }

    #[inline]
    fn write(&self, buf: &[u8]) -> io::Result<usize> {
        ops::write(self, buf)
    }

    #[inline]
    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        ops::writev(self, bufs)
    }
}
