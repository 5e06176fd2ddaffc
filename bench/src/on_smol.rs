//! smol, for the rows whose operations its API has: its own executor with as many threads, its
//! channels, locks, timers and sockets. Sources of its own, since its names differ; what a row does
//! is what the row of the same name in `rows/` does.

use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Executor, Timer, channel, future, lock, net, unblock};
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::row::Length;
use crate::sample::{Mark, Sample};

type Pool = Arc<Executor<'static>>;
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;
type Row = (&'static str, fn(Pool, u64) -> Work);

const ROWS: [Row; 11] = [
    ("spawn_join", |pool, ops| {
        Box::pin(async move {
            for _ in 0..ops {
                pool.spawn(async {}).await;
            }
        })
    }),
    ("spawn_join_1000", |pool, ops| Box::pin(spawn_join_1000(pool, ops))),
    ("yield_200", |pool, ops| {
        Box::pin(share(pool, 200, ops, |times| async move {
            for _ in 0..times {
                future::yield_now().await;
            }
        }))
    }),
    ("spawn_blocking", |_, ops| {
        Box::pin(async move {
            for value in 0..ops {
                assert_eq!(unblock(move || value).await, value);
            }
        })
    }),
    ("mpsc_100", |pool, ops| Box::pin(messages(pool, channel::bounded(100), ops))),
    ("mpsc_unbounded", |pool, ops| Box::pin(messages(pool, channel::unbounded(), ops))),
    ("mutex_alone", |_, ops| {
        Box::pin(async move {
            let mutex = lock::Mutex::new(0u64);
            for _ in 0..ops {
                *mutex.lock().await += 1;
            }
        })
    }),
    ("mutex_16", |pool, ops| {
        let mutex = Arc::new(lock::Mutex::new(0u64));
        Box::pin(share(pool, 16, ops, move |times| {
            let mutex = mutex.clone();
            async move {
                for _ in 0..times {
                    *mutex.lock().await += 1;
                }
            }
        }))
    }),
    ("rwlock_read_16", |pool, ops| {
        let lock = Arc::new(lock::RwLock::new(7u64));
        Box::pin(share(pool, 16, ops, move |times| {
            let lock = lock.clone();
            async move {
                for _ in 0..times {
                    black_box(*lock.read().await);
                }
            }
        }))
    }),
    ("sleeps_100k", |pool, ops| {
        Box::pin(async move {
            let sleep = |n| {
                pool.spawn(async move { _ = Timer::after(Duration::from_millis(1 + n % 50)).await })
            };
            let tasks: Vec<_> = (0..ops).map(sleep).collect();
            for task in tasks {
                task.await;
            }
        })
    }),
    ("tcp_128_pairs", |pool, ops| Box::pin(pairs(pool, 128, ops))),
];

/// None: the row's operation is not smol's.
pub(crate) fn round(name: &str, length: Length) -> Option<Sample> {
    let work = ROWS.iter().find(|row| row.0 == name)?.1;
    let Length { warm, ops, workers, .. } = length;
    let pool: Pool = Arc::default();
    let (stop, end) = channel::bounded::<()>(1);
    Some(std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| future::block_on(pool.run(end.recv())));
        }
        let inside = pool.clone();
        let measured = pool.spawn(async move {
            work(inside.clone(), warm.max(1)).await;
            let mark = Mark::now();
            work(inside, ops).await;
            mark.sample(ops)
        });
        let sample = future::block_on(measured);
        drop(stop);
        sample
    }))
}

async fn spawn_join_1000(pool: Pool, ops: u64) {
    let mut handles = Vec::with_capacity(1_000);
    let mut left = ops;
    while left > 0 {
        let n = left.min(1_000);
        handles.extend((0..n).map(|_| pool.spawn(async {})));
        for handle in handles.drain(..) {
            handle.await;
        }
        left -= n;
    }
}

/// Has `tasks` tasks do a share of the operations each.
async fn share<F>(pool: Pool, tasks: u64, ops: u64, work: impl Fn(u64) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tasks: Vec<_> = (0..tasks).map(|_| pool.spawn(work(ops.div_ceil(tasks)))).collect();
    for task in tasks {
        task.await;
    }
}

async fn messages(pool: Pool, (tx, rx): (channel::Sender<u64>, channel::Receiver<u64>), ops: u64) {
    for _ in 0..4 {
        let tx = tx.clone();
        let sender = async move {
            for value in 0..ops / 4 {
                tx.send(value).await.unwrap();
                // A channel without a bound lets nobody else run.
                if tx.capacity().is_none() && value % 64 == 63 {
                    future::yield_now().await;
                }
            }
        };
        pool.spawn(sender).detach();
    }
    drop(tx);
    while let Ok(value) = rx.recv().await {
        black_box(value);
    }
}

async fn pairs(pool: Pool, pairs: u64, ops: u64) {
    let listener = net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = Vec::new();
    for _ in 0..pairs {
        let mut near = net::TcpStream::connect(address).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        near.set_nodelay(true).unwrap();
        far.set_nodelay(true).unwrap();
        let mut buffer = [7; 64];
        tasks.push(pool.spawn(async move {
            while far.read_exact(&mut buffer).await.is_ok() {
                far.write_all(&buffer).await.unwrap();
            }
        }));
        tasks.push(pool.spawn(async move {
            for _ in 0..ops.div_ceil(pairs) {
                near.write_all(&buffer).await.unwrap();
                near.read_exact(&mut buffer).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await;
    }
}
