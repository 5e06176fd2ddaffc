//! The errors of the broadcast channel.

use core::fmt;

/// There is no receiver; here is the message.
#[derive(Debug)]
pub struct SendError<T>(pub T);

/// Why no message was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// All senders were dropped, and all messages were received.
    Closed,
    /// So many messages were overwritten before this receiver got them. The next call returns the
    /// oldest that is left.
    Lagged(u64),
}

/// Why there is no message now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// One may come later.
    Empty,
    /// All senders were dropped, and all messages were received.
    Closed,
    /// So many messages were overwritten before this receiver got them. The next call returns the
    /// oldest that is left.
    Lagged(u64),
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T: fmt::Debug> std::error::Error for SendError<T> {}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("channel closed"),
            Self::Lagged(n) => write!(f, "channel lagged by {n}"),
        }
    }
}

impl std::error::Error for RecvError {}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("channel empty"),
            Self::Closed => f.write_str("channel closed"),
            Self::Lagged(n) => write!(f, "channel lagged by {n}"),
        }
    }
}

impl std::error::Error for TryRecvError {}
