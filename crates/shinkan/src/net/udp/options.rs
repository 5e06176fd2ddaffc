//! The options of a UDP socket.

use super::UdpSocket;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

impl UdpSocket {
    /// Whether it may send to everybody on a network (`SO_BROADCAST`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn broadcast(&self) -> io::Result<bool> {
        self.io.options().broadcast()
    }

    /// Allows sending to everybody on a network (`SO_BROADCAST`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.io.options().set_broadcast(broadcast)
    }

    /// Whether this machine hears what it sends to a group (`IP_MULTICAST_LOOP`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.io.options().multicast_loop_v4()
    }

    /// Has this machine hear what it sends to a group (`IP_MULTICAST_LOOP`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_multicast_loop_v4(&self, multicast_loop_v4: bool) -> io::Result<()> {
        self.io.options().set_multicast_loop_v4(multicast_loop_v4)
    }

    /// How many hops a packet to a group may take (`IP_MULTICAST_TTL`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.io.options().multicast_ttl_v4()
    }

    /// Sets how many hops a packet to a group may take (`IP_MULTICAST_TTL`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_multicast_ttl_v4(&self, multicast_ttl_v4: u32) -> io::Result<()> {
        self.io.options().set_multicast_ttl_v4(multicast_ttl_v4)
    }

    /// Whether this machine hears what it sends to a group (`IPV6_MULTICAST_LOOP`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.io.options().multicast_loop_v6()
    }

    /// Has this machine hear what it sends to a group (`IPV6_MULTICAST_LOOP`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_multicast_loop_v6(&self, multicast_loop_v6: bool) -> io::Result<()> {
        self.io.options().set_multicast_loop_v6(multicast_loop_v6)
    }

    /// The traffic class of IPv6 packets (`IPV6_TCLASS`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn tclass_v6(&self) -> io::Result<u32> {
        self.io.options().tclass_v6()
    }

    /// Sets the traffic class of IPv6 packets (`IPV6_TCLASS`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_tclass_v6(&self, tclass_v6: u32) -> io::Result<()> {
        self.io.options().set_tclass_v6(tclass_v6)
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

    /// The type of service of IPv4 packets (`IP_TOS`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn tos_v4(&self) -> io::Result<u32> {
        self.io.options().tos_v4()
    }

    /// Sets the type of service of IPv4 packets (`IP_TOS`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn set_tos_v4(&self, tos_v4: u32) -> io::Result<()> {
        self.io.options().set_tos_v4(tos_v4)
    }

    /// The old name of [`UdpSocket::tos_v4`].
    #[doc(hidden)]
    #[deprecated(note = "the option is of IPv4 alone: use `tos_v4`")]
    pub fn tos(&self) -> io::Result<u32> {
        self.tos_v4()
    }

    /// The old name of [`UdpSocket::set_tos_v4`].
    #[doc(hidden)]
    #[deprecated(note = "the option is of IPv4 alone: use `set_tos_v4`")]
    pub fn set_tos(&self, tos: u32) -> io::Result<()> {
        self.set_tos_v4(tos)
    }

    /// The interface to which it is bound, if it is (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        self.io.options().device()
    }

    /// Binds it to an interface, or to none (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.io.options().bind_device(interface)
    }

    /// Joins a group of receivers, on the interface with the given address (`IP_ADD_MEMBERSHIP`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn join_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.io.options().join_multicast_v4(&multiaddr, &interface)
    }

    /// Joins a group of receivers, on the interface with the given number; 0 is any.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.io.options().join_multicast_v6(multiaddr, interface)
    }

    /// Leaves a group of receivers, on the interface with the given address (`IP_DROP_MEMBERSHIP`).
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn leave_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.io.options().leave_multicast_v4(&multiaddr, &interface)
    }

    /// Leaves a group of receivers, on the interface with the given number; 0 is any.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.io.options().leave_multicast_v6(multiaddr, interface)
    }
}
