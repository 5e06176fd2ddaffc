//! Sockets and pipes within this machine.

mod addr;
#[doc(hidden)]
pub mod datagram;
pub(super) mod listener;
pub mod pipe;
pub(super) mod socket;
mod split;
mod split_owned;
pub(super) mod stream;
mod ucred;

pub use addr::SocketAddr;
use datagram::socket::UnixDatagram;
use listener::UnixListener;
pub use split::{ReadHalf, WriteHalf};
pub use split_owned::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
use stream::UnixStream;
pub use ucred::UCred;

/// The number of a user.
#[allow(non_camel_case_types)]
pub type uid_t = u32;

/// The number of a group.
#[allow(non_camel_case_types)]
pub type gid_t = u32;

/// The number of a process.
#[allow(non_camel_case_types)]
pub type pid_t = i32;
