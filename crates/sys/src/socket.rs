//! Sockets: what the standard library leaves out. All that this file makes is non-blocking and
//! closed on exec.

use rustix::net::{RecvFlags, SendFlags, SocketFlags};
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

/// Takes a connection from a listener, with the peer's address in the form that the caller needs.
///
/// # Errors
/// Those of accept4(2); `WouldBlock` where none waits.
#[inline]
pub fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, Option<rustix::net::SocketAddrAny>)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(rustix::net::acceptfrom_with(listener, flags)?)
}

/// Takes a connection of the internet family.
///
/// # Errors
/// As [`accept`].
#[inline]
pub fn accept_inet(listener: impl AsFd) -> io::Result<(OwnedFd, SocketAddr)> {
    let (fd, addr) = accept(listener)?;
    Ok((fd, inet(addr)?))
}

fn inet(addr: Option<rustix::net::SocketAddrAny>) -> io::Result<SocketAddr> {
    addr.and_then(|addr| SocketAddr::try_from(addr).ok()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the kernel gave no internet address")
    })
}

/// Receives into memory that need not be initialised; what was filled is returned.
///
/// # Errors
/// Those of recv(2).
#[inline]
pub fn recv(fd: impl AsFd, buf: &mut [MaybeUninit<u8>]) -> io::Result<&mut [u8]> {
    Ok(rustix::net::recv(fd, buf, RecvFlags::empty())?.0.0)
}

/// As [`recv`], but what was received stays to be received again.
///
/// # Errors
/// Those of recv(2).
#[inline]
pub fn peek(fd: impl AsFd, buf: &mut [MaybeUninit<u8>]) -> io::Result<&mut [u8]> {
    Ok(rustix::net::recv(fd, buf, RecvFlags::PEEK)?.0.0)
}

/// Sends; a closed peer is an error and never a signal.
///
/// # Errors
/// Those of send(2).
#[inline]
pub fn send(fd: impl AsFd, buf: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(fd, buf, SendFlags::NOSIGNAL)?)
}

/// Receives a datagram and its sender.
///
/// # Errors
/// Those of recvfrom(2).
#[inline]
pub fn recv_from(
    fd: impl AsFd,
    buf: &mut [MaybeUninit<u8>],
) -> io::Result<(&mut [u8], SocketAddr)> {
    let ((filled, _), _, addr) = rustix::net::recvfrom(fd, buf, RecvFlags::empty())?;
    Ok((filled, inet(addr)?))
}

/// As [`recv_from`], but the datagram stays.
///
/// # Errors
/// Those of recvfrom(2).
#[inline]
pub fn peek_from(
    fd: impl AsFd,
    buf: &mut [MaybeUninit<u8>],
) -> io::Result<(&mut [u8], SocketAddr)> {
    let ((filled, _), _, addr) = rustix::net::recvfrom(fd, buf, RecvFlags::PEEK)?;
    Ok((filled, inet(addr)?))
}

/// Sends a datagram.
///
/// # Errors
/// Those of sendto(2).
#[inline]
pub fn send_to(fd: impl AsFd, buf: &[u8], to: &SocketAddr) -> io::Result<usize> {
    Ok(rustix::net::sendto(fd, buf, SendFlags::NOSIGNAL, to)?)
}

pub use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};
