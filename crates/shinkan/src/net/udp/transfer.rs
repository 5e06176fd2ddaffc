//! Sending and receiving datagrams.

use super::UdpSocket;
use crate::net::addr::{ToSocketAddrs, none, resolve};
use crate::net::fill;
use bytes::BufMut;
use shinkan_base::wait::WaitKind;
use shinkan_driver::{Interest, ops};
use shinkan_io::ReadBuf;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::task::{Context, Poll};

impl UdpSocket {
    /// Sends a datagram to the first address of a name.
    ///
    /// # Errors
    /// Those of sendto(2) or of the name service; `InvalidInput` where the name has no address.
    ///
    /// # Cancel safety
    /// If it is dropped before it is done, nothing was sent.
    #[track_caller]
    pub fn send_to<A: ToSocketAddrs>(
        &self,
        buf: &[u8],
        addr: A,
    ) -> impl Future<Output = io::Result<usize>> {
        let place = Location::caller();
        async move {
            let target = resolve(addr, place).await?.next().ok_or_else(none)?;
            let send = || ops::send_to(&self.io, buf, &target);
            self.io.source().async_io(Interest::WRITABLE, WaitKind::Send, place, send).await
        }
    }

    /// The form of [`UdpSocket::send_to`] for a hand-written future. At most one task waits in
    /// this way; the last one to poll is woken.
    ///
    /// # Errors
    /// Those of sendto(2), or the runtime has ended.
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.io.poll_put(cx, || ops::send_to(&self.io, buf, &target))
    }

    /// Sends a datagram to an address, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; else those of sendto(2).
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.io.try_put(|| ops::send_to(&self.io, buf, &target))
    }

    /// Sends a datagram to the peer, to which the socket must be connected.
    ///
    /// # Errors
    /// Those of send(2), or the runtime has ended.
    ///
    /// # Cancel safety
    /// If it is dropped before it is done, nothing was sent.
    #[track_caller]
    pub fn send(&self, buf: &[u8]) -> impl Future<Output = io::Result<usize>> {
        self.io.put(move || ops::send(&self.io, buf))
    }

    /// The form of [`UdpSocket::send`] for a hand-written future. At most one task waits in this
    /// way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`UdpSocket::send`].
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.poll_put(cx, || ops::send(&self.io, buf))
    }

    /// Sends a datagram to the peer, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; else those of send(2).
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.try_put(|| ops::send(&self.io, buf))
    }

    /// Waits for a datagram. What has no room in `buf` is lost.
    ///
    /// # Errors
    /// Those of recv(2), or the runtime has ended.
    ///
    /// # Cancel safety
    /// No datagram is lost if it is dropped.
    #[track_caller]
    pub fn recv(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.io.take(move || ops::recv(&self.io, &mut *buf))
    }

    /// The form of [`UdpSocket::recv`] for a hand-written future. At most one task waits in this
    /// way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`UdpSocket::recv`].
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.io.poll_take(cx, || fill::read_buf(buf, |free| ops::recv(&self.io, free))).map_ok(drop)
    }

    /// Takes a datagram that is there. What has no room in `buf` is lost.
    ///
    /// # Errors
    /// `WouldBlock` where none is there; else those of recv(2).
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.try_take(|| ops::recv(&self.io, &mut *buf))
    }

    /// As [`UdpSocket::recv`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// As [`UdpSocket::recv`].
    ///
    /// # Cancel safety
    /// No datagram is lost if it is dropped.
    #[track_caller]
    pub fn recv_buf<B: BufMut>(&self, buf: &mut B) -> impl Future<Output = io::Result<usize>> {
        self.io.take(move || fill::buf_mut(buf, |free| ops::recv(&self.io, free)))
    }

    /// As [`UdpSocket::try_recv`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// As [`UdpSocket::try_recv`].
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.try_take(|| fill::buf_mut(buf, |free| ops::recv(&self.io, free)))
    }

    /// As [`UdpSocket::recv`], with the sender's address.
    ///
    /// # Errors
    /// Those of recvfrom(2), or the runtime has ended.
    ///
    /// # Cancel safety
    /// No datagram is lost if it is dropped.
    #[track_caller]
    pub fn recv_from(
        &self,
        buf: &mut [u8],
    ) -> impl Future<Output = io::Result<(usize, SocketAddr)>> {
        self.io.take(move || ops::recv_from(&self.io, &mut *buf))
    }

    /// The form of [`UdpSocket::recv_from`] for a hand-written future. At most one task waits in
    /// this way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`UdpSocket::recv_from`].
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let recv = || fill::read_buf_from(buf, |free| ops::recv_from(&self.io, free));
        self.io.poll_take(cx, recv).map_ok(|(_, from)| from)
    }

    /// As [`UdpSocket::try_recv`], with the sender's address.
    ///
    /// # Errors
    /// `WouldBlock` where none is there; else those of recvfrom(2).
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.try_take(|| ops::recv_from(&self.io, &mut *buf))
    }

    /// As [`UdpSocket::recv_from`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// As [`UdpSocket::recv_from`].
    ///
    /// # Cancel safety
    /// No datagram is lost if it is dropped.
    #[track_caller]
    pub fn recv_buf_from<B: BufMut>(
        &self,
        buf: &mut B,
    ) -> impl Future<Output = io::Result<(usize, SocketAddr)>> {
        self.io.take(move || fill::buf_mut_from(buf, |free| ops::recv_from(&self.io, free)))
    }

    /// As [`UdpSocket::try_recv_from`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// As [`UdpSocket::try_recv_from`].
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        self.io.try_take(|| fill::buf_mut_from(buf, |free| ops::recv_from(&self.io, free)))
    }
}
