//! The polled methods of sockets, and those that try: what they find, and that they leave a waker
//! where they find nothing.

mod support;

use shinkan::io::ReadBuf;
use shinkan::net::{TcpListener, TcpStream, UdpSocket, UnixStream};
use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::pin;
use support::{Woken, on_both, udp_pair as pair};

#[test]
fn a_datagram_is_looked_at_and_then_taken() {
    on_both(|| async {
        let (a, b) = pair().await;
        let from = a.local_addr().unwrap();
        poll_fn(|cx| a.poll_send_ready(cx)).await.unwrap();
        assert_eq!(poll_fn(|cx| a.poll_send(cx, b"word")).await.unwrap(), 4);
        poll_fn(|cx| b.poll_recv_ready(cx)).await.unwrap();

        let mut storage = [0; 16];
        let mut buf = ReadBuf::new(&mut storage);
        poll_fn(|cx| b.poll_peek(cx, &mut buf)).await.unwrap();
        assert_eq!(buf.filled(), b"word");
        buf.clear();
        assert_eq!(poll_fn(|cx| b.poll_peek_from(cx, &mut buf)).await.unwrap(), from);
        assert_eq!(buf.filled(), b"word");
        assert_eq!(poll_fn(|cx| b.poll_peek_sender(cx)).await.unwrap(), from);
        let mut bytes = [0; 2];
        // A datagram that is longer than the buffer is cut.
        assert_eq!(b.try_peek_from(&mut bytes).unwrap(), (2, from));
        assert_eq!(b.try_peek_sender().unwrap(), from);
        assert_eq!(b.try_peek(&mut bytes).unwrap(), 2);

        buf.clear();
        assert_eq!(poll_fn(|cx| b.poll_recv_from(cx, &mut buf)).await.unwrap(), from);
        assert_eq!(buf.filled(), b"word");
        assert_eq!(b.try_peek_from(&mut bytes).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(b.try_peek_sender().unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn datagrams_to_an_address() {
    on_both(|| async {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (from, to) = (a.local_addr().unwrap(), b.local_addr().unwrap());
        a.writable().await.unwrap();
        assert_eq!(a.try_send_to(b"one", to).unwrap(), 3);
        assert_eq!(poll_fn(|cx| a.poll_send_to(cx, b"two", to)).await.unwrap(), 3);
        let mut bytes = Vec::with_capacity(16);
        // Over loopback the second stands behind the first.
        for word in ["one", "two"] {
            bytes.clear();
            loop {
                b.readable().await.unwrap();
                match b.try_recv_buf_from(&mut bytes) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    received => {
                        assert_eq!(received.unwrap(), (3, from));
                        break;
                    }
                }
            }
            assert_eq!(bytes, word.as_bytes());
        }
        let error = b.try_recv_buf_from(&mut bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_buffer_that_grows_takes_a_datagram() {
    on_both(|| async {
        let (a, b) = pair().await;
        a.send(b"word").await.unwrap();
        let mut bytes = Vec::with_capacity(16);
        loop {
            b.readable().await.unwrap();
            match b.try_recv_buf(&mut bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                received => {
                    assert_eq!(received.unwrap(), 4);
                    break;
                }
            }
        }
        assert_eq!(bytes, b"word");
    });
}

#[test]
fn a_poll_that_waits_is_woken() {
    on_both(|| async {
        let (a, b) = pair().await;
        let woken = Woken::new();
        let mut waits = pin!(poll_fn(|cx| b.poll_recv_ready(cx)));
        assert!(woken.poll(waits.as_mut()).is_pending());
        a.send(b"x").await.unwrap();
        woken.wait().await;
        waits.await.unwrap();
    });
}

#[test]
fn streams_are_peeked_and_ready_to_write() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut there, _) = listener.accept().await.unwrap();
        poll_fn(|cx| here.poll_write_ready(cx)).await.unwrap();
        assert_eq!(here.try_write(b"word").unwrap(), 4);
        let mut storage = [0; 16];
        let mut buf = ReadBuf::new(&mut storage);
        assert_eq!(poll_fn(|cx| there.poll_peek(cx, &mut buf)).await.unwrap(), 4);
        assert_eq!(buf.filled(), b"word");
        buf.clear();
        let (mut read, _write) = there.split();
        assert_eq!(poll_fn(|cx| read.poll_peek(cx, &mut buf)).await.unwrap(), 4);
        buf.clear();
        let (mut read, _write) = there.into_split();
        assert_eq!(poll_fn(|cx| read.poll_peek(cx, &mut buf)).await.unwrap(), 4);
        assert_eq!(buf.filled(), b"word");

        let (here, _there) = UnixStream::pair().unwrap();
        poll_fn(|cx| here.poll_write_ready(cx)).await.unwrap();
        assert_eq!(here.try_write(b"x").unwrap(), 1);
    });
}
