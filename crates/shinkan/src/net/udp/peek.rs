//! Looking at the next datagram without taking it.

use super::UdpSocket;
use crate::net::fill;
use shinkan_driver::ops;
use shinkan_io::ReadBuf;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

impl UdpSocket {
    /// Waits for a datagram of the peer and copies it; it stays to be received.
    ///
    /// # Errors
    /// Those of recv(2), or the runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn peek(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.io.take(move || ops::peek(&self.io, &mut *buf))
    }

    /// The form of [`UdpSocket::peek`] for a hand-written future.
    ///
    /// # Errors
    /// As [`UdpSocket::peek`].
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.io.poll_take(cx, || fill::read_buf(buf, |free| ops::peek(&self.io, free))).map_ok(drop)
    }

    /// Copies a datagram that is there; it stays to be received.
    ///
    /// # Errors
    /// `WouldBlock` where none is there; else those of recv(2).
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.try_take(|| ops::peek(&self.io, &mut *buf))
    }

    /// As [`UdpSocket::peek`], with the sender's address.
    ///
    /// # Errors
    /// Those of recvfrom(2), or the runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn peek_from(
        &self,
        buf: &mut [u8],
    ) -> impl Future<Output = io::Result<(usize, SocketAddr)>> {
        self.io.take(move || ops::peek_from(&self.io, &mut *buf))
    }

    /// The form of [`UdpSocket::peek_from`] for a hand-written future.
    ///
    /// # Errors
    /// As [`UdpSocket::peek_from`].
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let peek = || fill::read_buf_from(buf, |free| ops::peek_from(&self.io, free));
        self.io.poll_take(cx, peek).map_ok(|(_, from)| from)
    }

    /// As [`UdpSocket::try_peek`], with the sender's address.
    ///
    /// # Errors
    /// `WouldBlock` where none is there; else those of recvfrom(2).
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.try_take(|| ops::peek_from(&self.io, &mut *buf))
    }

    /// Waits for a datagram and gives its sender's address; it stays to be received.
    ///
    /// # Errors
    /// Those of recvfrom(2), or the runtime has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped.
    #[track_caller]
    pub fn peek_sender(&self) -> impl Future<Output = io::Result<SocketAddr>> {
        self.io.take(|| self.sender())
    }

    /// The form of [`UdpSocket::peek_sender`] for a hand-written future.
    ///
    /// # Errors
    /// As [`UdpSocket::peek_sender`].
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        self.io.poll_take(cx, || self.sender())
    }

    /// Gives the sender's address of a datagram that is there; it stays to be received.
    ///
    /// # Errors
    /// `WouldBlock` where none is there; else those of recvfrom(2).
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        self.io.try_take(|| self.sender())
    }

    fn sender(&self) -> io::Result<SocketAddr> {
        ops::peek_from(&self.io, &mut [0u8; 0]).map(|(_, from)| from)
    }
}
