//! Futures of sockets that are dropped in each state they can be in: nothing is lost, and the
//! socket goes on.

mod support;

use shinkan::io::unix::AsyncFd;
use shinkan::io::{AsyncReadExt, AsyncWriteExt, Interest};
use shinkan::net::unix::pipe;
use shinkan::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use support::on_both;

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// The client's end first; its readiness is unknown, so that its waits wait.
async fn tcp() -> (TcpStream, TcpStream) {
    let (listener, addr) = listener().await;
    let client = TcpStream::connect(addr).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

async fn udp() -> (UdpSocket, UdpSocket) {
    let here = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let there = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    here.connect(there.local_addr().unwrap()).await.unwrap();
    there.connect(here.local_addr().unwrap()).await.unwrap();
    (here, there)
}

/// Takes the readiness away that a read leaves which filled its buffer: the next wait waits.
fn none_is_left(read: impl FnOnce(&mut [u8]) -> std::io::Result<usize>) {
    assert_eq!(read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// Writes until there is no room, and says how much that was.
fn fill(mut write: impl FnMut(&[u8]) -> std::io::Result<usize>) -> usize {
    let chunk = vec![7; 16 << 10];
    let mut sent = 0;
    loop {
        match write(&chunk) {
            Ok(n) => sent += n,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                return sent;
            }
        }
    }
}

#[test]
fn an_accept() {
    on_both(|| async {
        let (listener, addr) = listener().await;
        let first;
        drop_in_each_state!(listener.accept(), {
            first = std::net::TcpStream::connect(addr).unwrap();
        });
        let (stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, first.local_addr().unwrap());
        drop(stream);
        let second;
        drop_in_each_state!(poll_fn(|cx| listener.poll_accept(cx)), {
            second = std::net::TcpStream::connect(addr).unwrap();
        });
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, second.local_addr().unwrap());
    });
}

#[test]
fn an_accept_of_the_unix_family() {
    on_both(|| async {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let mut client;
        drop_in_each_state!(listener.accept(), {
            client = std::os::unix::net::UnixStream::connect(&path).unwrap();
        });
        let (server, _) = listener.accept().await.unwrap();
        client.write_all(b"1").unwrap();
        server.readable().await.unwrap();
        assert_eq!(server.try_read(&mut [0; 8]).unwrap(), 1);
    });
}

#[test]
fn a_connect_closes_what_was_on_its_way() {
    // On one thread: nobody else can have seen the connection made before the poll ends.
    support::current_thread().block_on(async {
        let (listener, addr) = listener().await;
        // Two of the three got as far as the kernel.
        drop_in_each_state!(TcpStream::connect(addr), {});
        for _ in 0..2 {
            let (mut server, _) = listener.accept().await.unwrap();
            assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
        }
        let mut client = TcpStream::connect(addr).await.unwrap();
        let (mut server, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        client.write_all(b"1").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'1');
    });
}

#[test]
fn a_connect_that_waits_for_the_name_service() {
    on_both(|| async {
        let (listener, addr) = listener().await;
        drop(TcpStream::connect(("localhost", addr.port())));
        // Wherever it is after one poll: at the name service, at the kernel, or done.
        support::is_pending(TcpStream::connect(("localhost", addr.port()))).await;
        let client = TcpStream::connect(("localhost", addr.port())).await.unwrap();
        // Where the name service was quick, the one that was dropped had got to the kernel.
        while listener.accept().await.unwrap().1 != client.local_addr().unwrap() {}
    });
}

#[test]
fn what_reads_a_tcp_stream() {
    on_both(|| async {
        let (mut client, mut server) = tcp().await;
        let mut buf = [0; 8];
        let mut next = 0;
        let mut send = async || {
            next += 1;
            server.write_all(&[next]).await.unwrap();
        };
        drop_in_each_state!(client.read(&mut buf), send().await);
        assert_eq!(client.read_u8().await.unwrap(), 1);
        drop_in_each_state!(client.read_exact(&mut buf[..1]), send().await);
        assert_eq!(client.read_u8().await.unwrap(), 2);
        drop_in_each_state!(client.peek(&mut buf), send().await);
        assert_eq!(client.peek(&mut buf).await.unwrap(), 1);
        assert_eq!(client.read_u8().await.unwrap(), 3);
        assert!(support::is_pending(client.peek(&mut buf)).await);
        drop_in_each_state!(client.readable(), send().await);
        client.readable().await.unwrap();
        assert_eq!(client.try_read(&mut buf).unwrap(), 1);
        none_is_left(|buf| client.try_read(buf));
        drop_in_each_state!(client.ready(Interest::READABLE), send().await);
        assert!(client.ready(Interest::READABLE).await.unwrap().is_readable());
        assert_eq!(client.try_read(&mut buf).unwrap(), 1);
        none_is_left(|buf| client.try_read(buf));
        let (mut read, _write) = client.split();
        drop_in_each_state!(read.peek(&mut buf), send().await);
        assert_eq!(read.read_u8().await.unwrap(), 6);
        none_is_left(|buf| client.try_read(buf));
        let mut calls = 0;
        drop_in_each_state!(
            client.async_io(Interest::READABLE, || -> std::io::Result<usize> {
                calls += 1;
                Err(ErrorKind::WouldBlock.into())
            }),
            send().await
        );
        assert_eq!(calls, 0);
        let (mut read, _write) = client.into_split();
        assert_eq!(read.read_u8().await.unwrap(), 7);
        none_is_left(|buf| read.try_read(buf));
        drop_in_each_state!(read.readable(), send().await);
        assert_eq!(read.read_u8().await.unwrap(), 8);
        drop_in_each_state!(read.read_u8(), send().await);
        assert_eq!(read.read_u8().await.unwrap(), 9);
    });
}

#[test]
fn what_writes_to_a_tcp_stream() {
    on_both(|| async {
        let (mut client, mut server) = tcp().await;
        let sink = &mut vec![0; 8 << 20];
        client.writable().await.unwrap();
        // Each time: the stream is full, the peer reads all of it, and finds nothing from those
        // who were dropped.
        for turn in 0..4u8 {
            let mut sent = fill(|chunk| client.try_write(chunk));
            while !support::is_pending(client.writable()).await {
                sent += fill(|chunk| client.try_write(chunk));
            }
            let room = &mut sink[..sent];
            match turn {
                0 => drop_in_each_state!(client.write(b"x"), {
                    server.read_exact(room).await.unwrap();
                }),
                1 => drop_in_each_state!(client.write_all(b"x"), {
                    server.read_exact(room).await.unwrap();
                }),
                2 => drop_in_each_state!(client.writable(), {
                    server.read_exact(room).await.unwrap();
                }),
                _ => drop_in_each_state!(client.ready(Interest::WRITABLE), {
                    server.read_exact(room).await.unwrap();
                }),
            }
            assert!(room.iter().all(|byte| *byte == 7));
            client.write_all(&[turn]).await.unwrap();
            assert_eq!(server.read_u8().await.unwrap(), turn);
        }
    });
}

#[test]
fn what_receives_datagrams() {
    on_both(|| async {
        let (here, there) = udp().await;
        let mut buf = [0; 8];
        let mut uninit = [MaybeUninit::uninit(); 8];
        let mut next = 0;
        let mut send = async || {
            next += 1;
            there.send(&[next]).await.unwrap();
        };
        let mut vec = Vec::new();
        drop_in_each_state!(here.recv(&mut buf), send().await);
        took(&here, 1).await;
        drop_in_each_state!(here.recv_from(&mut buf), send().await);
        took(&here, 2).await;
        drop_in_each_state!(here.recv_buf(&mut vec), send().await);
        took(&here, 3).await;
        drop_in_each_state!(here.recv_buf_from(&mut vec), send().await);
        took(&here, 4).await;
        drop_in_each_state!(here.peek(&mut buf), send().await);
        took(&here, 5).await;
        drop_in_each_state!(here.peek_from(&mut buf), send().await);
        took(&here, 6).await;
        drop_in_each_state!(here.peek_sender(), send().await);
        took(&here, 7).await;
        drop_in_each_state!(here.readable(), send().await);
        took(&here, 8).await;
        drop_in_each_state!(here.ready(Interest::READABLE), send().await);
        took(&here, 9).await;
        let mut read_buf = shinkan::io::ReadBuf::uninit(&mut uninit);
        drop_in_each_state!(poll_fn(|cx| here.poll_recv(cx, &mut read_buf)), send().await);
        assert!(vec.is_empty() && read_buf.filled().is_empty());
        took(&here, 10).await;
        assert!(support::is_pending(here.recv(&mut buf)).await);
    });
}

/// The one datagram that came is still there, and no other.
async fn took(socket: &UdpSocket, expected: u8) {
    let mut buf = [0; 8];
    assert_eq!(socket.recv(&mut buf).await.unwrap(), 1);
    assert_eq!(buf[0], expected);
    none_is_left(|buf| socket.try_recv(buf));
}

#[test]
fn what_sends_datagrams() {
    on_both(|| async {
        let (here, there) = UnixDatagram::pair().unwrap();
        let full = |count: &mut u32| {
            while here.try_send(b"full").is_ok() {
                *count += 1;
            }
        };
        let mut buf = [0; 16];
        let drain = async |count: &mut u32, buf: &mut [u8]| {
            while *count > 0 {
                assert_eq!(there.recv(buf).await.unwrap(), 4);
                *count -= 1;
            }
        };
        for turn in 0..3 {
            let mut count = 0;
            full(&mut count);
            match turn {
                0 => drop_in_each_state!(here.send(b"x"), drain(&mut count, &mut buf).await),
                1 => drop_in_each_state!(here.writable(), drain(&mut count, &mut buf).await),
                _ => drop_in_each_state!(
                    here.ready(Interest::WRITABLE),
                    drain(&mut count, &mut buf).await
                ),
            }
            here.send(b"ok").await.unwrap();
            assert_eq!(there.recv(&mut buf).await.unwrap(), 2);
        }
        drop_in_each_state!(there.recv(&mut buf), here.send(b"1").await.unwrap());
        assert_eq!(there.recv(&mut buf).await.unwrap(), 1);
        drop_in_each_state!(there.recv_from(&mut buf), here.send(b"22").await.unwrap());
        assert_eq!(there.recv_from(&mut buf).await.unwrap().0, 2);
        // The one who sends by address waits for no room here, and one that was dropped sent none.
        let (udp, peer) = udp().await;
        drop(udp.send(b"x"));
        let target = peer.local_addr().unwrap();
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        drop(other.send_to(b"x", target));
        udp.send(b"yes").await.unwrap();
        assert_eq!(peer.recv(&mut buf).await.unwrap(), 3);
    });
}

#[test]
fn unix_streams_and_pipes() {
    on_both(|| async {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        let mut buf = [0; 8];
        drop_in_each_state!(here.read(&mut buf), there.write_all(b"1").await.unwrap());
        assert_eq!(here.read_u8().await.unwrap(), b'1');
        none_is_left(|buf| here.try_read(buf));
        drop_in_each_state!(here.readable(), there.write_all(b"2").await.unwrap());
        assert_eq!(here.read_u8().await.unwrap(), b'2');
        let sink = &mut vec![0; 8 << 20];
        let sent = fill(|chunk| here.try_write(chunk));
        drop_in_each_state!(here.write(b"x"), {
            there.read_exact(&mut sink[..sent]).await.unwrap();
        });
        here.write_all(b"3").await.unwrap();
        assert_eq!(there.read_u8().await.unwrap(), b'3');

        let (mut sender, mut receiver) = pipe::pipe().unwrap();
        drop_in_each_state!(receiver.read(&mut buf), sender.write_all(b"1").await.unwrap());
        assert_eq!(receiver.read_u8().await.unwrap(), b'1');
        none_is_left(|buf| receiver.try_read(buf));
        drop_in_each_state!(receiver.readable(), sender.write_all(b"2").await.unwrap());
        assert_eq!(receiver.read_u8().await.unwrap(), b'2');
        let sent = fill(|chunk| sender.try_write(chunk));
        drop_in_each_state!(sender.write(b"x"), {
            receiver.read_exact(&mut sink[..sent]).await.unwrap();
        });
        let sent = fill(|chunk| sender.try_write(chunk));
        drop_in_each_state!(sender.writable(), {
            receiver.read_exact(&mut sink[..sent]).await.unwrap();
        });
        sender.write_all(b"3").await.unwrap();
        assert_eq!(receiver.read_u8().await.unwrap(), b'3');
    });
}

#[test]
#[allow(deprecated, reason = "the promise of the other constructors needs unsafe code")]
fn what_waits_for_any_descriptor() {
    on_both(|| async {
        let (here, mut there) = std::os::unix::net::UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        let mut fd = AsyncFd::new(here).unwrap();
        let mut buf = [0; 8];
        let mut send = || there.write_all(b"1").unwrap();
        let take = |fd: &AsyncFd<_>, buf: &mut [u8]| {
            let read = |mut stream: &std::os::unix::net::UnixStream| stream.read(buf);
            assert_eq!(fd.try_io(Interest::READABLE, read).unwrap(), 1);
            let empty = fd.try_io(Interest::READABLE, |mut stream| stream.read(&mut [0; 8]));
            assert_eq!(empty.unwrap_err().kind(), ErrorKind::WouldBlock);
        };
        drop_in_each_state!(fd.readable(), send());
        take(&fd, &mut buf);
        drop_in_each_state!(fd.ready(Interest::READABLE), send());
        take(&fd, &mut buf);
        drop_in_each_state!(fd.readable_mut(), send());
        take(&fd, &mut buf);
        drop_in_each_state!(fd.async_io(Interest::READABLE, |mut s| s.read(&mut [0; 8])), send());
        take(&fd, &mut buf);
        drop_in_each_state!(fd.async_io_mut(Interest::READABLE, |s| s.read(&mut [0; 8])), send());
        take(&fd, &mut buf);
        // A guard that is dropped leaves the readiness as it is.
        send();
        drop(fd.readable().await.unwrap());
        drop(fd.readable().await.unwrap());
        take(&fd, &mut buf);
        let sent = fill(|chunk| fd.try_io(Interest::WRITABLE, |mut stream| stream.write(chunk)));
        let mut sink = vec![0; sent];
        drop_in_each_state!(fd.writable(), there.read_exact(&mut sink).unwrap());
        assert!(fd.writable().await.unwrap().ready().is_writable());
    });
}

/// Polls a few times, whether it was woken or not, and gives up; then others have their turn.
async fn impatient<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let output = poll_a_few_times(polls, future).await;
    if output.is_none() {
        shinkan::task::yield_now().await;
    }
    output
}

async fn poll_a_few_times<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

#[test]
fn one_who_gives_up_again_and_again_gets_every_byte_in_order() {
    on_both(|| async {
        let (mut client, mut server) = tcp().await;
        let sent: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        let writer = shinkan_rt::spawn({
            let sent = sent.clone();
            async move {
                for (n, chunk) in sent.chunks(777).enumerate() {
                    // Of what was written when the writer gave up, it knows.
                    let mut rest = chunk;
                    while !rest.is_empty() {
                        if let Some(wrote) = impatient(n as u32 % 3, server.write(rest)).await {
                            rest = &rest[wrote.unwrap()..];
                        }
                    }
                }
            }
        });
        let mut received = Vec::new();
        let mut buf = [0; 512];
        for turn in 0u32.. {
            let read = match turn % 5 {
                0 => impatient(1, client.read(&mut buf[..1])).await,
                1 => {
                    impatient(2, client.readable()).await;
                    client.try_read(&mut buf).ok().map(Ok)
                }
                2 => {
                    impatient(0, client.peek(&mut buf)).await;
                    None
                }
                _ => impatient(turn % 3, client.read(&mut buf)).await,
            };
            match read {
                Some(Ok(0)) => break,
                Some(n) => received.extend_from_slice(&buf[..n.unwrap()]),
                None => {}
            }
        }
        assert!(received == sent);
        writer.await.unwrap();
    });
}

#[test]
fn one_who_gives_up_again_and_again_accepts_every_connection() {
    const CLIENTS: usize = 100;
    on_both(|| async {
        let (listener, addr) = listener().await;
        let clients = shinkan_rt::spawn(async move {
            let mut clients = Vec::new();
            for _ in 0..CLIENTS {
                let client = TcpStream::connect(addr).await.unwrap();
                clients.push((client.local_addr().unwrap(), client));
            }
            clients
        });
        let mut accepted = Vec::new();
        for turn in 0u32.. {
            if let Some(stream) = impatient(turn % 3, listener.accept()).await {
                accepted.push(stream.unwrap());
            }
            if accepted.len() == CLIENTS {
                break;
            }
        }
        let mut peers: Vec<_> = accepted.iter().map(|(_, peer)| *peer).collect();
        let mut expected: Vec<_> = clients.await.unwrap().iter().map(|(addr, _)| *addr).collect();
        peers.sort();
        expected.sort();
        assert_eq!(peers, expected);
    });
}

#[test]
fn one_who_gives_up_again_and_again_gets_every_datagram() {
    on_both(|| async {
        let (here, there) = UnixDatagram::pair().unwrap();
        let sender = shinkan_rt::spawn(async move {
            for n in 0..2_000u32 {
                // A send that gave up has sent nothing.
                while impatient(n % 3, there.send(&n.to_be_bytes())).await.is_none() {}
            }
        });
        let mut buf = [0; 8];
        for n in 0..2_000u32 {
            while impatient(n % 2, here.recv(&mut buf)).await.is_none() {}
            assert_eq!(buf[..4], n.to_be_bytes());
        }
        sender.await.unwrap();
    });
}

#[test]
fn a_look_up() {
    on_both(|| async {
        drop(shinkan::net::lookup_host("localhost:80"));
        support::is_pending(shinkan::net::lookup_host("localhost:80")).await;
        let found = shinkan::net::lookup_host("localhost:80").await.unwrap();
        assert!(found.into_iter().any(|addr| addr.ip().is_loopback()));
    });
}
