//! Tasks that are woken together: more than a worker's queue holds, beside wakers of others.

use shinkan_base::wakers::Wakers;
use shinkan_context::services::wake_all;
use shinkan_rt::{Builder, Runtime};
use shinkan_task::JoinHandle;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};

/// More than a queue's 256, and more than the wakers that need no allocation.
const TASKS: usize = 1_000;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Tasks that sleep once, and leave their wakers.
fn sleepers(on: &Runtime, wakers: &Arc<Mutex<Vec<Waker>>>) -> Vec<JoinHandle<usize>> {
    let sleeper = |number| {
        let wakers = wakers.clone();
        let mut polls = 0;
        on.spawn(poll_fn(move |cx| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(number);
            }
            wakers.lock().unwrap().push(cx.waker().clone());
            Poll::Pending
        }))
    };
    (0..TASKS).map(sleeper).collect()
}

fn runtimes() -> Vec<Runtime> {
    let mut all = Vec::new();
    for workers in [1, 4] {
        for lifo in [true, false] {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(workers);
            if !lifo {
                builder.disable_lifo_slot();
            }
            all.push(builder.build().unwrap());
        }
    }
    all.push(Builder::new_current_thread().build().unwrap());
    all
}

#[test]
fn all_are_polled_once_more_and_foreign_wakers_are_called() {
    for runtime in runtimes() {
        let other = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let wakers = Arc::new(Mutex::new(Vec::new()));
        let own = sleepers(&runtime, &wakers);
        let others = sleepers(&other, &wakers);
        let foreign = Arc::new(Count::default());
        let woken = foreign.clone();
        let wakes = runtime.spawn(async move {
            let mut asleep = Vec::new();
            while asleep.len() < 2 * TASKS {
                asleep.append(&mut wakers.lock().unwrap());
                shinkan_rt::yield_now().await;
            }
            let mut all = Wakers::new();
            for waker in asleep {
                all.push(waker.clone());
                all.push(Waker::from(woken.clone()));
                // One that comes too late: the task is queued by then, runs, or has ended.
                all.push(waker);
            }
            wake_all(&mut all);
            assert!(all.is_empty());
        });
        runtime.block_on(async {
            wakes.await.unwrap();
            for (number, task) in own.into_iter().chain(others).enumerate() {
                assert_eq!(task.await.unwrap(), number % TASKS);
            }
        });
        assert_eq!(foreign.0.load(Ordering::SeqCst), 2 * TASKS);
        assert_eq!(Arc::strong_count(&foreign), 1);
    }
}
