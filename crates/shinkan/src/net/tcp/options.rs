//! The options of a TCP stream.

use super::TcpStream;
use std::io;
use std::time::Duration;

impl TcpStream {
    /// Whether small writes are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn nodelay(&self) -> io::Result<bool> {
        self.io.options().tcp_nodelay()
    }

    /// Sends small writes at once, or gathers them (`TCP_NODELAY`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.io.options().set_tcp_nodelay(nodelay)
    }

    /// Whether acknowledgements are sent at once (`TCP_QUICKACK`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn quickack(&self) -> io::Result<bool> {
        self.io.options().tcp_quickack()
    }

    /// Sends acknowledgements at once, or gathers them; the kernel may change it back (`TCP_QUICKACK`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        self.io.options().set_tcp_quickack(quickack)
    }

    /// How long a close waits for data that was not sent; `None` where it does not wait.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.io.options().linger()
    }

    /// Has a close wait for data that was not sent: it stops the thread that drops the socket.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    #[deprecated = "a close that lingers stops the whole thread on drop: use `set_zero_linger`"]
    pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
        self.io.options().set_linger(dur)
    }

    /// Has a close throw away what was not sent, and reset the connection.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.io.options().set_linger(Some(Duration::ZERO))
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

    /// Takes the error that waits at the socket, if there is one.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.options().take_error()
    }
}
