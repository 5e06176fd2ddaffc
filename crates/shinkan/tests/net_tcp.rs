//! TCP streams and listeners, by situation.

mod support;

use shinkan::net::{TcpListener, TcpSocket, TcpStream};
use shinkan_driver::{Interest, Ready};
use shinkan_io::{AsyncReadExt, AsyncWriteExt};
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use support::{current_thread, is_pending, on_both};

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    (client, server)
}

#[test]
fn what_is_sent_comes_back() {
    on_both(|| async {
        let (mut client, mut server) = pair().await;
        let echo = shinkan_rt::spawn(async move {
            let mut buf = [0; 1_000];
            loop {
                match server.read(&mut buf).await.unwrap() {
                    0 => return,
                    n => server.write_all(&buf[..n]).await.unwrap(),
                }
            }
        });
        let sent: Vec<u8> = (0..300_000u32).map(|i| i as u8).collect();
        let mut received = vec![0; sent.len()];
        for (out, back) in sent.chunks(30_000).zip(received.chunks_mut(30_000)) {
            client.write_all(out).await.unwrap();
            client.read_exact(back).await.unwrap();
        }
        assert!(sent == received);
        client.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        echo.await.unwrap();
    });
}

#[test]
fn more_than_the_buffers_hold_waits_for_the_reader() {
    on_both(|| async {
        let (client, mut server) = pair().await;
        let (mut read, mut write) = client.into_split();
        let total = 8 << 20;
        let writer = shinkan_rt::spawn(async move {
            write.write_all(&vec![7; total]).await.unwrap();
            // Dropping the half ends the peer's input.
        });
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.unwrap();
        assert!(all.len() == total && all.iter().all(|byte| *byte == 7));
        writer.await.unwrap();
        server.write_all(b"late").await.unwrap();
        drop(server);
        let mut rest = Vec::new();
        read.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"late");
    });
}

#[test]
fn a_half_close_lets_the_other_direction_go_on() {
    on_both(|| async {
        let (mut client, mut server) = pair().await;
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = String::new();
        server.read_to_string(&mut question).await.unwrap();
        server.write_all(question.to_uppercase().as_bytes()).await.unwrap();
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "QUESTION");
        // The peer is gone, and was told before.
        client.shutdown().await.unwrap();
    });
}

#[test]
fn the_halves_of_one_stream_and_no_others_are_put_together() {
    on_both(|| async {
        let (client, mut server) = pair().await;
        let (read, write) = client.into_split();
        let (server_read, server_write) = pair().await.0.into_split();
        let error = read.reunite(server_write).unwrap_err();
        assert!(error.to_string().contains("same stream"));
        let (read, _server_write) = (error.0, error.1);
        drop(server_read);
        let mut client = read.reunite(write).unwrap();
        {
            let (mut read, mut write) = client.split();
            write.write_all(b"x").await.unwrap();
            server.write_all(b"y").await.unwrap();
            assert_eq!(read.read_u8().await.unwrap(), b'y');
        }
        assert_eq!(server.read_u8().await.unwrap(), b'x');
    });
}

#[test]
fn a_forgotten_half_does_not_end_the_peers_input() {
    on_both(|| async {
        let (client, mut server) = pair().await;
        let (read, write) = client.into_split();
        write.forget();
        server.write_all(b"1").await.unwrap();
        read.readable().await.unwrap();
        assert!(is_pending(server.read_u8()).await);
    });
}

#[test]
fn a_reset_is_an_error_for_those_who_wait_and_those_who_come() {
    on_both(|| async {
        let (client, mut server) = pair().await;
        let waits = shinkan_rt::spawn(async move {
            let error = server.read(&mut [0; 8]).await.unwrap_err();
            (error.kind(), server)
        });
        client.set_zero_linger().unwrap();
        drop(client);
        let (kind, mut server) = waits.await.unwrap();
        assert_eq!(kind, ErrorKind::ConnectionReset);
        assert_eq!(server.write(b"1").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn nobody_listens() {
    on_both(|| async {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = TcpStream::connect(gone).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        // The next address is tried.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let stream = TcpStream::connect(&[gone, there][..]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
        let none: &[SocketAddr] = &[];
        assert_eq!(TcpStream::connect(none).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn an_accept_that_is_dropped_loses_no_connection() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        assert!(is_pending(listener.accept()).await);
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert!(is_pending(poll_fn(|cx| listener.poll_accept(cx))).await);
    });
}

#[test]
fn two_tasks_accept_from_one_listener() {
    on_both(|| async {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let addr = listener.local_addr().unwrap();
        let accepts: Vec<_> = (0..2)
            .map(|_| {
                let listener = listener.clone();
                shinkan_rt::spawn(async move { listener.accept().await.unwrap() })
            })
            .collect();
        let _first = TcpStream::connect(addr).await.unwrap();
        let _second = TcpStream::connect(addr).await.unwrap();
        for accept in accepts {
            accept.await.unwrap();
        }
    });
}

#[test]
fn a_try_says_would_block_until_there_is_something() {
    on_both(|| async {
        let (client, server) = pair().await;
        let mut buf = [0; 8];
        assert_eq!(client.try_read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        server.writable().await.unwrap();
        assert_eq!(server.try_write(b"hello").unwrap(), 5);
        client.readable().await.unwrap();
        assert_eq!(client.peek(&mut buf).await.unwrap(), 5);
        let mut bytes = bytes::BytesMut::with_capacity(3);
        assert_eq!(client.try_read_buf(&mut bytes).unwrap(), bytes.len());
        let left = 5 - bytes.len();
        assert_eq!(client.try_read(&mut buf[..left.max(1)]).map_or(0, |n| n), left);
        let error = client.try_io(Interest::READABLE, || -> std::io::Result<()> {
            Err(ErrorKind::WouldBlock.into())
        });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(is_pending(client.readable()).await);
    });
}

#[test]
fn a_full_stream_is_writable_again_when_the_peer_reads() {
    on_both(|| async {
        let (client, mut server) = pair().await;
        let chunk = vec![0; 64 << 10];
        let mut sent = 0;
        while let Ok(n) = client.try_write(&chunk) {
            sent += n;
        }
        assert!(is_pending(client.writable()).await);
        let mut sink = vec![0; sent];
        server.read_exact(&mut sink).await.unwrap();
        client.writable().await.unwrap();
        assert!(client.ready(Interest::WRITABLE).await.unwrap().is_writable());
    });
}

#[test]
fn the_last_of_two_that_poll_one_direction_is_woken() {
    on_both(|| async {
        let (client, mut server) = pair().await;
        // The first one's waker is replaced by the second's.
        assert!(is_pending(poll_fn(|cx| client.poll_read_ready(cx))).await);
        let client = Arc::new(client);
        let second = shinkan_rt::spawn({
            let client = client.clone();
            async move { poll_fn(|cx| client.poll_read_ready(cx)).await.unwrap() }
        });
        server.write_all(b"1").await.unwrap();
        second.await.unwrap();
    });
}

#[test]
fn a_stream_goes_to_the_standard_library_and_back() {
    on_both(|| async {
        let (client, mut server) = pair().await;
        let mut client = client.into_std().unwrap();
        client.set_nonblocking(false).unwrap();
        client.write_all(b"std").unwrap();
        let mut buf = [0; 3];
        server.read_exact(&mut buf).await.unwrap();
        server.write_all(&buf).await.unwrap();
        client.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"std");
        client.set_nonblocking(true).unwrap();
        let mut client = TcpStream::from_std(client).unwrap();
        server.write_all(b"1").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'1');
    });
}

#[test]
fn options_are_set_and_read() {
    on_both(|| async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.set_keepalive(true).unwrap();
        assert!(socket.reuseaddr().unwrap() && socket.keepalive().unwrap());
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(16).unwrap();
        listener.set_ttl(77).unwrap();
        assert_eq!(listener.ttl().unwrap(), 77);
        let client = TcpSocket::new_v4().unwrap();
        client.set_nodelay(true).unwrap();
        let client = client.connect(listener.local_addr().unwrap()).await.unwrap();
        assert!(client.nodelay().unwrap());
        client.set_nodelay(false).unwrap();
        assert!(!client.nodelay().unwrap());
        assert!(client.take_error().unwrap().is_none());
    });
}

#[test]
fn sockets_that_outlive_their_runtime_answer_with_an_error() {
    let runtime = current_thread();
    let (mut client, server, listener) = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, server) = pair().await;
        (client, server, listener)
    });
    drop(runtime);
    let other = current_thread();
    other.block_on(async {
        assert_eq!(client.read(&mut [0; 1]).await.unwrap_err().kind(), ErrorKind::Other);
        assert!(server.writable().await.is_err());
        assert!(listener.accept().await.is_err());
        // Given to another runtime it works again.
        let mut client = TcpStream::from_std(client.into_std().unwrap()).unwrap();
        let mut server = TcpStream::from_std(server.into_std().unwrap()).unwrap();
        server.write_all(b"1").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'1');
    });
}

#[test]
fn a_runtime_is_dropped_while_its_tasks_wait_for_sockets() {
    for _ in 0..20 {
        let runtime = support::multi_thread();
        let task = runtime.spawn(async {
            let (mut client, server) = pair().await;
            let _server = server;
            client.read(&mut [0; 1]).await
        });
        runtime.block_on(async { pair().await });
        drop(runtime);
        let joined = current_thread().block_on(task);
        assert!(joined.is_err_and(|error| error.is_cancelled()));
    }
}

#[test]
#[should_panic(expected = "untime")]
fn outside_a_runtime_a_socket_has_no_driver() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let _ = TcpListener::from_std(listener);
}

#[test]
fn readiness_tells_of_both_directions_at_once() {
    on_both(|| async {
        let (client, mut server) = pair().await;
        server.write_all(b"1").await.unwrap();
        client.readable().await.unwrap();
        let both = client.ready(Interest::READABLE | Interest::WRITABLE).await.unwrap();
        assert_eq!(both, Ready::READABLE | Ready::WRITABLE);
    });
}
