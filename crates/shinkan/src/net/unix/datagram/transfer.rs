//! Sending and receiving datagrams.

use super::socket::UnixDatagram;
use crate::net::fill;
use crate::net::unix::SocketAddr;
use bytes::BufMut;
use shinkan_driver::ops;
use shinkan_io::ReadBuf;
use std::future::Future;
use std::io;
use std::os::unix::net;
use std::path::Path;
use std::task::{Context, Poll};

fn named<R>(received: io::Result<(R, net::SocketAddr)>) -> io::Result<(R, SocketAddr)> {
    received.map(|(received, from)| (received, SocketAddr(from)))
}

impl UnixDatagram {
    /// Sends a datagram to the socket at a path.
    ///
    /// # Errors
    /// Those of sendto(2), or the runtime has ended.
    ///
    /// # Cancel safety
    /// If it is dropped before it is done, nothing was sent.
    #[track_caller]
    pub fn send_to<P: AsRef<Path>>(
        &self,
        buf: &[u8],
        target: P,
    ) -> impl Future<Output = io::Result<usize>> {
        self.io.put(move || ops::send_to_unix(&self.io, buf, target.as_ref()))
    }

    /// The form of [`UnixDatagram::send_to`] for a hand-written future. At most one task waits in
    /// this way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`UnixDatagram::send_to`].
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: P,
    ) -> Poll<io::Result<usize>> {
        self.io.poll_put(cx, || ops::send_to_unix(&self.io, buf, target.as_ref()))
    }

    /// Sends a datagram to the socket at a path, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; else those of sendto(2).
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        self.io.try_put(|| ops::send_to_unix(&self.io, buf, target.as_ref()))
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

    /// The form of [`UnixDatagram::send`] for a hand-written future. At most one task waits in this
    /// way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`UnixDatagram::send`].
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

    /// The form of [`UnixDatagram::recv`] for a hand-written future. At most one task waits in this
    /// way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`UnixDatagram::recv`].
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

    /// As [`UnixDatagram::recv`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// As [`UnixDatagram::recv`].
    ///
    /// # Cancel safety
    /// No datagram is lost if it is dropped.
    #[track_caller]
    pub fn recv_buf<B: BufMut>(&self, buf: &mut B) -> impl Future<Output = io::Result<usize>> {
        self.io.take(move || fill::buf_mut(buf, |free| ops::recv(&self.io, free)))
    }

    /// As [`UnixDatagram::try_recv`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// As [`UnixDatagram::try_recv`].
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.try_take(|| fill::buf_mut(buf, |free| ops::recv(&self.io, free)))
    }

    /// As [`UnixDatagram::recv`], with the sender's address.
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
        self.io.take(move || named(ops::recv_from_unix(&self.io, &mut *buf)))
    }

    /// The form of [`UnixDatagram::recv_from`] for a hand-written future. At most one task waits in
    /// this way; the last one to poll is woken.
    ///
    /// # Errors
    /// As [`UnixDatagram::recv_from`].
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let recv = || fill::read_buf_from(buf, |free| named(ops::recv_from_unix(&self.io, free)));
        self.io.poll_take(cx, recv).map_ok(|(_, from)| from)
    }

    /// As [`UnixDatagram::try_recv`], with the sender's address.
    ///
    /// # Errors
    /// `WouldBlock` where none is there; else those of recvfrom(2).
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.try_take(|| named(ops::recv_from_unix(&self.io, &mut *buf)))
    }

    /// As [`UnixDatagram::recv_from`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// As [`UnixDatagram::recv_from`].
    ///
    /// # Cancel safety
    /// No datagram is lost if it is dropped.
    #[track_caller]
    pub fn recv_buf_from<B: BufMut>(
        &self,
        buf: &mut B,
    ) -> impl Future<Output = io::Result<(usize, SocketAddr)>> {
        let recv =
            move || fill::buf_mut_from(buf, |free| named(ops::recv_from_unix(&self.io, free)));
        self.io.take(recv)
    }

    /// As [`UnixDatagram::try_recv_from`], into the next chunk of a buffer, which is advanced.
    ///
    /// # Errors
    /// As [`UnixDatagram::try_recv_from`].
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        let recv = || fill::buf_mut_from(buf, |free| named(ops::recv_from_unix(&self.io, free)));
        self.io.try_take(recv)
    }
}
