//! A TCP socket that is neither connected nor listening yet.

use super::{TcpListener, TcpStream};

use crate::net::delegate::descriptor;
use crate::net::sock::Sock;
use shinkan_driver::ops::{self, Domain, Protocol, Socket, Type};
use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{IntoRawFd, RawFd};
use std::panic::Location;
use std::time::Duration;

/// A TCP socket to set options on, before it becomes a [`TcpStream`] or a [`TcpListener`].
///
/// # Examples
/// ```
/// use shinkan::net::TcpSocket;
/// # async fn example() -> std::io::Result<()> {
/// let socket = TcpSocket::new_v4()?;
/// socket.set_reuseaddr(true)?;
/// socket.bind("127.0.0.1:0".parse().unwrap())?;
/// let listener = socket.listen(64)?;
/// # let _ = listener;
/// # Ok(())
/// # }
/// ```
pub struct TcpSocket {
    inner: Socket,
}

impl TcpSocket {
    /// A socket for IPv4.
    ///
    /// # Errors
    /// Those of socket(2).
    pub fn new_v4() -> io::Result<TcpSocket> {
        Self::new(Domain::IPV4)
    }

    /// A socket for IPv6.
    ///
    /// # Errors
    /// Those of socket(2).
    pub fn new_v6() -> io::Result<TcpSocket> {
        Self::new(Domain::IPV6)
    }

    fn new(domain: Domain) -> io::Result<TcpSocket> {
        let kind = Type::STREAM.nonblocking().cloexec();
        Ok(Self { inner: Socket::new(domain, kind, Some(Protocol::TCP))? })
    }

    pub(in crate::net) fn from_socket(inner: Socket) -> TcpSocket {
        Self { inner }
    }

    /// Takes over a socket of the standard library, which must not block and which need not be
    /// connected.
    pub fn from_std_stream(std_stream: net::TcpStream) -> TcpSocket {
        Self { inner: std_stream.into() }
    }

    /// Gives the socket an address. Port 0 has the kernel choose one.
    ///
    /// # Errors
    /// Those of bind(2).
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.inner.bind(&addr.into())
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Those of connect(2).
    ///
    /// # Cancel safety
    /// A connection that is on its way is closed.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn connect(self, addr: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> {
        let place = Location::caller();
        async move {
            ops::connect_inet(&self.inner, addr)?;
            TcpStream::connected(Ok(self.inner.into()), place).await
        }
    }

    /// Listens, with a queue of `backlog` connections that nobody has taken.
    ///
    /// # Errors
    /// Those of listen(2).
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        self.inner.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        Ok(TcpListener { io: Sock::new(self.inner.into())? })
    }

    /// The address on this side.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        ops::local_inet(&self.inner)
    }

    /// Takes the error that waits at the socket, if there is one.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.inner.take_error()
    }

    /// Whether a silent peer is probed (`SO_KEEPALIVE`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn keepalive(&self) -> io::Result<bool> {
        self.inner.keepalive()
    }

    /// Has a silent peer probed (`SO_KEEPALIVE`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_keepalive(&self, keepalive: bool) -> io::Result<()> {
        self.inner.set_keepalive(keepalive)
    }

    /// Whether an address may be taken whose last user has just left (`SO_REUSEADDR`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn reuseaddr(&self) -> io::Result<bool> {
        self.inner.reuse_address()
    }

    /// Allows an address whose last user has just left (`SO_REUSEADDR`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_reuseaddr(&self, reuseaddr: bool) -> io::Result<()> {
        self.inner.set_reuse_address(reuseaddr)
    }

    /// Whether several sockets may share an address (`SO_REUSEPORT`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn reuseport(&self) -> io::Result<bool> {
        self.inner.reuse_port()
    }

    /// Allows several sockets to share an address (`SO_REUSEPORT`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_reuseport(&self, reuseport: bool) -> io::Result<()> {
        self.inner.set_reuse_port(reuseport)
    }

    /// The size of the send buffer in bytes, which Linux doubles when it is set.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn send_buffer_size(&self) -> io::Result<u32> {
        self.inner.send_buffer_size().map(saturate)
    }

    /// Sets the size of the send buffer in bytes.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_send_buffer_size(&self, size: u32) -> io::Result<()> {
        self.inner.set_send_buffer_size(size as usize)
    }

    /// The size of the receive buffer in bytes, which Linux doubles when it is set.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn recv_buffer_size(&self) -> io::Result<u32> {
        self.inner.recv_buffer_size().map(saturate)
    }

    /// Sets the size of the receive buffer in bytes.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_recv_buffer_size(&self, size: u32) -> io::Result<()> {
        self.inner.set_recv_buffer_size(size as usize)
    }

    /// How long a close waits for data that was not sent; `None` where it does not wait.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.inner.linger()
    }

    /// Has a close wait for data that was not sent: it stops the thread that drops the socket.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    #[deprecated = "a close that lingers stops the whole thread on drop: use `set_zero_linger`"]
    pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
        self.inner.set_linger(dur)
    }

    /// Has a close throw away what was not sent, and reset the connection.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.inner.set_linger(Some(Duration::ZERO))
    }

    /// Whether small writes are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn nodelay(&self) -> io::Result<bool> {
        self.inner.tcp_nodelay()
    }

    /// Sends small writes at once, or gathers them (`TCP_NODELAY`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.inner.set_tcp_nodelay(nodelay)
    }

    /// The traffic class of IPv6 packets (`IPV6_TCLASS`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn tclass_v6(&self) -> io::Result<u32> {
        self.inner.tclass_v6()
    }

    /// Sets the traffic class of IPv6 packets (`IPV6_TCLASS`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_tclass_v6(&self, tclass_v6: u32) -> io::Result<()> {
        self.inner.set_tclass_v6(tclass_v6)
    }

    /// The type of service of IPv4 packets (`IP_TOS`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn tos_v4(&self) -> io::Result<u32> {
        self.inner.tos_v4()
    }

    /// Sets the type of service of IPv4 packets (`IP_TOS`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_tos_v4(&self, tos_v4: u32) -> io::Result<()> {
        self.inner.set_tos_v4(tos_v4)
    }

    /// The old name of [`TcpSocket::tos_v4`].
    #[doc(hidden)]
    #[deprecated(note = "the option is of IPv4 alone: use `tos_v4`")]
    pub fn tos(&self) -> io::Result<u32> {
        self.tos_v4()
    }

    /// The old name of [`TcpSocket::set_tos_v4`].
    #[doc(hidden)]
    #[deprecated(note = "the option is of IPv4 alone: use `set_tos_v4`")]
    pub fn set_tos(&self, tos: u32) -> io::Result<()> {
        self.set_tos_v4(tos)
    }

    /// The interface to which it is bound, if it is (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        self.inner.device()
    }

    /// Binds it to an interface, or to none (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.inner.bind_device(interface)
    }
}

fn saturate(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

impl IntoRawFd for TcpSocket {
    fn into_raw_fd(self) -> RawFd {
        self.inner.into_raw_fd()
    }
}

descriptor!(TcpSocket, inner, Debug);
