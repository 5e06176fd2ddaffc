//! Three workers stepped on one thread over the simulated driver: the same seed gives the same
//! trace, another seed another one.

use shinkan_sim::{Polled, World};
use shinkan_sync::{Mutex, mpsc};
use std::sync::Arc;
use std::time::Duration;

/// Producers, a consumer, a lock, timers and yields; the trace of the whole run.
fn run(seed: u64) -> (Vec<Polled>, Vec<u32>) {
    let mut world = World::new(3, seed);
    let (send, mut receive) = mpsc::channel(2);
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (name, base) in [("p0", 0), ("p1", 100), ("p2", 200), ("p3", 300)] {
        let (send, order) = (send.clone(), order.clone());
        tasks.push(world.spawn(name, async move {
            for i in 0..8 {
                send.send(base + i).await.expect("the consumer lives");
                shinkan_rt::yield_now().await;
                order.lock().await.push(base + i);
                if i % 4 == 3 {
                    sleep(Duration::from_millis(u64::from(i))).await;
                }
            }
        }));
    }
    drop(send);
    let consumer = world.spawn("consumer", async move {
        let mut seen = Vec::new();
        while let Some(n) = receive.recv().await {
            seen.push(n);
            if n % 7 == 0 {
                shinkan_rt::yield_now().await;
            }
        }
        seen
    });
    let done = || tasks.iter().all(|t| t.is_finished()) && consumer.is_finished();
    assert!(world.run_until(200_000, done), "the run does not end");
    let locked = order.try_lock().expect("all have ended").clone();
    (world.trace(), locked)
}

async fn sleep(duration: Duration) {
    let place = core::panic::Location::caller();
    let mut timer = Box::pin(shinkan_rt::Timer::after(duration));
    core::future::poll_fn(|cx| timer.as_mut().poll_elapsed(cx, place)).await;
}

#[test]
fn one_seed_one_trace() {
    for seed in [1, 2, 77] {
        let (first, second) = (run(seed), run(seed));
        assert_eq!(first, second, "seed {seed}");
        assert_eq!(first.1.len(), 32);
    }
}

#[test]
fn another_seed_another_trace() {
    let traces: Vec<_> = (0..4).map(run).collect();
    for (i, a) in traces.iter().enumerate() {
        for b in &traces[i + 1..] {
            assert_ne!(a.0, b.0);
        }
    }
}

#[test]
fn every_worker_has_its_part() {
    let (trace, _) = run(3);
    for worker in 0..3 {
        assert!(trace.iter().any(|polled| polled.worker == worker), "worker {worker} polled none");
    }
}
