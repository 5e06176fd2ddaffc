//! The state of a task: the joiner is told, and the output is taken or dropped once.
#![cfg(shinkan_loom)]

use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use shinkan_task::{Id, JoinHandle, Runnable, Schedule, TaskRef, spawn};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// The tasks here are never woken.
struct Nowhere;

impl Schedule for Nowhere {
    fn schedule(&self, _: Runnable) {
        unreachable!("nobody wakes it");
    }
    fn release(&self, _: &TaskRef) -> Option<TaskRef> {
        None
    }
}

fn task<F>(future: F) -> (Runnable, JoinHandle<F::Output>)
where
    F: Future<Output: Send> + Send + 'static,
{
    let (runnable, task, handle) = spawn(future, Nowhere, Id::next(), Location::caller());
    drop(task);
    (runnable, handle)
}

struct Count(AtomicUsize);

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self(AtomicUsize::new(0)));
        (count.clone(), Waker::from(count))
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn poll<T>(handle: &mut JoinHandle<T>, waker: &Waker) -> Option<T> {
    match Pin::new(handle).poll(&mut Context::from_waker(waker)) {
        Poll::Ready(outcome) => Some(outcome.expect("it ends by itself")),
        Poll::Pending => None,
    }
}

/// An output that counts its drops.
struct Output(Arc<AtomicUsize>);

impl Drop for Output {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_joiner_meets_the_end() {
    loom::model(|| {
        let (runnable, mut handle) = task(async { 5 });
        let worker = thread::spawn(move || runnable.run());
        let (count, waker) = Count::new();
        let early = poll(&mut handle, &waker);
        worker.join().unwrap();
        if early.is_none() {
            assert_eq!(count.0.load(Relaxed), 1, "the joiner was not told");
        }
        let output = early.or_else(|| poll(&mut handle, &waker));
        assert_eq!(output, Some(5));
    });
}

#[test]
fn a_joiner_that_changes_its_waker_meets_the_end() {
    loom::model(|| {
        let (runnable, mut handle) = task(async { 5 });
        let (_first, first_waker) = Count::new();
        assert!(poll(&mut handle, &first_waker).is_none());
        let worker = thread::spawn(move || runnable.run());
        let (second, second_waker) = Count::new();
        let early = poll(&mut handle, &second_waker);
        worker.join().unwrap();
        if early.is_none() {
            assert_eq!(second.0.load(Relaxed), 1, "the joiner's last waker was not told");
        }
        let output = early.or_else(|| poll(&mut handle, &second_waker));
        assert_eq!(output, Some(5));
    });
}

#[test]
fn a_handle_leaves_while_the_task_ends() {
    loom::model(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let output = Output(drops.clone());
        let (runnable, handle) = task(async { output });
        let worker = thread::spawn(move || runnable.run());
        drop(handle);
        worker.join().unwrap();
        assert_eq!(drops.load(Relaxed), 1, "the output is dropped once");
    });
}

#[test]
fn a_waiting_handle_leaves_while_the_task_ends() {
    loom::model(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let output = Output(drops.clone());
        let (runnable, mut handle) = task(async { output });
        let (count, waker) = Count::new();
        assert!(poll(&mut handle, &waker).is_none());
        drop(waker);
        let worker = thread::spawn(move || runnable.run());
        drop(handle);
        worker.join().unwrap();
        assert_eq!(drops.load(Relaxed), 1, "the output is dropped once");
        assert_eq!(Arc::strong_count(&count), 1, "the waker is dropped once");
    });
}
