//! Sockets whose events come together, and a task that is stuck before the others: another worker
//! comes by itself, though it was not rung for so short a queue.

use shinkan::io::{AsyncReadExt, AsyncWriteExt};
use shinkan::net::UnixStream;
use shinkan::runtime::Builder;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream as Peer;
use std::sync::{Arc, Barrier};

/// Sockets whose tasks meet, each on a thread of its own.
const MEET: usize = 2;
/// Bytes that come one by one between two meetings: many enough that a worker naps.
const BETWEEN: usize = 64;

#[test]
fn what_is_queued_behind_a_stuck_task_is_found_each_time() {
    let mut builder = Builder::new_multi_thread();
    // The monitor would find it, too.
    builder.worker_threads(2).enable_all().stall_monitor(false);
    let runtime = builder.build().unwrap();
    let barrier = Arc::new(Barrier::new(MEET));
    let (mut echo, mut meeting) = (None, Vec::new());
    for socket in 0..=MEET {
        let (peer, stream) = Peer::pair().unwrap();
        stream.set_nonblocking(true).unwrap();
        let barrier = (socket > 0).then(|| barrier.clone());
        runtime.spawn(async move {
            let mut stream = UnixStream::from_std(stream).unwrap();
            let mut byte = [0];
            while stream.read_exact(&mut byte).await.is_ok() {
                if let Some(barrier) = &barrier {
                    // Holds the thread until the other is there.
                    barrier.wait();
                }
                stream.write_all(&byte).await.unwrap();
            }
        });
        match socket {
            0 => echo = Some(peer),
            _ => meeting.push(peer),
        }
    }
    let mut echo = echo.unwrap();
    let mut byte = [7];
    for _ in 0..500 {
        for _ in 0..BETWEEN {
            echo.write_all(&byte).unwrap();
            echo.read_exact(&mut byte).unwrap();
        }
        meeting.iter_mut().for_each(|peer| peer.write_all(&byte).unwrap());
        meeting.iter_mut().for_each(|peer| peer.read_exact(&mut byte).unwrap());
    }
}
