//! Options of sockets: what was set is what is read back, and where it is not for every socket the
//! error is the kernel's.

mod support;

use shinkan::net::{TcpListener, TcpSocket, TcpStream, UdpSocket, UnixListener, UnixStream};
use shinkan::time::Duration;
use std::net::{Ipv4Addr, Ipv6Addr};
use support::current_thread;

#[test]
fn of_a_socket_that_is_not_connected() {
    let _runtime = current_thread();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseport(true).unwrap();
    assert!(socket.reuseport().unwrap());
    socket.set_reuseaddr(true).unwrap();
    assert!(socket.reuseaddr().unwrap());
    socket.set_keepalive(true).unwrap();
    assert!(socket.keepalive().unwrap());
    socket.set_nodelay(true).unwrap();
    assert!(socket.nodelay().unwrap());
    // The kernel doubles what is asked for, and has a least of its own.
    socket.set_send_buffer_size(64 * 1024).unwrap();
    assert!(socket.send_buffer_size().unwrap() >= 64 * 1024);
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    assert!(socket.recv_buffer_size().unwrap() >= 64 * 1024);
    socket.set_tos_v4(0x10).unwrap();
    assert_eq!(socket.tos_v4().unwrap(), 0x10);
    socket.set_zero_linger().unwrap();
    assert_eq!(socket.linger().unwrap(), Some(Duration::ZERO));
    assert_eq!(socket.device().unwrap(), None);
    assert!(socket.bind_device(Some(b"no-such-device")).is_err());
}

#[test]
#[allow(deprecated, reason = "the old name is kept, and must do the same")]
fn a_linger_in_whole_seconds() {
    let _runtime = current_thread();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_linger(Some(Duration::from_secs(3))).unwrap();
    assert_eq!(socket.linger().unwrap(), Some(Duration::from_secs(3)));
    socket.set_linger(None).unwrap();
    assert_eq!(socket.linger().unwrap(), None);
}

#[test]
fn of_the_sixth_version_where_the_machine_has_it() {
    let _runtime = current_thread();
    let Ok(socket) = TcpSocket::new_v6() else { return };
    socket.set_tclass_v6(0x20).unwrap();
    assert_eq!(socket.tclass_v6().unwrap(), 0x20);
}

#[test]
fn of_a_stream() {
    current_thread().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        stream.set_zero_linger().unwrap();
        assert_eq!(stream.linger().unwrap(), Some(Duration::ZERO));
        stream.set_quickack(true).unwrap();
        assert!(stream.quickack().unwrap());
        stream.set_nodelay(true).unwrap();
        assert!(stream.nodelay().unwrap());
        stream.set_ttl(12).unwrap();
        assert_eq!(stream.ttl().unwrap(), 12);
    });
}

#[test]
fn a_socket_that_std_connected() {
    current_thread().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let standard = std::net::TcpStream::connect(address).unwrap();
        let local = standard.local_addr().unwrap();
        let socket = TcpSocket::from_std_stream(standard);
        assert_eq!(socket.local_addr().unwrap(), local);
        // The kernel refuses a second connection, not this crate.
        assert!(socket.connect(address).await.is_err());
    });
}

#[test]
fn of_datagrams() {
    current_thread().block_on(async {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.set_broadcast(true).unwrap();
        assert!(socket.broadcast().unwrap());
        socket.set_multicast_loop_v4(false).unwrap();
        assert!(!socket.multicast_loop_v4().unwrap());
        socket.set_multicast_ttl_v4(7).unwrap();
        assert_eq!(socket.multicast_ttl_v4().unwrap(), 7);
        socket.set_tos_v4(0x10).unwrap();
        assert_eq!(socket.tos_v4().unwrap(), 0x10);
        assert_eq!(socket.device().unwrap(), None);
        assert!(socket.bind_device(Some(b"no-such-device")).is_err());
        assert!(socket.take_error().unwrap().is_none());
    });
}

#[test]
fn groups_are_joined_and_left() {
    current_thread().block_on(async {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let group = Ipv4Addr::new(239, 1, 2, 3);
        socket.join_multicast_v4(group, Ipv4Addr::LOCALHOST).unwrap();
        assert!(socket.join_multicast_v4(group, Ipv4Addr::LOCALHOST).is_err(), "twice");
        socket.leave_multicast_v4(group, Ipv4Addr::LOCALHOST).unwrap();
        assert!(socket.leave_multicast_v4(group, Ipv4Addr::LOCALHOST).is_err(), "not in it");

        let Ok(socket) = UdpSocket::bind("[::1]:0").await else { return };
        socket.set_multicast_loop_v6(false).unwrap();
        assert!(!socket.multicast_loop_v6().unwrap());
        socket.set_tclass_v6(0x20).unwrap();
        assert_eq!(socket.tclass_v6().unwrap(), 0x20);
        let group: Ipv6Addr = "ff02::1234".parse().unwrap();
        // Not every machine has an interface that takes groups.
        if socket.join_multicast_v6(&group, 0).is_ok() {
            socket.leave_multicast_v6(&group, 0).unwrap();
        }
        assert!(socket.leave_multicast_v6(&group, 0).is_err(), "not in it");
    });
}

#[test]
fn an_address_of_std_is_bound() {
    current_thread().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let address = std::os::unix::net::SocketAddr::from_pathname(&path).unwrap();
        let listener = UnixListener::bind_addr(&address.into()).unwrap();
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
        drop(UnixStream::connect(&path).await.unwrap());
    });
}
