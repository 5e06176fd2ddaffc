//! TCP: streams, their halves, and sockets that are not connected yet.

pub(super) mod listener;
mod options;
pub(super) mod socket;
mod split;
mod split_owned;
pub(super) mod stream;

use listener::TcpListener;
pub use split::{ReadHalf, WriteHalf};
pub use split_owned::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
use stream::TcpStream;
