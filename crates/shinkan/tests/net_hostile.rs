//! Clients that mean no good cost their own task, and nobody else.

mod support;

use shinkan::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use shinkan::net::{TcpListener, TcpSocket, TcpStream};
use shinkan::task::JoinSet;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use support::on_both;

/// Answers each line with the same line; a task for each client.
async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    shinkan_rt::spawn(async move {
        let mut clients = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            clients.spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut read = BufReader::new(read);
                let mut line = Vec::new();
                while read.read_until(b'\n', &mut line).await? != 0 {
                    write.write_all(&line).await?;
                    line.clear();
                }
                std::io::Result::Ok(())
            });
        }
    });
    addr
}

async fn asks_and_is_answered(addr: SocketAddr) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    for n in 0..20 {
        let line = format!("question {n}\n");
        stream.write_all(line.as_bytes()).await.unwrap();
        let mut answer = vec![0; line.len()];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, line.as_bytes());
    }
}

#[test]
fn those_who_connect_and_say_nothing() {
    on_both(|| async {
        let addr = serve().await;
        let mut idle = Vec::new();
        for _ in 0..100 {
            idle.push(TcpStream::connect(addr).await.unwrap());
        }
        asks_and_is_answered(addr).await;
        // Half of them close one direction, the rest go altogether.
        for mut stream in idle.split_off(50) {
            stream.shutdown().await.unwrap();
            assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
        }
        drop(idle);
        asks_and_is_answered(addr).await;
    });
}

#[test]
fn one_who_sends_byte_by_byte() {
    on_both(|| async {
        let addr = serve().await;
        let mut slow = TcpStream::connect(addr).await.unwrap();
        slow.set_nodelay(true).unwrap();
        for byte in b"slow" {
            slow.write_all(&[*byte]).await.unwrap();
            asks_and_is_answered(addr).await;
        }
        slow.write_all(b"\n").await.unwrap();
        let mut answer = [0; 5];
        slow.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"slow\n");
    });
}

#[test]
fn one_who_never_stops_sending() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let flooded = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let flood = std::thread::spawn({
            let stop = stop.clone();
            move || {
                use std::io::Write;
                let mut stream = std::net::TcpStream::connect(flooded).unwrap();
                while !stop.load(Ordering::SeqCst) && stream.write_all(&[7; 64 << 10]).is_ok() {}
            }
        });
        let (mut victim, _) = listener.accept().await.unwrap();
        let taken = Arc::new(AtomicU64::new(0));
        let reader = shinkan_rt::spawn({
            let taken = taken.clone();
            async move {
                // Each read is ready at once: only the budget makes this task yield.
                while let Ok(1..) = victim.read(&mut [0; 64]).await {
                    taken.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        let addr = serve().await;
        for _ in 0..5 {
            asks_and_is_answered(addr).await;
        }
        while taken.load(Ordering::SeqCst) < 1_000 {
            shinkan::task::yield_now().await;
        }
        stop.store(true, Ordering::SeqCst);
        reader.await.unwrap();
        flood.join().unwrap();
    });
}

#[test]
fn one_who_takes_no_answers() {
    on_both(|| async {
        let addr = serve().await;
        let deaf = TcpSocket::new_v4().unwrap();
        deaf.set_recv_buffer_size(4096).unwrap();
        let deaf = deaf.connect(addr).await.unwrap();
        let line = [b"x".repeat(16 << 10), b"\n".to_vec()].concat();
        // Until neither it nor its task can go on.
        let mut blocked = 0;
        while blocked < 100 {
            match deaf.try_write(&line) {
                Ok(_) => blocked = 0,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    blocked += 1;
                }
            }
            shinkan::task::yield_now().await;
        }
        asks_and_is_answered(addr).await;
        drop(deaf);
        asks_and_is_answered(addr).await;
    });
}

#[test]
fn those_who_reset_before_they_are_accepted() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        for _ in 0..10 {
            let client = TcpStream::connect(addr).await.unwrap();
            client.set_zero_linger().unwrap();
            drop(client);
        }
        let mut good = TcpStream::connect(addr).await.unwrap();
        let good_addr = good.local_addr().unwrap();
        good.write_all(b"good").await.unwrap();
        // The kernel hands out what was reset, too: the next use of such a stream says so.
        let mut reset = 0;
        loop {
            let (mut server, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
                    continue;
                }
            };
            let mut buf = [0; 8];
            if peer == good_addr {
                assert_eq!(server.read(&mut buf).await.unwrap(), 4);
                break;
            }
            let error = server.read(&mut buf).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            reset += 1;
        }
        assert!(reset <= 10);
    });
}

#[test]
fn those_who_reset_while_they_are_answered() {
    on_both(|| async {
        let addr = serve().await;
        for _ in 0..20 {
            let mut client = TcpStream::connect(addr).await.unwrap();
            client.write_all(b"one\ntwo\n").await.unwrap();
            client.set_zero_linger().unwrap();
        }
        asks_and_is_answered(addr).await;
    });
}
