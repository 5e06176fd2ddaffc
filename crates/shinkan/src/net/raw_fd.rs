//! Sockets that are made from numbers.

#![allow(unsafe_code)]

use super::{TcpSocket, UnixSocket};
use shinkan_driver::ops::Socket;
use std::os::fd::{FromRawFd, RawFd};

impl FromRawFd for TcpSocket {
    /// Takes over a descriptor, which must be a TCP socket that does not block.
    unsafe fn from_raw_fd(fd: RawFd) -> TcpSocket {
        // SAFETY: open, a socket's, and ours alone: the caller's word.
        TcpSocket::from_socket(unsafe { Socket::from_raw_fd(fd) })
    }
}

impl FromRawFd for UnixSocket {
    /// Takes over a descriptor, which must be a Unix socket that does not block.
    unsafe fn from_raw_fd(fd: RawFd) -> UnixSocket {
        // SAFETY: open, a socket's, and ours alone: the caller's word.
        UnixSocket::from_socket(unsafe { Socket::from_raw_fd(fd) })
    }
}
