//! The scenes. Compiled once for each runtime: `super::rt` is the runtime's crate. Nothing here may
//! name either runtime.

use super::rt;
use rt::io::{AsyncReadExt, AsyncWriteExt};
use rt::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

const STUCK: Duration = Duration::from_secs(1);

fn runtime() -> rt::runtime::Runtime {
    rt::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// The latest tick of a ticker of 1 ms that runs as a task while two tasks do not let go.
fn latest_tick(stuck: fn(Duration)) -> Duration {
    let runtime = runtime();
    let ticker = runtime.spawn(async {
        let start = Instant::now();
        let mut latest = Duration::ZERO;
        let mut last = Instant::now();
        while start.elapsed() < STUCK + Duration::from_millis(200) {
            rt::time::sleep(Duration::from_millis(1)).await;
            latest = latest.max(last.elapsed());
            last = Instant::now();
        }
        latest
    });
    std::thread::sleep(Duration::from_millis(50));
    for _ in 0..2 {
        runtime.spawn(async move { stuck(STUCK) });
    }
    runtime.block_on(ticker).unwrap().saturating_sub(Duration::from_millis(1))
}

pub(crate) fn ticker_beside_blocked() -> Duration {
    latest_tick(std::thread::sleep)
}

pub(crate) fn ticker_beside_spinning() -> Duration {
    latest_tick(spin)
}

/// 64 connections; each request is one byte, of which one in a thousand makes the server's task
/// block for 100 ms. The p99.9 of all requests that did not.
pub(crate) fn echo_beside_blocking() -> Duration {
    const CONNECTIONS: usize = 64;
    const REQUESTS: usize = 1_000;
    let server = runtime();
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    server.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            rt::spawn(serve(socket));
        }
    });
    let clients = runtime();
    let mut latencies = clients.block_on(async move {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|nth| {
                rt::spawn(async move {
                    let mut socket = TcpStream::connect(address).await.unwrap();
                    socket.set_nodelay(true).unwrap();
                    let mut latencies = Vec::with_capacity(REQUESTS);
                    for request in 0..REQUESTS {
                        let blocks = (nth * REQUESTS + request) % 1_000 == 7 * nth;
                        let start = Instant::now();
                        socket.write_all(&[u8::from(blocks)]).await.unwrap();
                        socket.read_exact(&mut [0]).await.unwrap();
                        if !blocks {
                            latencies.push(start.elapsed());
                        }
                        rt::time::sleep(Duration::from_millis(2)).await;
                    }
                    latencies
                })
            })
            .collect();
        let mut all = Vec::new();
        for client in clients {
            all.extend(client.await.unwrap());
        }
        all
    });
    latencies.sort();
    latencies[latencies.len() * 999 / 1_000]
}

async fn serve(mut socket: TcpStream) {
    let _ = socket.set_nodelay(true);
    let mut byte = [0];
    while socket.read_exact(&mut byte).await.is_ok() {
        if byte[0] == 1 {
            std::thread::sleep(Duration::from_millis(100));
        }
        if socket.write_all(&byte).await.is_err() {
            return;
        }
    }
}

pub(crate) fn sixteen_blocking() -> Duration {
    let runtime = runtime();
    let start = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..16)
            .map(|_| rt::spawn(async { std::thread::sleep(Duration::from_millis(100)) }))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    start.elapsed()
}
