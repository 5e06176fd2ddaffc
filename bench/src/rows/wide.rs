//! Many at once: tasks from threads outside, uneven work, one word to many waiters.

use super::{Row, Work, rt};
use crate::floors::Floor;
use rt::sync::{Notify, broadcast, mpsc, oneshot, watch};
use std::hint::black_box;
use std::sync::Arc;

pub(super) const ROWS: &[Row] = &[
    Row::new("remote_spawn", "spawned by 2 threads outside, per task", 60_000, remote_spawn)
        .floor(Floor::Spawn, 1.0),
    Row::new("skew_parent", "one parent spawns for all, 1 µs each", 40_000, skew_parent),
    Row::new("skew_long", "one task in 100 takes 200 µs, the others 1", 20_000, skew_long),
    Row::new("request_reply", "mpsc to one task and a oneshot back, 50 clients", 150_000, requests),
    Row::new("broadcast_10", "broadcast to 10 that wait, per receipt", 200_000, |ops| {
        broadcast(10, ops)
    }),
    Row::new("broadcast_1000", "broadcast to 1,000 that wait", 200_000, |ops| {
        broadcast(1_000, ops)
    }),
    Row::new("watch_10", "watch to 10 that wait, per receipt", 200_000, |ops| watched(10, ops)),
    Row::new("watch_1000", "watch to 1,000 that wait", 200_000, |ops| watched(1_000, ops)),
    Row::new("notify_10", "notify_waiters to 10, per wake-up", 200_000, |ops| notified(10, ops)),
    Row::new("notify_1000", "notify_waiters to 1,000", 200_000, |ops| notified(1_000, ops)),
];

fn spin_ns(ns: u64) {
    let start = std::time::Instant::now();
    while (start.elapsed().as_nanos() as u64) < ns {
        std::hint::spin_loop();
    }
}

fn remote_spawn(ops: u64) -> Work {
    Box::pin(async move {
        let handle = rt::runtime::Handle::current();
        let (done, mut ends) = mpsc::unbounded_channel();
        for _ in 0..2 {
            let (handle, done) = (handle.clone(), done.clone());
            std::thread::spawn(move || {
                for _ in 0..ops.div_ceil(2) {
                    let done = done.clone();
                    handle.spawn(async move { done.send(()).unwrap() });
                }
            });
        }
        drop(done);
        while ends.recv().await.is_some() {}
    })
}

fn skew_parent(ops: u64) -> Work {
    Box::pin(async move {
        let tasks: Vec<_> = (0..ops).map(|_| rt::spawn(async { spin_ns(1_000) })).collect();
        for task in tasks {
            task.await.unwrap();
        }
    })
}

fn skew_long(ops: u64) -> Work {
    Box::pin(async move {
        let ns = |nth| if nth % 100 == 0 { 200_000 } else { 1_000 };
        let tasks: Vec<_> =
            (0..ops).map(|nth| rt::spawn(async move { spin_ns(ns(nth)) })).collect();
        for task in tasks {
            task.await.unwrap();
        }
    })
}

fn requests(ops: u64) -> Work {
    Box::pin(async move {
        let (tx, mut rx) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(32);
        rt::spawn(async move {
            while let Some((value, reply)) = rx.recv().await {
                reply.send(value + 1).unwrap();
            }
        });
        let clients: Vec<_> = (0..50)
            .map(|_| {
                let tx = tx.clone();
                rt::spawn(async move {
                    for value in 0..ops.div_ceil(50) {
                        let (reply, answer) = oneshot::channel();
                        tx.send((value, reply)).await.unwrap();
                        assert_eq!(answer.await.unwrap(), value + 1);
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
    })
}

/// How far a crowd of receivers has come: the sender goes on when all have heard the last word.
#[derive(Clone)]
struct Heard {
    one: mpsc::Sender<()>,
}

impl Heard {
    fn new(crowd: u64) -> (Heard, mpsc::Receiver<()>) {
        let (one, all) = mpsc::channel(crowd as usize);
        (Heard { one }, all)
    }

    async fn one(&self) {
        self.one.send(()).await.unwrap();
    }
}

async fn all(heard: &mut mpsc::Receiver<()>, crowd: u64) {
    for _ in 0..crowd {
        heard.recv().await.unwrap();
    }
}

fn broadcast(crowd: u64, ops: u64) -> Work {
    Box::pin(async move {
        let (tx, _) = broadcast::channel::<u64>(16);
        let (heard, mut everyone) = Heard::new(crowd);
        for _ in 0..crowd {
            let (mut rx, heard) = (tx.subscribe(), heard.clone());
            rt::spawn(async move {
                while let Ok(value) = rx.recv().await {
                    black_box(value);
                    heard.one().await;
                }
            });
        }
        for value in 0..ops.div_ceil(crowd) {
            tx.send(value).unwrap();
            all(&mut everyone, crowd).await;
        }
    })
}

fn watched(crowd: u64, ops: u64) -> Work {
    Box::pin(async move {
        let (tx, rx) = watch::channel(0);
        let (heard, mut everyone) = Heard::new(crowd);
        for _ in 0..crowd {
            let (mut rx, heard) = (rx.clone(), heard.clone());
            rt::spawn(async move {
                while rx.changed().await.is_ok() {
                    black_box(*rx.borrow_and_update());
                    heard.one().await;
                }
            });
        }
        for value in 0..ops.div_ceil(crowd) {
            tx.send(value + 1).unwrap();
            all(&mut everyone, crowd).await;
        }
    })
}

fn notified(crowd: u64, ops: u64) -> Work {
    Box::pin(async move {
        let bell = Arc::new(Notify::new());
        let rounds = ops.div_ceil(crowd);
        let (heard, mut everyone) = Heard::new(crowd);
        for _ in 0..crowd {
            let (bell, heard) = (bell.clone(), heard.clone());
            rt::spawn(async move {
                for _ in 0..rounds {
                    // A bell that rings after this call is heard, so the word goes out first.
                    let ring = bell.notified();
                    heard.one().await;
                    ring.await;
                }
            });
        }
        for _ in 0..rounds {
            all(&mut everyone, crowd).await;
            bell.notify_waiters();
        }
    })
}
