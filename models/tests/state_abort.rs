//! The state of a task: whoever aborts it or closes its registry, the future is dropped once, by
//! one who may, and no poll comes after.
#![cfg(shinkan_loom)]

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use shinkan_task::{Id, JoinHandle, Registry, RunQueue, Runnable, Schedule, TaskRef, spawn};
use std::future::{Future, pending};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What the tasks refer to for nothing: it lives as long as the model's run.
struct Shared {
    queue: Mutex<RunQueue>,
    registry: Registry,
}

#[derive(Clone, Copy)]
struct Runtime(&'static Shared);

impl Schedule for Runtime {
    fn schedule(&self, task: Runnable) {
        self.0.queue.lock().unwrap().push_back(task);
    }
    fn release(&self, task: &TaskRef) -> Option<TaskRef> {
        self.0.registry.remove(task)
    }
    fn copy(&self) -> Option<Self> {
        Some(*self)
    }
}

impl Runtime {
    fn new() -> Self {
        let shared = Shared { queue: Mutex::new(RunQueue::new()), registry: Registry::new(1) };
        Self(Box::leak(Box::new(shared)))
    }

    fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (runnable, task, handle) = spawn(future, self, Id::next(), Location::caller());
        self.0.registry.insert(task).expect("open");
        self.schedule(runnable);
        handle
    }

    fn run(self) {
        loop {
            let Some(task) = self.0.queue.lock().unwrap().pop_front() else { return };
            task.run();
        }
    }
}

struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn is_cancelled<T>(mut handle: JoinHandle<T>) -> bool {
    match Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(_)) => false,
        Poll::Ready(Err(error)) => {
            assert!(error.is_cancelled(), "{error}");
            true
        }
        Poll::Pending => panic!("the task has not ended"),
    }
}

fn for_ever(drops: &Arc<AtomicUsize>) -> impl Future<Output = ()> + Send + use<> {
    let guard = Dropped(drops.clone());
    async move {
        let _guard = guard;
        pending::<()>().await;
    }
}

#[test]
fn abort_meets_a_poll() {
    loom::model(|| {
        let rt = Runtime::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let handle = rt.spawn(for_ever(&drops));
        let abort = handle.abort_handle();
        let aborter = thread::spawn(move || abort.abort());
        rt.run();
        aborter.join().unwrap();
        rt.run();
        assert_eq!(drops.load(Relaxed), 1, "the future is dropped once");
        assert!(is_cancelled(handle));
    });
}

#[test]
fn close_meets_a_poll() {
    loom::model(|| {
        let rt = Runtime::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let handle = rt.spawn(for_ever(&drops));
        let closer = thread::spawn(move || rt.0.registry.close_and_shutdown());
        rt.run();
        closer.join().unwrap();
        rt.run();
        assert_eq!(drops.load(Relaxed), 1, "the future is dropped once");
        assert!(is_cancelled(handle));
    });
}

#[test]
fn close_meets_the_end() {
    loom::model(|| {
        let rt = Runtime::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let guard = Dropped(drops.clone());
        let handle = rt.spawn(async move { drop(guard) });
        let closer = thread::spawn(move || rt.0.registry.close_and_shutdown());
        rt.run();
        closer.join().unwrap();
        assert_eq!(drops.load(Relaxed), 1, "the future is dropped once");
        let _ = is_cancelled(handle);
        assert!(rt.0.registry.is_empty());
    });
}

#[test]
fn abort_meets_close() {
    loom::model(|| {
        let rt = Runtime::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let handle = rt.spawn(for_ever(&drops));
        rt.run();
        let abort = handle.abort_handle();
        let aborter = thread::spawn(move || abort.abort());
        rt.0.registry.close_and_shutdown();
        rt.run();
        aborter.join().unwrap();
        // A Runnable that the aborter made after the close is void, or there is none.
        rt.run();
        assert_eq!(drops.load(Relaxed), 1, "the future is dropped once");
        assert!(is_cancelled(handle));
    });
}
