//! The state of a task: a worker that has a waker takes the Runnable itself, while others wake, poll
//! or end the task.
#![cfg(shinkan_loom)]

use core::ptr::NonNull;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread;
use shinkan_task::{Id, JoinHandle, RunQueue, Runnable, Schedule, TaskRef, runnable_of, spawn};
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// The queue of one task, which lives as long as the model's run, and the only home.
#[derive(Clone)]
struct Queue {
    tasks: &'static Mutex<RunQueue>,
    /// One more for each task that is not freed. No part of what the model explores.
    cells: Arc<()>,
}

impl Schedule for Queue {
    fn schedule(&self, task: Runnable) {
        let mut tasks = self.tasks.lock().unwrap();
        assert!(tasks.is_empty(), "two Runnables of one task");
        tasks.push_back(task);
    }
    fn release(&self, _: &TaskRef) -> Option<TaskRef> {
        None
    }
    fn home(&self) -> Option<NonNull<()>> {
        Some(NonNull::from(self.tasks).cast())
    }
    fn copy(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl Queue {
    fn new() -> Self {
        let tasks = shinkan_models::leaked(Mutex::new(RunQueue::new()));
        Self { tasks, cells: Arc::new(()) }
    }

    fn spawn<F>(&self, future: F) -> (TaskRef, JoinHandle<F::Output>)
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (runnable, task, handle) = spawn(future, self.clone(), Id::next(), Location::caller());
        self.schedule(runnable);
        (task, handle)
    }

    fn run(&self) {
        loop {
            let Some(task) = self.tasks.lock().unwrap().pop_front() else { return };
            task.run();
        }
    }

    /// What a worker does with a waker that it harvested: it queues the task where no other looks,
    /// and runs it. True: it did.
    fn harvest(&self, waker: Waker) -> bool {
        let home = self.home().expect("all tasks are at home");
        match runnable_of(waker, home) {
            Ok(task) => {
                let mut own = RunQueue::new();
                own.push_back(task);
                own.pop_front().expect("just pushed").run();
                true
            }
            Err(waker) => {
                waker.wake();
                false
            }
        }
    }

    /// The task has ended, and with `handle` its memory goes.
    fn ended<T>(&self, handle: JoinHandle<T>) {
        assert!(handle.is_finished(), "a wake-up was lost");
        drop(handle);
        assert_eq!(Arc::strong_count(&self.cells), 1, "the task was not freed");
    }
}

/// A flag as weak as can be: only the wake-up orders it.
fn flag() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

/// Done once all flags are seen.
fn until(flags: &[Arc<AtomicBool>]) -> impl Future<Output = ()> + Send + use<> {
    let flags = flags.to_vec();
    poll_fn(move |_| match flags.iter().all(|flag| flag.load(Relaxed)) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
}

/// The worker meets the task queued, polled, ending its poll, or asleep.
#[test]
fn a_harvest_meets_a_poll() {
    loom::model(|| {
        let queue = Queue::new();
        let flag = flag();
        let (task, handle) = queue.spawn(until(&[flag.clone()]));
        let waker = task.waker();
        drop(task);
        let worker = thread::spawn({
            let queue = queue.clone();
            move || {
                flag.store(true, Relaxed);
                queue.harvest(waker);
            }
        });
        queue.run();
        worker.join().unwrap();
        queue.run();
        queue.ended(handle);
    });
}

/// The worker and another thread wake a task that sleeps: one poll sees both flags, or two polls do.
#[test]
fn a_harvest_meets_a_wake_up_by_reference() {
    loom::model(|| {
        let queue = Queue::new();
        let (first, second) = (flag(), flag());
        let (task, handle) = queue.spawn(until(&[first.clone(), second.clone()]));
        queue.run();
        let waker = task.waker();
        let worker = thread::spawn({
            let queue = queue.clone();
            move || {
                first.store(true, Relaxed);
                queue.harvest(waker);
            }
        });
        second.store(true, Relaxed);
        task.wake();
        queue.run();
        worker.join().unwrap();
        queue.run();
        drop(task);
        queue.ended(handle);
    });
}

/// The worker and the end of the runtime: the task is polled or not, but its future is dropped once,
/// and nothing is left of it.
#[test]
fn a_harvest_meets_the_end() {
    loom::model(|| {
        let queue = Queue::new();
        let dropped = Arc::new(());
        let its = dropped.clone();
        let (task, handle) = queue.spawn(poll_fn(move |_| {
            let _ = &its;
            Poll::<()>::Pending
        }));
        queue.run();
        let waker = task.waker();
        let worker = thread::spawn({
            let queue = queue.clone();
            move || queue.harvest(waker)
        });
        task.shutdown();
        let _ = worker.join().unwrap();
        queue.run();
        assert_eq!(Arc::strong_count(&dropped), 1, "the future was not dropped");
        queue.ended(handle);
    });
}
