//! Sockets over loopback, both ends in this process.

use super::{Row, Work, rt};
use crate::floors::Floor;
use rt::io::{AsyncReadExt, AsyncWriteExt};
use rt::net::{TcpListener, TcpStream};

pub(super) const ROWS: &[Row] = &[
    Row::new("tcp_ping_pong", "TCP, 64 B there and back", 15_000, |ops| pairs(1, ops))
        .floor(Floor::Loopback, 1.0),
    Row::new("tcp_128_pairs", "128 such pairs, per round trip", 25_600, |ops| pairs(128, ops))
        .floor(Floor::Loopback, 1.0),
];

async fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 64];
    while stream.read_exact(&mut buffer).await.is_ok() {
        stream.write_all(&buffer).await.unwrap();
    }
}

async fn ping(mut stream: TcpStream, times: u64) {
    let mut buffer = [7; 64];
    for _ in 0..times {
        stream.write_all(&buffer).await.unwrap();
        stream.read_exact(&mut buffer).await.unwrap();
    }
}

fn pairs(pairs: u64, ops: u64) -> Work {
    Box::pin(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut streams = Vec::new();
        for _ in 0..pairs {
            let near = TcpStream::connect(address).await.unwrap();
            let (far, _) = listener.accept().await.unwrap();
            near.set_nodelay(true).unwrap();
            far.set_nodelay(true).unwrap();
            streams.push((near, far));
        }
        let mut tasks = Vec::new();
        for (near, far) in streams {
            tasks.push(rt::spawn(echo(far)));
            tasks.push(rt::spawn(ping(near, ops.div_ceil(pairs))));
        }
        for task in tasks {
            task.await.unwrap();
        }
    })
}
