//! The state of a task: no wake-up is lost, whenever it comes.
#![cfg(shinkan_loom)]

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread;
use shinkan_task::{Id, JoinHandle, RunQueue, Runnable, Schedule, TaskRef, spawn};
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::sync::Arc;
use std::task::Poll;

/// A queue that its tasks refer to for nothing: it lives as long as the model's run.
#[derive(Clone, Copy)]
struct Queue(&'static Mutex<RunQueue>);

impl Schedule for Queue {
    fn schedule(&self, task: Runnable) {
        self.0.lock().unwrap().push_back(task);
    }
    fn release(&self, _: &TaskRef) -> Option<TaskRef> {
        None
    }
    fn copy(&self) -> Option<Self> {
        Some(*self)
    }
}

impl Queue {
    fn new() -> Self {
        Self(Box::leak(Box::new(Mutex::new(RunQueue::new()))))
    }

    fn spawn<F>(self, future: F) -> (TaskRef, JoinHandle<F::Output>)
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (runnable, task, handle) = spawn(future, self, Id::next(), Location::caller());
        self.schedule(runnable);
        (task, handle)
    }

    fn run(self) {
        loop {
            let Some(task) = self.0.lock().unwrap().pop_front() else { return };
            task.run();
        }
    }
}

/// Done once the flag is seen. The flag is as weak as can be: only the wake-up orders it.
fn until(flag: &Arc<AtomicBool>) -> impl Future<Output = ()> + Send + use<> {
    let flag = flag.clone();
    poll_fn(move |_| if flag.load(Relaxed) { Poll::Ready(()) } else { Poll::Pending })
}

/// The wake-up meets the task queued, polled, ending its poll, or asleep.
#[test]
fn a_wake_up_meets_a_poll() {
    loom::model(|| {
        let queue = Queue::new();
        let flag = Arc::new(AtomicBool::new(false));
        let (task, handle) = queue.spawn(until(&flag));
        let waker = thread::spawn(move || {
            flag.store(true, Relaxed);
            task.wake();
        });
        queue.run();
        waker.join().unwrap();
        queue.run();
        assert!(handle.is_finished(), "a wake-up was lost");
    });
}

/// The same with the last waker, whose reference becomes the Runnable's.
#[test]
fn the_last_waker_meets_a_poll() {
    loom::model(|| {
        let queue = Queue::new();
        let flag = Arc::new(AtomicBool::new(false));
        let (task, handle) = queue.spawn(until(&flag));
        let waker = task.waker();
        drop(task);
        let waker = thread::spawn(move || {
            flag.store(true, Relaxed);
            waker.wake();
        });
        queue.run();
        waker.join().unwrap();
        queue.run();
        assert!(handle.is_finished(), "a wake-up was lost");
    });
}

/// Two wake-ups: one poll sees both flags, or two polls do.
#[test]
fn two_wake_ups_meet_a_sleeping_task() {
    loom::model(|| {
        let queue = Queue::new();
        let flags = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
        let both = {
            let flags = flags.clone();
            poll_fn(move |_| match flags.iter().all(|flag| flag.load(Relaxed)) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
        };
        let (task, handle) = queue.spawn(both);
        queue.run();
        let [first, second] = flags;
        let other = task.waker();
        let waker = thread::spawn(move || {
            first.store(true, Relaxed);
            other.wake();
        });
        second.store(true, Relaxed);
        task.wake();
        queue.run();
        waker.join().unwrap();
        queue.run();
        assert!(handle.is_finished(), "a wake-up was lost");
    });
}
