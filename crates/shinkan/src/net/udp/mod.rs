//! UDP: the socket, its waits and its addresses. Sending and receiving stand in `transfer.rs`,
//! looking without taking in `peek.rs`, the options in `options.rs`.

mod options;
mod peek;
mod transfer;

use crate::net::addr::{ToSocketAddrs, first_of, resolve};
use crate::net::delegate::{descriptor, from_std};
use crate::net::sock::Sock;
use shinkan_driver::{Direction, Interest, Ready, ops};
use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::task::{Context, Poll};

/// A UDP socket.
///
/// With a peer, by [`UdpSocket::connect`], it sends by `send` and receives by `recv`, from that
/// peer alone; without one, by `send_to` and `recv_from`. All methods take `&self`, so several
/// tasks share it in an `Arc`.
///
/// # Examples
/// ```
/// use shinkan::net::UdpSocket;
/// # async fn example() -> std::io::Result<()> {
/// let socket = UdpSocket::bind("127.0.0.1:0").await?;
/// let mut buf = [0; 1500];
/// loop {
///     let (len, from) = socket.recv_from(&mut buf).await?;
///     socket.send_to(&buf[..len], from).await?;
/// }
/// # }
/// ```
pub struct UdpSocket {
    io: Sock<net::UdpSocket>,
}

impl UdpSocket {
    /// Makes a socket at the first address that can be had. Port 0 has the kernel choose one.
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name service; `InvalidInput` where the
    /// name has no address.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<UdpSocket>> {
        let place = Location::caller();
        async move {
            first_of(resolve(addr, place).await?, |addr| {
                Ok(UdpSocket { io: Sock::at(ops::udp_bind(addr)?, Ready::EMPTY, place)? })
            })
        }
    }

    /// Gives the socket a peer, at the first address that can be had; others are not heard then.
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name service; `InvalidInput` where the
    /// name has no address.
    #[track_caller]
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> impl Future<Output = io::Result<()>> {
        let place = Location::caller();
        async move { first_of(resolve(addr, place).await?, |addr| ops::connect_udp(&self.io, &addr)) }
    }

    /// Registers a socket of the standard library, which must not block.
    ///
    /// # Errors
    /// As registration: no memory, the kernel's limit of watches.
    ///
    /// # Panics
    /// Outside a runtime with I/O; in debug builds also where the socket blocks.
    #[track_caller]
    pub fn from_std(socket: net::UdpSocket) -> io::Result<UdpSocket> {
        Ok(UdpSocket { io: Sock::from_std(socket)? })
    }

    /// Deregisters, and gives the socket as one of the standard library. It still does not block.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::UdpSocket> {
        Ok(self.io.into_inner())
    }

    /// The address on this side.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        ops::local_inet(&self.io)
    }

    /// The peer's address.
    ///
    /// # Errors
    /// `NotConnected` where it has no peer.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        ops::peer_inet(&self.io)
    }

    /// Takes the error that waits at the socket, if there is one.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.options().take_error()
    }

    /// Waits until the socket is ready for what is asked, and says for what.
    ///
    /// It is a hint: an operation may still say `WouldBlock`, which takes the readiness away.
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

    /// Waits until there is a datagram. A hint, as [`UdpSocket::ready`].
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

    /// Waits until there is room to send. A hint, as [`UdpSocket::ready`].
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

    /// Waits until there is a datagram. At most one task waits in this way; the last one
    /// to poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_ready(cx, Direction::Read)
    }

    /// Waits until there is room to send. At most one task waits in this way; the last one to
    /// poll is woken.
    ///
    /// # Errors
    /// The runtime has ended.
    pub fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_ready(cx, Direction::Write)
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
}

descriptor!(UdpSocket, io, Debug);
from_std!(net::UdpSocket => UdpSocket);
