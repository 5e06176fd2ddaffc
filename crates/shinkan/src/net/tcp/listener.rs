//! A TCP listener.

use super::TcpStream;
use crate::net::addr::{ToSocketAddrs, first_of, resolve};
use crate::net::delegate::{descriptor, from_std};
use crate::net::sock::Sock;
use shinkan_driver::{Ready, ops};
use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::task::{Context, Poll, ready};

/// A TCP socket that takes connections.
///
/// # Examples
/// ```
/// use shinkan::net::TcpListener;
/// # async fn example() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// loop {
///     let (stream, peer) = listener.accept().await?;
///     println!("{peer} is there: {stream:?}");
/// }
/// # }
/// ```
pub struct TcpListener {
    pub(super) io: Sock<net::TcpListener>,
}

impl TcpListener {
    /// Listens at the first address that can be had, with `SO_REUSEADDR` and a queue of 1,024.
    /// Port 0 has the kernel choose one.
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name service; `InvalidInput` where the
    /// name has no address.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<TcpListener>> {
        let place = Location::caller();
        async move {
            first_of(resolve(addr, place).await?, |addr| {
                Ok(TcpListener { io: Sock::at(ops::tcp_listen(addr)?, Ready::EMPTY, place)? })
            })
        }
    }

    /// Takes the next connection, with the peer's address.
    ///
    /// # Errors
    /// Those of accept4(2): where no descriptors are left the listener goes on, and the next call
    /// tries again.
    ///
    /// # Cancel safety
    /// No connection is lost if it is dropped.
    #[track_caller]
    pub fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> {
        let place = Location::caller();
        let accepted = self.io.accept(|| ops::accept_inet(&self.io));
        async move {
            let (stream, addr) = accepted.await?;
            Ok((TcpStream::accepted(stream, place)?, addr))
        }
    }

    /// The form of [`TcpListener::accept`] for a hand-written future. At most one task waits in
    /// this way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`TcpListener::accept`].
    #[track_caller]
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let place = Location::caller();
        let (stream, addr) = ready!(self.io.poll_accept(cx, || ops::accept_inet(&self.io)))?;
        Poll::Ready(Ok((TcpStream::accepted(stream, place)?, addr)))
    }

    /// Registers a socket of the standard library, which must not block.
    ///
    /// # Errors
    /// As registration: no memory, the kernel's limit of watches.
    ///
    /// # Panics
    /// Outside a runtime with I/O; in debug builds also where the socket blocks.
    #[track_caller]
    pub fn from_std(listener: net::TcpListener) -> io::Result<TcpListener> {
        Ok(TcpListener { io: Sock::from_std(listener)? })
    }

    /// Deregisters, and gives the socket as one of the standard library. It still does not block.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::TcpListener> {
        Ok(self.io.into_inner())
    }

    /// The address at which it listens.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        ops::local_inet(&self.io)
    }

    /// How many hops a packet may take (`IP_TTL`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn ttl(&self) -> io::Result<u32> {
        self.io.options().ttl_v4()
    }

    /// Sets how many hops a packet may take (`IP_TTL`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.io.options().set_ttl_v4(ttl)
    }
}

descriptor!(TcpListener, io, Debug);
from_std!(net::TcpListener => TcpListener);
