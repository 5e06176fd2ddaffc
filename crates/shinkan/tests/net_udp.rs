//! UDP sockets, by situation.

mod support;

use shinkan::net::{UdpSocket, lookup_host};
use shinkan_io::ReadBuf;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::sync::Arc;
use support::{is_pending, on_both, udp_pair as pair};

#[test]
fn datagrams_go_both_ways_with_and_without_a_peer() {
    on_both(|| async {
        let (a, b) = pair().await;
        assert_eq!(a.send(b"one").await.unwrap(), 3);
        let mut buf = [0; 16];
        assert_eq!(b.recv(&mut buf).await.unwrap(), 3);
        assert_eq!(a.peer_addr().unwrap(), b.local_addr().unwrap());

        let c = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let d = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = d.local_addr().unwrap();
        assert_eq!(c.send_to(b"four", to).await.unwrap(), 4);
        assert_eq!(d.peek_sender().await.unwrap(), c.local_addr().unwrap());
        assert_eq!(d.peek_from(&mut buf).await.unwrap(), (4, c.local_addr().unwrap()));
        let mut bytes = bytes::BytesMut::with_capacity(64);
        let (n, from) = d.recv_buf_from(&mut bytes).await.unwrap();
        assert_eq!((n, &bytes[..], from), (4, &b"four"[..], c.local_addr().unwrap()));
        assert_eq!(c.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
    });
}

#[test]
fn a_datagram_without_bytes_is_one() {
    on_both(|| async {
        let (a, b) = pair().await;
        a.send(b"").await.unwrap();
        assert_eq!(b.recv(&mut [0; 4]).await.unwrap(), 0);
        assert!(is_pending(b.recv(&mut [0; 4])).await);
    });
}

#[test]
fn a_short_datagram_does_not_hide_the_next_one() {
    on_both(|| async {
        let (a, b) = pair().await;
        a.send(b"1").await.unwrap();
        a.send(b"2").await.unwrap();
        let mut storage = [0; 64];
        for expected in [b"1", b"2"] {
            let mut buf = ReadBuf::new(&mut storage);
            poll_fn(|cx| b.poll_recv(cx, &mut buf)).await.unwrap();
            assert_eq!(buf.filled(), expected);
        }
    });
}

#[test]
fn two_tasks_share_a_socket() {
    on_both(|| async {
        let (a, b) = pair().await;
        let (a, b) = (Arc::new(a), Arc::new(b));
        let receiver = shinkan_rt::spawn({
            let b = b.clone();
            async move {
                for i in 0..200u8 {
                    let mut buf = [0; 8];
                    assert_eq!(b.recv(&mut buf).await.unwrap(), 1);
                    assert_eq!(buf[0], i);
                    b.send(&buf[..1]).await.unwrap();
                }
            }
        });
        for i in 0..200u8 {
            a.send(&[i]).await.unwrap();
            let mut buf = [0; 8];
            a.recv(&mut buf).await.unwrap();
            assert_eq!(buf[0], i);
        }
        receiver.await.unwrap();
    });
}

#[test]
fn a_try_says_would_block_until_there_is_something() {
    on_both(|| async {
        let (a, b) = pair().await;
        let mut buf = [0; 8];
        assert_eq!(b.try_recv(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        a.writable().await.unwrap();
        assert_eq!(a.try_send(b"x").unwrap(), 1);
        b.readable().await.unwrap();
        assert_eq!(b.try_peek(&mut buf).unwrap(), 1);
        assert_eq!(b.try_recv_from(&mut buf).unwrap().0, 1);
        assert_eq!(b.try_recv_from(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn nobody_is_there_to_receive() {
    on_both(|| async {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        a.connect(gone).await.unwrap();
        a.send(b"1").await.unwrap();
        let error = a.recv(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn names_are_looked_up_and_addresses_are_taken_as_they_are() {
    on_both(|| async {
        let addr = "127.0.0.1:80".parse().unwrap();
        assert_eq!(lookup_host("127.0.0.1:80").await.unwrap().collect::<Vec<_>>(), [addr]);
        assert_eq!(lookup_host(("127.0.0.1", 80)).await.unwrap().collect::<Vec<_>>(), [addr]);
        assert_eq!(lookup_host(&[addr][..]).await.unwrap().collect::<Vec<_>>(), [addr]);
        let mut names = lookup_host(("localhost".to_owned(), 80)).await.unwrap();
        assert!(names.all(|addr| addr.ip().is_loopback()));
        assert_eq!(lookup_host("no port").await.err().unwrap().kind(), ErrorKind::InvalidInput);
    });
}
