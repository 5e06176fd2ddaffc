//! Sockets: what the standard library leaves out. All that this file makes is non-blocking and
//! closed on exec.

use rustix::buffer::Buffer;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrAny, SocketAddrUnix,
    SocketFlags,
};
use std::ffi::OsStr;
use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{self as unix, UnixDatagram, UnixListener, UnixStream};
use std::path::Path;

// What Tokio's listeners ask for; the kernel cuts it at its own limit.
const BACKLOG: i32 = 1024;

/// A listener of the internet family that may take an address whose last user has just left.
///
/// # Errors
/// Those of socket(2), bind(2) and listen(2).
pub fn tcp_listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = stream(Domain::for_address(addr))?;
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A stream whose connection is on its way: it becomes writable when that is decided.
///
/// # Errors
/// Those of socket(2), and of connect(2) at once.
pub fn tcp_connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let socket = stream(Domain::for_address(addr))?;
    connect_inet(&socket, addr)?;
    Ok(socket.into())
}

/// Starts a connection on a socket that may have been bound before.
///
/// # Errors
/// Those of connect(2) at once.
pub fn connect_inet(socket: &Socket, addr: SocketAddr) -> io::Result<()> {
    under_way(socket.connect(&addr.into()))
}

fn stream(domain: Domain) -> io::Result<Socket> {
    Socket::new(domain, Type::STREAM.nonblocking().cloexec(), None)
}

fn under_way(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error)
            if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// A socket for datagrams, bound to an address.
///
/// # Errors
/// Those of socket(2) and bind(2).
pub fn udp_bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let kind = Type::DGRAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(addr), kind, None)?;
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

/// The address of a path, or, behind a leading zero byte, of a name that is in no file system.
///
/// # Errors
/// `InvalidInput` where it is too long or has a zero byte inside.
pub fn unix_addr(path: &Path) -> io::Result<unix::SocketAddr> {
    match path.as_os_str().as_bytes().strip_prefix(b"\0") {
        Some(name) => unix::SocketAddr::from_abstract_name(name),
        None => unix::SocketAddr::from_pathname(path),
    }
}

/// A listener of the Unix family.
///
/// # Errors
/// Those of socket(2), bind(2) and listen(2).
pub fn unix_listen(addr: &unix::SocketAddr) -> io::Result<UnixListener> {
    let socket = stream(Domain::UNIX)?;
    rustix::net::bind(&socket, &unix_out(addr)?)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A stream whose connection is on its way: it becomes writable when that is decided.
///
/// # Errors
/// Those of socket(2), and of connect(2) at once; `WouldBlock` where the listener's queue is full.
pub fn unix_connect(addr: &unix::SocketAddr) -> io::Result<UnixStream> {
    let socket = stream(Domain::UNIX)?;
    let connected = rustix::net::connect(&socket, &unix_out(addr)?);
    under_way(connected.map_err(io::Error::from))?;
    Ok(socket.into())
}

/// Starts a connection on a socket of the Unix family that may have been bound before.
///
/// # Errors
/// Those of connect(2) at once.
pub fn connect_unix(socket: &Socket, path: &Path) -> io::Result<()> {
    under_way(socket.connect(&SockAddr::unix(path)?))
}

/// Two connected streams.
///
/// # Errors
/// No descriptors left.
pub fn unix_stream_pair() -> io::Result<(UnixStream, UnixStream)> {
    let kind = Type::STREAM.nonblocking().cloexec();
    Socket::pair(Domain::UNIX, kind, None).map(|(a, b)| (a.into(), b.into()))
}

/// A socket for datagrams of the Unix family; without an address where there is no path.
///
/// # Errors
/// Those of socket(2) and bind(2).
pub fn unix_datagram(path: Option<&Path>) -> io::Result<UnixDatagram> {
    let socket = Socket::new(Domain::UNIX, Type::DGRAM.nonblocking().cloexec(), None)?;
    if let Some(path) = path {
        rustix::net::bind(&socket, &unix_out(&unix::SocketAddr::from_pathname(path)?)?)?;
    }
    Ok(socket.into())
}

/// Two connected sockets for datagrams.
///
/// # Errors
/// No descriptors left.
pub fn unix_datagram_pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
    let kind = Type::DGRAM.nonblocking().cloexec();
    Socket::pair(Domain::UNIX, kind, None).map(|(a, b)| (a.into(), b.into()))
}

/// The process at the other end of a Unix stream: its number, where it is known, user and group.
///
/// # Errors
/// Those of getsockopt(2).
pub fn peer_cred(fd: impl AsFd) -> io::Result<(Option<i32>, u32, u32)> {
    let cred = rustix::net::sockopt::socket_peercred(fd)?;
    Ok((Some(cred.pid.as_raw_nonzero().get()), cred.uid.as_raw(), cred.gid.as_raw()))
}

/// Its own address.
///
/// # Errors
/// Those of getsockname(2).
pub fn local_inet(fd: impl AsFd) -> io::Result<SocketAddr> {
    inet(Some(rustix::net::getsockname(fd)?))
}

/// The peer's address.
///
/// # Errors
/// `NotConnected` where there is no peer.
pub fn peer_inet(fd: impl AsFd) -> io::Result<SocketAddr> {
    inet(rustix::net::getpeername(fd)?)
}

/// Its own address.
///
/// # Errors
/// Those of getsockname(2).
pub fn local_unix(fd: impl AsFd) -> io::Result<unix::SocketAddr> {
    unix_in(Some(rustix::net::getsockname(fd)?))
}

/// The peer's address.
///
/// # Errors
/// `NotConnected` where there is no peer.
pub fn peer_unix(fd: impl AsFd) -> io::Result<unix::SocketAddr> {
    unix_in(rustix::net::getpeername(fd)?)
}

/// Takes a connection from a listener.
///
/// # Errors
/// Those of accept4(2); `WouldBlock` where none waits.
#[inline]
pub fn accept_inet(listener: impl AsFd) -> io::Result<(TcpStream, SocketAddr)> {
    let (fd, addr) = accept(listener)?;
    Ok((fd.into(), inet(addr)?))
}

/// Takes a connection from a listener.
///
/// # Errors
/// As [`accept_inet`].
pub fn accept_unix(listener: impl AsFd) -> io::Result<(UnixStream, unix::SocketAddr)> {
    let (fd, addr) = accept(listener)?;
    Ok((fd.into(), unix_in(addr)?))
}

fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(rustix::net::acceptfrom_with(listener, flags)?)
}

fn inet(addr: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    addr.and_then(|addr| SocketAddr::try_from(addr).ok()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the address is not of the internet family")
    })
}

fn unix_out(addr: &unix::SocketAddr) -> io::Result<SocketAddrUnix> {
    Ok(match (addr.as_pathname(), addr.as_abstract_name()) {
        (Some(path), _) => SocketAddrUnix::new(path)?,
        (None, Some(name)) => SocketAddrUnix::new_abstract_name(name)?,
        (None, None) => SocketAddrUnix::new_unnamed(),
    })
}

// Decoded by hand: rustix 1.1 takes an address without a name for one with an empty name, and
// panics at a path that fills the kernel's structure to its last byte, which any local user can
// bind.
fn unix_in(addr: Option<SocketAddrAny>) -> io::Result<unix::SocketAddr> {
    let unnamed = || unix::SocketAddr::from_pathname("");
    let Some(addr) = addr.filter(|addr| addr.address_family() == AddressFamily::UNIX) else {
        return unnamed();
    };
    let family = size_of_val(&AddressFamily::UNIX.as_raw());
    // SAFETY:
    // - alive and initialised: the address holds as many bytes as it says, which the kernel wrote.
    let bytes = unsafe {
        core::slice::from_raw_parts(addr.as_ptr().cast::<u8>(), addr.addr_len() as usize)
    };
    match bytes.get(family..).unwrap_or_default() {
        [] => unnamed(),
        [0, name @ ..] => unix::SocketAddr::from_abstract_name(name),
        path => {
            let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
            // The standard library has no room for the longest path; the connection counts more.
            unix::SocketAddr::from_pathname(OsStr::from_bytes(&path[..end])).or_else(|_| unnamed())
        }
    }
}

/// Receives into a buffer; into one that need not be initialised, too, of which the part that was
/// filled is then returned with the rest.
///
/// # Errors
/// Those of recv(2).
#[inline]
pub fn recv<B: Buffer<u8>>(fd: impl AsFd, buf: B) -> io::Result<B::Output> {
    Ok(rustix::net::recv(fd, buf, RecvFlags::empty())?.0)
}

/// As [`recv`], but what was received stays to be received again.
///
/// # Errors
/// Those of recv(2).
#[inline]
pub fn peek<B: Buffer<u8>>(fd: impl AsFd, buf: B) -> io::Result<B::Output> {
    Ok(rustix::net::recv(fd, buf, RecvFlags::PEEK)?.0)
}

/// Receives a datagram and its sender.
///
/// # Errors
/// Those of recvfrom(2).
#[inline]
pub fn recv_from<B: Buffer<u8>>(fd: impl AsFd, buf: B) -> io::Result<(B::Output, SocketAddr)> {
    let (output, _, addr) = rustix::net::recvfrom(fd, buf, RecvFlags::empty())?;
    Ok((output, inet(addr)?))
}

/// As [`recv_from`], but the datagram stays.
///
/// # Errors
/// Those of recvfrom(2).
#[inline]
pub fn peek_from<B: Buffer<u8>>(fd: impl AsFd, buf: B) -> io::Result<(B::Output, SocketAddr)> {
    let (output, _, addr) = rustix::net::recvfrom(fd, buf, RecvFlags::PEEK)?;
    Ok((output, inet(addr)?))
}

/// Receives a datagram of the Unix family and its sender.
///
/// # Errors
/// Those of recvfrom(2).
#[inline]
pub fn recv_from_unix<B: Buffer<u8>>(
    fd: impl AsFd,
    buf: B,
) -> io::Result<(B::Output, unix::SocketAddr)> {
    let (output, _, addr) = rustix::net::recvfrom(fd, buf, RecvFlags::empty())?;
    Ok((output, unix_in(addr)?))
}

/// Sends; a closed peer is an error and never a signal.
///
/// # Errors
/// Those of send(2).
#[inline]
pub fn send(fd: impl AsFd, buf: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(fd, buf, SendFlags::NOSIGNAL)?)
}

/// Sends from several buffers.
///
/// # Errors
/// Those of sendmsg(2).
#[inline]
pub fn send_vectored(fd: impl AsFd, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let bufs = &bufs[..bufs.len().min(crate::fd::IOV_MAX)];
    let mut control = SendAncillaryBuffer::default();
    Ok(rustix::net::sendmsg(fd, bufs, &mut control, SendFlags::NOSIGNAL)?)
}

/// Sends a datagram.
///
/// # Errors
/// Those of sendto(2).
#[inline]
pub fn send_to(fd: impl AsFd, buf: &[u8], to: &SocketAddr) -> io::Result<usize> {
    Ok(rustix::net::sendto(fd, buf, SendFlags::NOSIGNAL, to)?)
}

/// Sends a datagram of the Unix family.
///
/// # Errors
/// Those of sendto(2); `InvalidInput` where the path is none.
pub fn send_to_unix(fd: impl AsFd, buf: &[u8], to: &Path) -> io::Result<usize> {
    let to = unix_out(&unix::SocketAddr::from_pathname(to)?)?;
    Ok(rustix::net::sendto(fd, buf, SendFlags::NOSIGNAL, &to)?)
}

/// Gives a datagram socket of the Unix family its peer.
///
/// # Errors
/// Those of connect(2); `InvalidInput` where the path is none.
pub fn connect_datagram(fd: impl AsFd, to: &Path) -> io::Result<()> {
    Ok(rustix::net::connect(fd, &unix_out(&unix::SocketAddr::from_pathname(to)?)?)?)
}

/// Gives a datagram socket of the internet family its peer.
///
/// # Errors
/// Those of connect(2).
pub fn connect_udp(fd: impl AsFd, to: &SocketAddr) -> io::Result<()> {
    Ok(rustix::net::connect(fd, to)?)
}

pub use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};
