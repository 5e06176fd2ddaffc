//! Several who use one socket, panics among them, and runtimes that end or are not the socket's.

mod support;

use shinkan::io::unix::AsyncFd;
use shinkan::io::{AsyncReadExt, AsyncWriteExt, Interest};
use shinkan::net::unix::pipe;
use shinkan::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixStream};
use shinkan::runtime::Runtime;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use support::{Woken, multi_thread, on_both};

async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

#[test]
fn two_tasks_use_the_two_directions_of_one_socket() {
    on_both(|| async {
        let (client, server) = tcp().await;
        let total = 4 << 20;
        let tasks: Vec<_> = [client, server]
            .into_iter()
            .flat_map(|stream| {
                let (mut read, mut write) = stream.into_split();
                let reader = shinkan_rt::spawn(async move {
                    let mut all = Vec::new();
                    read.read_to_end(&mut all).await.unwrap();
                    assert!(all.len() == total && all.iter().all(|byte| *byte == 9));
                });
                let writer = shinkan_rt::spawn(async move {
                    write.write_all(&vec![9; total]).await.unwrap();
                });
                [reader, writer]
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn all_who_wait_for_one_direction_are_woken() {
    on_both(|| async {
        let (client, mut server) = tcp().await;
        let client = Arc::new(client);
        let waits: Vec<_> = (0..16)
            .map(|n| {
                let client = client.clone();
                shinkan_rt::spawn(async move {
                    match n % 3 {
                        0 => client.readable().await.unwrap(),
                        1 => drop(client.ready(Interest::READABLE).await.unwrap()),
                        _ => drop(client.peek(&mut [0; 1]).await.unwrap()),
                    }
                })
            })
            .collect();
        let polls = shinkan_rt::spawn({
            let client = client.clone();
            async move { poll_fn(|cx| client.poll_read_ready(cx)).await.unwrap() }
        });
        // Another direction's waiter is not disturbed by any of it.
        server.write_all(b"1").await.unwrap();
        for wait in waits {
            wait.await.unwrap();
        }
        polls.await.unwrap();
        assert_eq!(client.try_read(&mut [0; 8]).unwrap(), 1);
    });
}

#[test]
fn one_who_reads_does_not_take_the_wake_up_of_one_who_writes() {
    on_both(|| async {
        let (client, mut server) = tcp().await;
        client.writable().await.unwrap();
        let chunk = vec![0; 64 << 10];
        let mut sent = 0;
        while let Ok(n) = client.try_write(&chunk) {
            sent += n;
        }
        let (reader, writer) = (Woken::new(), Woken::new());
        let mut readable = pin!(client.readable());
        let mut both = pin!(client.ready(Interest::READABLE | Interest::WRITABLE));
        assert!(reader.poll(readable.as_mut()).is_pending());
        if let Poll::Ready(ready) = writer.poll(both.as_mut()) {
            // The kernel made more room since.
            assert!(ready.unwrap().is_writable());
        } else {
            server.write_all(b"1").await.unwrap();
            writer.wait().await;
            assert!(writer.poll(both.as_mut()).is_ready());
        }
        if reader.poll(readable.as_mut()).is_pending() {
            server.write_all(b"1").await.unwrap();
            reader.wait().await;
        }
        let mut sink = vec![0; sent];
        server.read_exact(&mut sink).await.unwrap();
        client.writable().await.unwrap();
    });
}

#[test]
fn many_receive_from_one_socket() {
    on_both(|| async {
        let (here, there) = UnixDatagram::pair().unwrap();
        let here = Arc::new(here);
        let receivers: Vec<_> = (0..8)
            .map(|_| {
                let here = here.clone();
                shinkan_rt::spawn(async move {
                    let mut sum = 0;
                    for _ in 0..50 {
                        let mut buf = [0; 8];
                        assert_eq!(here.recv(&mut buf).await.unwrap(), 1);
                        sum += u64::from(buf[0]);
                    }
                    sum
                })
            })
            .collect();
        let mut sent = 0;
        for n in 0..8 * 50 {
            there.send(&[n as u8]).await.unwrap();
            sent += u64::from(n as u8);
        }
        let mut received = 0;
        for receiver in receivers {
            received += receiver.await.unwrap();
        }
        assert_eq!(received, sent);
    });
}

#[test]
fn a_closure_that_panics_harms_its_own_task_only() {
    on_both(|| async {
        let (client, mut server) = tcp().await;
        let client = Arc::new(client);
        server.write_all(b"12").await.unwrap();
        client.readable().await.unwrap();
        for asynchronous in [false, true] {
            let client = client.clone();
            let task = shinkan_rt::spawn(async move {
                let panics = || -> io::Result<()> { panic!("in a closure") };
                if asynchronous {
                    client.async_io(Interest::READABLE, panics).await
                } else {
                    client.try_io(Interest::READABLE, panics)
                }
            });
            assert!(task.await.unwrap_err().is_panic());
        }
        // The readiness is still there, and so are the bytes.
        assert_eq!(client.try_read(&mut [0; 1]).unwrap(), 1);
        let waits = shinkan_rt::spawn({
            let client = client.clone();
            async move { client.async_io(Interest::READABLE, || client.try_io_now()).await }
        });
        assert_eq!(waits.await.unwrap().unwrap(), 1);
    });
}

trait TryIoNow {
    fn try_io_now(&self) -> io::Result<usize>;
}

impl TryIoNow for TcpStream {
    /// Another way into the socket: its own call, as a library would make it.
    fn try_io_now(&self) -> io::Result<usize> {
        use std::io::Read;
        use std::os::fd::AsFd;
        let mut stream = std::net::TcpStream::from(self.as_fd().try_clone_to_owned()?);
        stream.read(&mut [0; 8])
    }
}

struct PanicsOnWake(AtomicUsize);

impl Wake for PanicsOnWake {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("in a waker");
    }
}

#[test]
fn a_waker_that_panics_keeps_no_other_from_being_woken() {
    on_both(|| async {
        let (client, mut server) = tcp().await;
        let bad = Arc::new(PanicsOnWake(AtomicUsize::new(0)));
        let (before, after) = (Woken::new(), Woken::new());
        let mut waits: Vec<_> = (0..3).map(|_| Box::pin(client.readable())).collect();
        assert!(before.poll(waits[0].as_mut()).is_pending());
        let waker = Waker::from(bad.clone());
        assert!(waits[1].as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(after.poll(waits[2].as_mut()).is_pending());
        let polled = client.poll_read_ready(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        server.write_all(b"1").await.unwrap();
        before.wait().await;
        after.wait().await;
        for wait in &mut waits {
            wait.as_mut().await.unwrap();
        }
        drop(waits);
        assert_eq!(bad.0.load(Ordering::SeqCst), 2);
        assert_eq!(client.try_read(&mut [0; 8]).unwrap(), 1);
    });
}

/// A wait that ends with its runtime's end.
type Wait = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// One wait of each kind, for sockets of the runtime that calls.
#[allow(deprecated, reason = "the promise of the other constructors needs unsafe code")]
async fn waits() -> (Vec<Wait>, Vec<Box<dyn Send>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut a, b) = tcp().await;
    let (c, d) = tcp().await;
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (mut e, f) = UnixStream::pair().unwrap();
    let (g, h) = UnixDatagram::pair().unwrap();
    let (sender, mut receiver) = pipe::pipe().unwrap();
    let (i, j) = std::os::unix::net::UnixStream::pair().unwrap();
    i.set_nonblocking(true).unwrap();
    let fd = AsyncFd::new(i).unwrap();
    let waits: Vec<Wait> = vec![
        Box::pin(async move { listener.accept().await.map(drop) }),
        Box::pin(async move { a.read(&mut [0; 1]).await.map(drop) }),
        Box::pin(async move { c.readable().await }),
        Box::pin(async move { udp.recv(&mut [0; 1]).await.map(drop) }),
        Box::pin(async move { e.read(&mut [0; 1]).await.map(drop) }),
        Box::pin(async move { g.recv_from(&mut [0; 1]).await.map(drop) }),
        Box::pin(async move { receiver.read(&mut [0; 1]).await.map(drop) }),
        Box::pin(async move { fd.readable().await.map(drop) }),
    ];
    (waits, vec![Box::new((b, d)), Box::new((f, h)), Box::new((sender, j))])
}

#[test]
fn the_end_of_their_runtime_ends_the_waits_of_others() {
    let (first, second) = (multi_thread(), Runtime::new().unwrap());
    let (waits, _peers) = first.block_on(waits());
    let started = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = waits
        .into_iter()
        .map(|mut wait| {
            let started = started.clone();
            second.spawn(poll_fn(move |cx| {
                let polled = wait.as_mut().poll(cx);
                started.fetch_add(usize::from(polled.is_pending()), Ordering::SeqCst);
                polled
            }))
        })
        .collect();
    while started.load(Ordering::SeqCst) < tasks.len() {
        std::thread::yield_now();
    }
    drop(first);
    for task in tasks {
        let error = second.block_on(task).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(shinkan::runtime::is_rt_shutdown_err(&error), "{error}");
    }
}

#[test]
fn a_socket_is_used_in_a_runtime_that_is_not_its_own() {
    let (first, second) = (multi_thread(), support::current_thread());
    let (mut client, mut server) = first.block_on(tcp());
    second.block_on(async {
        let echo = shinkan_rt::spawn(async move {
            let mut buf = [0; 64];
            loop {
                match server.read(&mut buf).await.unwrap() {
                    0 => return,
                    n => server.write_all(&buf[..n]).await.unwrap(),
                }
            }
        });
        for n in 0..100u8 {
            client.write_all(&[n; 64]).await.unwrap();
            let mut buf = [0; 64];
            client.read_exact(&mut buf).await.unwrap();
            assert_eq!(buf, [n; 64]);
        }
        drop(client);
        echo.await.unwrap();
    });
}
