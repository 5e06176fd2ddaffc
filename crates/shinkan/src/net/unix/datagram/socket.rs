//! Datagrams within this machine: the socket, its waits and its addresses. Sending and receiving
//! stand in `transfer.rs`.

use crate::net::delegate::{descriptor, from_std};
use crate::net::sock::Sock;
use crate::net::unix::SocketAddr;
use shinkan_driver::{Direction, Interest, Ready, ops};
use std::future::Future;
use std::io;
use std::net::Shutdown;
use std::os::unix::net;
use std::panic::Location;
use std::path::Path;
use std::task::{Context, Poll};

/// A Unix socket for datagrams. They arrive in order and none is lost: a sender waits instead.
///
/// # Examples
/// ```
/// use shinkan::net::UnixDatagram;
/// # async fn example() -> std::io::Result<()> {
/// let (here, there) = UnixDatagram::pair()?;
/// here.send(b"hello").await?;
/// let mut buf = [0; 16];
/// assert_eq!(there.recv(&mut buf).await?, 5);
/// # Ok(())
/// # }
/// ```
pub struct UnixDatagram {
    pub(in crate::net::unix) io: Sock<net::UnixDatagram>,
}

impl UnixDatagram {
    /// Makes a socket at a path, where no file may be. The file stays when it is dropped.
    ///
    /// # Errors
    /// Those of bind(2).
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        Ok(UnixDatagram { io: Sock::new(ops::unix_datagram(Some(path.as_ref()))?)? })
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    /// No descriptors left.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let place = Location::caller();
        let (a, b) = ops::unix_datagram_pair()?;
        let new = |socket| -> io::Result<_> {
            Ok(UnixDatagram { io: Sock::at(socket, Ready::WRITABLE, place)? })
        };
        Ok((new(a)?, new(b)?))
    }

    /// Makes a socket without an address.
    ///
    /// # Errors
    /// Those of socket(2).
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn unbound() -> io::Result<UnixDatagram> {
        Ok(UnixDatagram { io: Sock::new(ops::unix_datagram(None)?)? })
    }

    /// Gives the socket a peer; others are not heard then.
    ///
    /// # Errors
    /// Those of connect(2).
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        ops::connect_datagram(&self.io, path.as_ref())
    }

    /// Registers a socket of the standard library, which must not block.
    ///
    /// # Errors
    /// As registration: no memory, the kernel's limit of watches.
    ///
    /// # Panics
    /// Outside a runtime with I/O; in debug builds also where the socket blocks.
    #[track_caller]
    pub fn from_std(datagram: net::UnixDatagram) -> io::Result<UnixDatagram> {
        Ok(UnixDatagram { io: Sock::from_std(datagram)? })
    }

    /// Deregisters, and gives the socket as one of the standard library. It still does not block.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::UnixDatagram> {
        Ok(self.io.into_inner())
    }

    /// The peer's address.
    ///
    /// # Errors
    /// Those of getpeername(2).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        ops::peer_unix(&self.io).map(SocketAddr)
    }

    /// The address on this side.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        ops::local_unix(&self.io).map(SocketAddr)
    }

    /// Takes the error that waits at the socket, if there is one.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.options().take_error()
    }

    /// Closes the reading side, the writing side or both.
    ///
    /// # Errors
    /// Those of shutdown(2).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.io.options().shutdown(how)
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

    /// Waits until there is a datagram. A hint, as [`UnixDatagram::ready`].
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

    /// Waits until there is room to send. A hint, as [`UnixDatagram::ready`].
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

descriptor!(UnixDatagram, io, Debug);
from_std!(net::UnixDatagram => UnixDatagram);
