//! A listener of the Unix family.

use super::{SocketAddr, UnixStream};
use crate::net::delegate::{descriptor, from_std};
use crate::net::sock::Sock;
use shinkan_driver::ops;
use std::future::Future;
use std::io;
use std::os::unix::net;
use std::panic::Location;
use std::path::Path;
use std::task::{Context, Poll, ready};

/// A Unix socket that takes connections. The file at its path stays when it is dropped.
///
/// # Examples
/// ```
/// use shinkan::net::UnixListener;
/// # async fn example() -> std::io::Result<()> {
/// let listener = UnixListener::bind("/run/example.sock")?;
/// let (stream, _) = listener.accept().await?;
/// println!("user {} is there", stream.peer_cred()?.uid());
/// # Ok(())
/// # }
/// ```
pub struct UnixListener {
    pub(super) io: Sock<net::UnixListener>,
}

impl UnixListener {
    /// Listens at a path, where no file may be; behind a leading zero byte, at a name that is in
    /// no file system.
    ///
    /// # Errors
    /// Those of bind(2) and listen(2).
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        let addr = ops::unix_addr(path.as_ref())?;
        Ok(UnixListener { io: Sock::new(ops::unix_listen(&addr)?)? })
    }

    /// Listens at an address.
    ///
    /// # Errors
    /// As [`UnixListener::bind`].
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<UnixListener> {
        Ok(UnixListener { io: Sock::new(ops::unix_listen(&socket_addr.0)?)? })
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
    pub fn accept(&self) -> impl Future<Output = io::Result<(UnixStream, SocketAddr)>> {
        let place = Location::caller();
        let accepted = self.io.accept(|| ops::accept_unix(&self.io));
        async move {
            let (stream, addr) = accepted.await?;
            Ok((UnixStream::accepted(stream, place)?, addr.into()))
        }
    }

    /// The form of [`UnixListener::accept`] for a hand-written future. At most one task waits in
    /// this way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`UnixListener::accept`].
    #[track_caller]
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let place = Location::caller();
        let (stream, addr) = ready!(self.io.poll_accept(cx, || ops::accept_unix(&self.io)))?;
        Poll::Ready(Ok((UnixStream::accepted(stream, place)?, addr.into())))
    }

    /// Registers a socket of the standard library, which must not block.
    ///
    /// # Errors
    /// As registration: no memory, the kernel's limit of watches.
    ///
    /// # Panics
    /// Outside a runtime with I/O; in debug builds also where the socket blocks.
    #[track_caller]
    pub fn from_std(listener: net::UnixListener) -> io::Result<UnixListener> {
        Ok(UnixListener { io: Sock::from_std(listener)? })
    }

    /// Deregisters, and gives the socket as one of the standard library. It still does not block.
    ///
    /// # Errors
    /// None today.
    pub fn into_std(self) -> io::Result<net::UnixListener> {
        Ok(self.io.into_inner())
    }

    /// The address at which it listens.
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
}

descriptor!(UnixListener, io, Debug);
from_std!(net::UnixListener => UnixListener);
