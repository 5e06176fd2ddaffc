//! Sockets that the standard library made or gets, operations that others make of them, and what
//! they say of themselves.

mod support;

use shinkan::io::Interest;
use shinkan::net::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
};
use shinkan::time::Duration;
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net;
use std::os::unix::net as unix;
use support::{current_thread, is_pending, on_both};

#[test]
fn a_tcp_listener_becomes_one_of_std() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = listener.into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        let client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(listener.accept().unwrap().1, client.local_addr().unwrap());
    });
}

#[test]
fn a_unix_listener_comes_from_std_and_goes_back() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = unix::UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = UnixListener::from_std(listener).unwrap();
        assert!(is_pending(poll_fn(|cx| listener.poll_accept(cx))).await);
        let mut client = unix::UnixStream::connect(&path).unwrap();
        let (stream, address) = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
        assert!(address.is_unnamed());
        client.write_all(b"x").unwrap();
        stream.readable().await.unwrap();
        assert_eq!(stream.try_read(&mut [0; 4]).unwrap(), 1);
        assert!(listener.take_error().unwrap().is_none());
        let listener = listener.into_std().unwrap();
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
        // It still does not wait.
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_udp_socket_comes_from_std_and_goes_back() {
    on_both(|| async {
        let peer = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(peer.local_addr().unwrap()).unwrap();
        peer.connect(socket.local_addr().unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let socket = UdpSocket::from_std(socket).unwrap();
        socket.set_ttl(33).unwrap();
        assert_eq!(socket.ttl().unwrap(), 33);

        let mut bytes = [0; 8];
        let receive = || rustix::io::read(&socket, &mut bytes).map_err(Into::into);
        let error = socket.try_io(Interest::READABLE, receive).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        peer.send(b"word").unwrap();
        let receive = || rustix::io::read(&socket, &mut bytes).map_err(Into::into);
        assert_eq!(socket.async_io(Interest::READABLE, receive).await.unwrap(), 4);
        let send = || rustix::io::write(&socket, &bytes[..4]).map_err(Into::into);
        assert_eq!(socket.async_io(Interest::WRITABLE, send).await.unwrap(), 4);
        assert_eq!(peer.recv(&mut [0; 8]).unwrap(), 4);
        let socket = socket.into_std().unwrap();
        assert_eq!(
            (socket.ttl().unwrap(), socket.peer_addr().unwrap()),
            (33, peer.local_addr().unwrap())
        );
    });
}

#[test]
fn unix_datagrams_come_from_std_and_go_back() {
    on_both(|| async {
        let (a, b) = unix::UnixDatagram::pair().unwrap();
        a.set_nonblocking(true).unwrap();
        let a = UnixDatagram::from_std(a).unwrap();
        assert!(a.local_addr().unwrap().is_unnamed());
        b.send(b"in").unwrap();
        assert_eq!(a.recv(&mut [0; 8]).await.unwrap(), 2);
        let a = a.into_std().unwrap();
        assert_eq!(a.recv(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        a.send(b"out").unwrap();
        assert_eq!(b.recv(&mut [0; 8]).unwrap(), 3);
    });
}

#[test]
fn a_unix_stream_comes_from_std_and_goes_back() {
    on_both(|| async {
        let (near, mut far) = unix::UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let near = UnixStream::from_std(near).unwrap();
        assert!(near.local_addr().unwrap().is_unnamed());
        assert!(near.take_error().unwrap().is_none());
        let both = Interest::READABLE | Interest::WRITABLE;
        let ready = near.ready(both).await.unwrap();
        assert!(ready.is_writable() && !ready.is_readable());
        assert!(is_pending(poll_fn(|cx| near.poll_read_ready(cx))).await);

        far.write_all(b"word").unwrap();
        poll_fn(|cx| near.poll_read_ready(cx)).await.unwrap();
        let mut bytes = Vec::with_capacity(2);
        assert_eq!(near.try_read_buf(&mut bytes).unwrap(), 2);
        assert_eq!(bytes, b"wo");
        let mut rest = [0; 2];
        let read = || rustix::io::read(&near, &mut rest).map_err(Into::into);
        assert_eq!(near.async_io(Interest::READABLE, read).await.unwrap(), 2);
        assert_eq!(&rest, b"rd");
        let read = || rustix::io::read(&near, &mut rest).map_err(Into::into);
        let error = near.try_io(Interest::READABLE, read).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);

        let mut near = near.into_std().unwrap();
        assert_eq!(near.read(&mut rest).unwrap_err().kind(), ErrorKind::WouldBlock);
        near.write_all(b"out").unwrap();
        let mut out = [0; 3];
        far.read_exact(&mut out).unwrap();
        assert_eq!(&out, b"out");
    });
}

#[test]
fn who_is_on_the_other_side() {
    on_both(|| async {
        let (near, _far) = UnixStream::pair().unwrap();
        let peer = near.peer_cred().unwrap();
        assert_eq!(peer.uid(), rustix::process::getuid().as_raw());
        assert_eq!(peer.gid(), rustix::process::getgid().as_raw());
        assert_eq!(peer.pid(), Some(std::process::id().cast_signed()));
    });
}

#[test]
#[allow(deprecated, reason = "the old name is kept, and must do the same")]
fn a_tcp_stream_lingers() {
    current_thread().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        assert!(socket.take_error().unwrap().is_none());
        let stream: TcpStream = socket.connect(listener.local_addr().unwrap()).await.unwrap();
        stream.set_linger(Some(Duration::from_secs(3))).unwrap();
        assert_eq!(stream.linger().unwrap(), Some(Duration::from_secs(3)));
        stream.set_linger(None).unwrap();
        assert_eq!(stream.linger().unwrap(), None);
    });
}
