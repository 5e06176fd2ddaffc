//! Channels, locks and notifications.

use super::{Row, Work, rt};
use crate::floors::Floor;
use rt::sync::{Mutex, Notify, RwLock, broadcast, mpsc, oneshot};
use std::hint::black_box;
use std::sync::Arc;

pub(super) const ROWS: &[Row] = &[
    Row::new("mpsc_100", "mpsc of 100, 4 senders, per message", 400_000, mpsc_100)
        .floor(Floor::Queue, 1.0)
        .counted(),
    Row::new("mpsc_unbounded", "unbounded mpsc, 4 senders, per message", 400_000, mpsc_unbounded)
        .floor(Floor::Queue, 1.0)
        .counted(),
    Row::new("oneshot", "oneshot: create, send, receive", 1_000_000, oneshot_alone).counted(),
    Row::new("mutex_alone", "mutex, uncontended", 1_500_000, mutex_alone)
        .floor(Floor::Lock, 1.0)
        .counted(),
    Row::new("mutex_16", "one mutex, 16 tasks", 400_000, mutex_16)
        .floor(Floor::Lock, 1.0)
        .counted(),
    Row::new("rwlock_read_16", "one rwlock read by 16 tasks", 600_000, rwlock_read_16)
        .floor(Floor::Lock, 1.0)
        .counted(),
    Row::new("notify_ping_pong", "two tasks, two Notify", 300_000, notify_ping_pong).counted(),
    Row::new("broadcast_8", "broadcast of 1,024 to 8 receivers, per message", 200_000, broadcast_8)
        .counted(),
    Row::new("select_two", "select! over two channels, per message", 600_000, select_two)
        .floor(Floor::Queue, 1.0)
        .counted(),
];

fn mpsc_100(ops: u64) -> Work {
    Box::pin(async move {
        let (tx, mut rx) = mpsc::channel::<u64>(100);
        for _ in 0..4 {
            let tx = tx.clone();
            rt::spawn(async move {
                for value in 0..ops / 4 {
                    tx.send(value).await.unwrap();
                }
            });
        }
        drop(tx);
        while let Some(value) = rx.recv().await {
            black_box(value);
        }
    })
}

fn mpsc_unbounded(ops: u64) -> Work {
    Box::pin(async move {
        let (tx, mut rx) = mpsc::unbounded_channel::<u64>();
        for _ in 0..4 {
            let tx = tx.clone();
            rt::spawn(async move {
                for value in 0..ops / 4 {
                    tx.send(value).unwrap();
                    if value % 64 == 63 {
                        rt::task::yield_now().await;
                    }
                }
            });
        }
        drop(tx);
        while let Some(value) = rx.recv().await {
            black_box(value);
        }
    })
}

fn oneshot_alone(ops: u64) -> Work {
    Box::pin(async move {
        for value in 0..ops {
            let (tx, rx) = oneshot::channel();
            tx.send(value).unwrap();
            assert_eq!(rx.await.unwrap(), value);
        }
    })
}

fn mutex_alone(ops: u64) -> Work {
    Box::pin(async move {
        let mutex = Mutex::new(0u64);
        for _ in 0..ops {
            *mutex.lock().await += 1;
        }
        assert_eq!(mutex.into_inner(), ops);
    })
}

/// Runs `share` in 16 tasks and waits for them.
async fn sixteen<F>(share: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks: Vec<_> = (0..16).map(|_| rt::spawn(share())).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

fn mutex_16(ops: u64) -> Work {
    Box::pin(async move {
        let mutex = Arc::new(Mutex::new(0u64));
        sixteen(|| {
            let mutex = mutex.clone();
            async move {
                for _ in 0..ops.div_ceil(16) {
                    *mutex.lock().await += 1;
                }
            }
        })
        .await;
    })
}

fn rwlock_read_16(ops: u64) -> Work {
    Box::pin(async move {
        let lock = Arc::new(RwLock::new(7u64));
        sixteen(|| {
            let lock = lock.clone();
            async move {
                for _ in 0..ops.div_ceil(16) {
                    black_box(*lock.read().await);
                }
            }
        })
        .await;
    })
}

fn notify_ping_pong(ops: u64) -> Work {
    Box::pin(async move {
        let ping = Arc::new(Notify::new());
        let pong = Arc::new(Notify::new());
        let (heard, answer) = (ping.clone(), pong.clone());
        let other = rt::spawn(async move {
            for _ in 0..ops {
                heard.notified().await;
                answer.notify_one();
            }
        });
        for _ in 0..ops {
            ping.notify_one();
            pong.notified().await;
        }
        other.await.unwrap();
    })
}

/// The sender waits for a receiver's word every 512 messages, so that nobody lags.
fn broadcast_8(ops: u64) -> Work {
    Box::pin(async move {
        let (tx, _) = broadcast::channel::<u64>(1_024);
        let (seen, mut caught_up) = mpsc::channel::<()>(8);
        let receivers: Vec<_> = (0..8)
            .map(|_| {
                let (mut rx, seen) = (tx.subscribe(), seen.clone());
                rt::spawn(async move {
                    while let Ok(value) = rx.recv().await {
                        if value % 512 == 511 {
                            seen.send(()).await.unwrap();
                        }
                    }
                })
            })
            .collect();
        for value in 0..ops {
            tx.send(value).unwrap();
            if value % 512 == 511 {
                for _ in 0..8 {
                    caught_up.recv().await.unwrap();
                }
            }
        }
        drop(tx);
        for receiver in receivers {
            receiver.await.unwrap();
        }
    })
}

fn select_two(ops: u64) -> Work {
    Box::pin(async move {
        let (one, mut first) = mpsc::channel::<u64>(100);
        let (two, mut second) = mpsc::channel::<u64>(100);
        for tx in [one, two] {
            rt::spawn(async move {
                for value in 0..ops / 2 {
                    tx.send(value).await.unwrap();
                }
            });
        }
        let mut left = ops / 2 * 2;
        while left > 0 {
            let value = rt::select! {
                Some(value) = first.recv() => value,
                Some(value) = second.recv() => value,
            };
            black_box(value);
            left -= 1;
        }
    })
}
