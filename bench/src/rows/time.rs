//! Timers that fire and timers that do not.

use super::{Row, Work, rt};
use crate::floors::Floor;
use std::pin::pin;
use std::time::Duration;

pub(super) const ROWS: &[Row] = &[
    Row::new("timeout", "timeout of 30 s around one yield", 120_000, timeouts)
        .floor(Floor::Timer, 1.0)
        .at_most(0.2)
        .counted(),
    Row::new("timeout_64", "the same in 64 tasks", 120_000, timeouts_64)
        .floor(Floor::Timer, 1.0)
        .at_most(0.2),
    Row::new("timers_10k", "a timer set and cancelled beside 10,000", 400_000, cancelled)
        .floor(Floor::Timer, 1.0),
    Row::new("sleeps_100k", "100,000 sleeps of 1 to 50 ms at once", 100_000, sleeps)
        .floor(Floor::Spawn, 1.0),
];

async fn some_timeouts(ops: u64) {
    for _ in 0..ops {
        rt::time::timeout(Duration::from_secs(30), rt::task::yield_now()).await.unwrap();
    }
}

fn timeouts(ops: u64) -> Work {
    Box::pin(some_timeouts(ops))
}

fn timeouts_64(ops: u64) -> Work {
    Box::pin(async move {
        let tasks: Vec<_> = (0..64).map(|_| rt::spawn(some_timeouts(ops.div_ceil(64)))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    })
}

fn cancelled(ops: u64) -> Work {
    Box::pin(async move {
        let far = |nth: u64| Box::pin(rt::time::sleep(Duration::from_secs(60 + nth % 600)));
        let mut resident: Vec<_> = (0..10_000).map(far).collect();
        for timer in &mut resident {
            assert!(futures::poll!(timer).is_pending());
        }
        for nth in 0..ops {
            // A timer is set by its first poll, and cancelled by its drop.
            let mut timer = pin!(rt::time::sleep(Duration::from_millis(500 + nth % 50_000)));
            assert!(futures::poll!(&mut timer).is_pending());
            if nth % 128 == 127 {
                rt::task::yield_now().await;
            }
        }
    })
}

/// Wall time has a floor of 50 ms here; the CPU column is the one to read.
fn sleeps(ops: u64) -> Work {
    Box::pin(async move {
        let tasks: Vec<_> = (0..ops)
            .map(|n| {
                rt::spawn(async move { rt::time::sleep(Duration::from_millis(1 + n % 50)).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    })
}
