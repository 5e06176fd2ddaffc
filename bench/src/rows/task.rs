//! Spawning, joining, yielding, leaving the pool and coming back.

use super::{Row, Work, rt};
use crate::floors::Floor;
use rt::sync::{mpsc, oneshot};

pub(super) const ROWS: &[Row] = &[
    Row::new("spawn_join", "spawn an empty task and join it", 200_000, spawn_join)
        .floor(Floor::Spawn, 1.0)
        .at_most(0.5)
        .counted(),
    Row::new("spawn_join_1000", "spawn 1,000, join 1,000", 200_000, spawn_join_1000)
        .floor(Floor::Spawn, 1.0)
        .counted(),
    Row::outside(
        "spawn_join_1000_outside",
        "the same from the block_on thread",
        150_000,
        spawn_join_1000,
    )
    .floor(Floor::Spawn, 1.0),
    Row::new("yield_200", "yield, 200 tasks", 1_500_000, yield_200)
        .floor(Floor::Turn, 1.0)
        .counted(),
    Row::new("spawn_chain", "a task spawns the next, 1,000 deep", 200_000, spawn_chain)
        .floor(Floor::Spawn, 1.0)
        .counted(),
    Row::new("oneshot_ping_pong", "two fresh tasks and two oneshots", 60_000, oneshot_ping_pong)
        .floor(Floor::Spawn, 2.0)
        .counted(),
    Row::outside(
        "block_on_ping_pong",
        "block_on thread to a worker and back, mpsc of 1",
        6_000,
        there_and_back,
    )
    .floor(Floor::Futex, 1.0)
    .at_most(0.6),
    Row::new("spawn_blocking", "spawn_blocking, one after the other", 3_000, spawn_blocking)
        .floor(Floor::Futex, 1.0)
        .at_most(0.5),
];

fn spawn_join(ops: u64) -> Work {
    Box::pin(async move {
        for _ in 0..ops {
            rt::spawn(async {}).await.unwrap();
        }
    })
}

fn spawn_join_1000(ops: u64) -> Work {
    Box::pin(async move {
        let mut handles = Vec::with_capacity(1_000);
        let mut left = ops;
        while left > 0 {
            let n = left.min(1_000);
            handles.extend((0..n).map(|_| rt::spawn(async {})));
            for handle in handles.drain(..) {
                handle.await.unwrap();
            }
            left -= n;
        }
    })
}

fn yield_200(ops: u64) -> Work {
    Box::pin(async move {
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                rt::spawn(async move {
                    for _ in 0..ops.div_ceil(200) {
                        rt::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    })
}

fn chain(left: u64, done: oneshot::Sender<()>) {
    rt::spawn(async move {
        if left == 0 {
            done.send(()).unwrap();
        } else {
            chain(left - 1, done);
        }
    });
}

fn spawn_chain(ops: u64) -> Work {
    Box::pin(async move {
        let mut left = ops;
        while left > 0 {
            let n = left.min(1_000);
            let (done, end) = oneshot::channel();
            chain(n - 1, done);
            end.await.unwrap();
            left -= n;
        }
    })
}

fn oneshot_ping_pong(ops: u64) -> Work {
    Box::pin(async move {
        for _ in 0..ops {
            let ping = rt::spawn(async {
                let (there, arrives) = oneshot::channel::<()>();
                let (back, returns) = oneshot::channel::<()>();
                rt::spawn(async move {
                    arrives.await.unwrap();
                    back.send(()).unwrap();
                });
                there.send(()).unwrap();
                returns.await.unwrap();
            });
            ping.await.unwrap();
        }
    })
}

fn there_and_back(ops: u64) -> Work {
    Box::pin(async move {
        let (there, mut arrives) = mpsc::channel::<u64>(1);
        let (back, mut returns) = mpsc::channel::<u64>(1);
        let echo = rt::spawn(async move {
            while let Some(value) = arrives.recv().await {
                back.send(value).await.unwrap();
            }
        });
        for value in 0..ops {
            there.send(value).await.unwrap();
            returns.recv().await.unwrap();
        }
        drop(there);
        echo.await.unwrap();
    })
}

fn spawn_blocking(ops: u64) -> Work {
    Box::pin(async move {
        for value in 0..ops {
            assert_eq!(rt::task::spawn_blocking(move || value).await.unwrap(), value);
        }
    })
}
