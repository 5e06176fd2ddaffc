//! TCP, UDP and Unix sockets.
//!
//! Sockets are registered with the runtime that the calling task runs on, once, for their life;
//! a runtime that ends leaves them with an error for every wait. They may be used from any thread
//! and any runtime.
//!
//! Each future that waits is made by a function that notes its place, so that a dump of the
//! program says which line waits for which socket.

mod addr;
pub(crate) mod async_fd;
mod carrier;
mod delegate;
mod fill;
mod lookup_host;
mod raw_fd;
mod sock;
pub mod tcp;
mod udp;
pub mod unix;

pub use addr::ToSocketAddrs;
pub use lookup_host::lookup_host;
pub use tcp::listener::TcpListener;
pub use tcp::socket::TcpSocket;
pub use tcp::stream::TcpStream;
pub use udp::UdpSocket;
pub use unix::datagram::socket::UnixDatagram;
pub use unix::listener::UnixListener;
pub use unix::socket::UnixSocket;
pub use unix::stream::UnixStream;
