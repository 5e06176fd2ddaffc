//! What waits behind a worker that is stuck, while the other has work of its own all the time: it
//! is taken over, without the monitor.

use shinkan_rt::{Builder, Runtime, spawn, worker_index, yield_now};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Two workers, each with a task that yields over and over until the end.
struct Busy {
    runtime: Runtime,
    ended: Arc<AtomicBool>,
}

impl Busy {
    fn new() -> Self {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().no_seizing().stall_monitor(false);
        let runtime = builder.build().unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let at = Arc::new(Mutex::new([None; 2]));
        for task in 0..2 {
            let (at, ended) = (at.clone(), ended.clone());
            runtime.spawn(async move {
                while !ended.load(Ordering::SeqCst) {
                    at.lock().unwrap()[task] = worker_index();
                    yield_now().await;
                }
            });
        }
        // Each has taken one.
        while at.lock().unwrap().iter().flatten().collect::<HashSet<_>>().len() < 2 {
            std::thread::yield_now();
        }
        Self { runtime, ended }
    }

    /// A task spawns so many, and holds its worker until all have run.
    fn stuck_before(&self, others: usize) {
        let stuck = self.runtime.spawn(async move {
            let has_run = Arc::new(AtomicUsize::new(0));
            for _ in 0..others {
                let its = has_run.clone();
                spawn(async move { its.fetch_add(1, Ordering::SeqCst) });
            }
            while has_run.load(Ordering::SeqCst) < others {
                std::thread::yield_now();
            }
        });
        self.runtime.block_on(stuck).unwrap();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

#[test]
fn its_queue_goes_to_a_worker_with_work_of_its_own() {
    Busy::new().stuck_before(20);
}

#[test]
fn so_does_the_one_task_that_it_wanted_next() {
    Busy::new().stuck_before(1);
}
