//! A Unix socket that is neither connected nor listening yet.

use super::{UnixDatagram, UnixListener, UnixStream};
use crate::net::sock::Sock;
use shinkan_driver::ops::{self, Domain, SockAddr, Socket, Type};
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, RawFd};
use std::panic::Location;
use std::path::Path;

/// A Unix socket to bind before it becomes a [`UnixStream`], a [`UnixListener`] or a
/// [`UnixDatagram`].
#[derive(Debug)]
pub struct UnixSocket {
    inner: Socket,
}

impl UnixSocket {
    /// A socket for datagrams.
    ///
    /// # Errors
    /// Those of socket(2).
    pub fn new_datagram() -> io::Result<UnixSocket> {
        Self::new(Type::DGRAM)
    }

    /// A socket for a stream.
    ///
    /// # Errors
    /// Those of socket(2).
    pub fn new_stream() -> io::Result<UnixSocket> {
        Self::new(Type::STREAM)
    }

    fn new(kind: Type) -> io::Result<UnixSocket> {
        let kind = kind.nonblocking().cloexec();
        Ok(Self { inner: Socket::new(Domain::UNIX, kind, None)? })
    }

    pub(in crate::net) fn from_socket(inner: Socket) -> UnixSocket {
        Self { inner }
    }

    /// Gives the socket an address: a path where no file may be, or, behind a leading zero byte,
    /// a name that is in no file system.
    ///
    /// # Errors
    /// Those of bind(2).
    pub fn bind(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.inner.bind(&SockAddr::unix(path)?)
    }

    /// Listens, with a queue of `backlog` connections that nobody has taken.
    ///
    /// # Errors
    /// Those of listen(2); also where the socket is for datagrams.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        self.expect(Type::STREAM, "`UnixSocket::listen` needs a socket made by `new_stream`")?;
        self.inner.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        Ok(UnixListener { io: Sock::new(self.inner.into())? })
    }

    /// Opens a connection to the listener at a path.
    ///
    /// # Errors
    /// Those of connect(2); also where the socket is for datagrams.
    ///
    /// # Cancel safety
    /// A connection that is on its way is closed.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn connect(self, path: impl AsRef<Path>) -> impl Future<Output = io::Result<UnixStream>> {
        let place = Location::caller();
        async move {
            self.expect(Type::STREAM, "`UnixSocket::connect` needs a socket made by `new_stream`")?;
            ops::connect_unix(&self.inner, path.as_ref())?;
            drop(path);
            UnixStream::connected(Ok(self.inner.into()), place).await
        }
    }

    /// Makes it a socket for datagrams.
    ///
    /// # Errors
    /// The error that waits at the socket; also where the socket is for a stream.
    ///
    /// # Panics
    /// Outside a runtime with I/O.
    #[track_caller]
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        self.expect(Type::DGRAM, "`UnixSocket::datagram` needs a socket made by `new_datagram`")?;
        if let Some(error) = self.inner.take_error()? {
            return Err(error);
        }
        Ok(UnixDatagram { io: Sock::new(self.inner.into())? })
    }

    fn expect(&self, kind: Type, otherwise: &str) -> io::Result<()> {
        if self.inner.r#type()? == kind { Ok(()) } else { Err(io::Error::other(otherwise)) }
    }
}

impl AsRawFd for UnixSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl AsFd for UnixSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl IntoRawFd for UnixSocket {
    fn into_raw_fd(self) -> RawFd {
        self.inner.into_raw_fd()
    }
}
