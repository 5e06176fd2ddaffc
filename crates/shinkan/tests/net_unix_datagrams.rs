//! Datagrams within the machine: polled, tried, into buffers that grow; and how a socket ends.

mod support;

use shinkan::io::{Interest, ReadBuf};
use shinkan::net::UnixDatagram;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::Shutdown;
use support::{is_pending, on_both};

#[test]
fn between_two_by_polling() {
    on_both(|| async {
        let (a, b) = UnixDatagram::pair().unwrap();
        let mut storage = [0; 16];
        let mut buf = ReadBuf::new(&mut storage);
        assert!(is_pending(poll_fn(|cx| b.poll_recv_ready(cx))).await);
        poll_fn(|cx| a.poll_send_ready(cx)).await.unwrap();
        assert_eq!(poll_fn(|cx| a.poll_send(cx, b"word")).await.unwrap(), 4);
        poll_fn(|cx| b.poll_recv_ready(cx)).await.unwrap();
        poll_fn(|cx| b.poll_recv(cx, &mut buf)).await.unwrap();
        assert_eq!(buf.filled(), b"word");
        assert!(is_pending(poll_fn(|cx| b.poll_recv(cx, &mut buf))).await);
    });
}

#[test]
fn to_a_path_by_polling_and_by_trying() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        let a = UnixDatagram::bind(&from).unwrap();
        a.writable().await.unwrap();
        let error = a.try_send_to(b"nobody", &to).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let b = UnixDatagram::bind(&to).unwrap();
        assert_eq!(b.local_addr().unwrap().as_pathname(), Some(&*to));

        let mut bytes = [0; 16];
        let error = b.try_recv_from(&mut bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert_eq!(poll_fn(|cx| a.poll_send_to(cx, b"polled", &to)).await.unwrap(), 6);
        let mut buf = ReadBuf::new(&mut bytes);
        let sender = poll_fn(|cx| b.poll_recv_from(cx, &mut buf)).await.unwrap();
        assert_eq!((sender.as_pathname(), buf.filled()), (Some(&*from), &b"polled"[..]));

        assert_eq!(a.try_send_to(b"tried", &to).unwrap(), 5);
        b.readable().await.unwrap();
        let (n, sender) = b.try_recv_from(&mut bytes).unwrap();
        assert_eq!((sender.as_pathname(), &bytes[..n]), (Some(&*from), &b"tried"[..]));
    });
}

#[test]
fn into_buffers_that_grow() {
    on_both(|| async {
        let (a, b) = UnixDatagram::pair().unwrap();
        let mut bytes = Vec::with_capacity(16);
        a.send(b"one").await.unwrap();
        assert_eq!(b.recv_buf(&mut bytes).await.unwrap(), 3);
        a.send(b"two").await.unwrap();
        b.readable().await.unwrap();
        assert_eq!(b.try_recv_buf(&mut bytes).unwrap(), 3);
        assert_eq!(b.try_recv_buf(&mut bytes).unwrap_err().kind(), ErrorKind::WouldBlock);
        a.send(b"three").await.unwrap();
        let (n, sender) = b.recv_buf_from(&mut bytes).await.unwrap();
        assert!(n == 5 && sender.is_unnamed());
        a.send(b"four").await.unwrap();
        b.readable().await.unwrap();
        let (n, sender) = b.try_recv_buf_from(&mut bytes).unwrap();
        assert!(n == 4 && sender.is_unnamed());
        assert_eq!(bytes, b"onetwothreefour");
    });
}

#[test]
fn operations_of_others() {
    on_both(|| async {
        let (a, b) = UnixDatagram::pair().unwrap();
        let mut bytes = [0; 16];
        let error = b.try_recv(&mut bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let send = || rustix::io::write(&a, b"word").map_err(Into::into);
        assert_eq!(a.async_io(Interest::WRITABLE, send).await.unwrap(), 4);
        let receive = || rustix::io::read(&b, &mut bytes).map_err(Into::into);
        assert_eq!(b.async_io(Interest::READABLE, receive).await.unwrap(), 4);
        assert_eq!(&bytes[..4], b"word");
        assert_eq!(a.try_io(Interest::WRITABLE, || a.try_send(b"again")).unwrap(), 5);
        b.readable().await.unwrap();
        assert_eq!(b.try_recv(&mut bytes).unwrap(), 5);
        let receive = || rustix::io::read(&b, &mut bytes).map_err(Into::into);
        let error = b.try_io(Interest::READABLE, receive).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        // That said that nothing is there, so the socket waits for an event again.
        assert!(is_pending(b.readable()).await);
    });
}

#[test]
fn a_direction_is_closed() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        let (a, b) = (UnixDatagram::unbound().unwrap(), UnixDatagram::bind(&path).unwrap());
        a.connect(&path).unwrap();
        assert_eq!(a.peer_addr().unwrap().as_pathname(), Some(&*path));
        b.shutdown(Shutdown::Read).unwrap();
        assert_eq!(a.send(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert!(a.take_error().unwrap().is_none());
    });
}
