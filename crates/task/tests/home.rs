//! Who has a waker takes the Runnable of its task, where that sleeps and is at home; else the waker
//! comes back as it was.

mod common;

use common::{Count, Gate, output};
use core::ptr::NonNull;
use shinkan_task::{Id, JoinHandle, RunQueue, Runnable, Schedule, TaskRef, runnable_of, spawn};
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// One queue, of whose tasks some are at home.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<RunQueue>>);

static HOME: u8 = 0;
static OTHER: u8 = 1;

fn address(of: &'static u8) -> NonNull<()> {
    NonNull::from(of).cast()
}

struct At(Queue, &'static u8);

impl Schedule for At {
    fn schedule(&self, task: Runnable) {
        self.0.push(task);
    }
    fn release(&self, _: &TaskRef) -> Option<TaskRef> {
        None
    }
    fn home(&self) -> Option<NonNull<()>> {
        Some(address(self.1))
    }
}

/// Leaves its home to the default.
struct Homeless(Queue);

impl Schedule for Homeless {
    fn schedule(&self, task: Runnable) {
        self.0.push(task);
    }
    fn release(&self, _: &TaskRef) -> Option<TaskRef> {
        None
    }
}

impl Queue {
    fn push(&self, task: Runnable) {
        self.0.lock().unwrap().push_back(task);
    }

    fn spawn_on<F>(&self, scheduler: impl Schedule, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (runnable, task, handle) = spawn(future, scheduler, Id::next(), Location::caller());
        drop(task);
        self.push(runnable);
        handle
    }

    /// A task at home.
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.spawn_on(At(self.clone(), &HOME), future)
    }

    /// Runs what is queued until nothing is; the number of polls.
    fn run(&self) -> usize {
        let mut polls = 0;
        loop {
            let Some(task) = self.0.lock().unwrap().pop_front() else { return polls };
            task.run();
            polls += 1;
        }
    }

    fn queued(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Tasks whose memory is not freed: each keeps its scheduler.
    fn cells(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// A task that waits at the gate, and the waker that it left there.
fn asleep(queue: &Queue) -> (Arc<Gate>, JoinHandle<()>, Waker) {
    let gate = Gate::new();
    let handle = queue.spawn(gate.clone().wait());
    queue.run();
    let waker = gate.open().expect("it waits");
    (gate, handle, waker)
}

/// It comes back, as the same waker.
#[track_caller]
fn refused(waker: Waker, home: &'static u8) -> Waker {
    let (data, vtable) = (waker.data(), waker.vtable());
    let waker = runnable_of(waker, address(home)).expect_err("the waker comes back");
    assert!(core::ptr::eq(waker.data(), data) && core::ptr::eq(waker.vtable(), vtable));
    waker
}

#[test]
fn a_task_that_sleeps_is_taken_and_its_scheduler_is_not_called() {
    let queue = Queue::default();
    let (gate, handle, waker) = asleep(&queue);
    let task = runnable_of(waker, address(&HOME)).expect("it sleeps");
    assert_eq!((queue.queued(), gate.polls.load(SeqCst)), (0, 1));
    task.run();
    assert_eq!((queue.queued(), gate.polls.load(SeqCst)), (0, 2));
    assert!(output(handle).is_ok());
    assert_eq!(queue.cells(), 0);
}

#[test]
fn the_last_reference_is_the_wakers() {
    let queue = Queue::default();
    let (gate, handle, waker) = asleep(&queue);
    drop(handle);
    let task = runnable_of(waker, address(&HOME)).expect("it sleeps");
    assert_eq!(queue.cells(), 1);
    task.run();
    assert_eq!((queue.cells(), gate.polls.load(SeqCst)), (0, 2));
}

#[test]
fn a_task_that_is_taken_may_be_cancelled() {
    let queue = Queue::default();
    let (gate, handle, waker) = asleep(&queue);
    runnable_of(waker, address(&HOME)).expect("it sleeps").cancel();
    assert!(output(handle).unwrap_err().is_cancelled());
    assert_eq!((queue.cells(), gate.polls.load(SeqCst)), (0, 1));
}

#[test]
fn a_task_of_another_home_or_of_none_is_woken_through_its_scheduler() {
    for at_home in [true, false] {
        let queue = Queue::default();
        let spawn = |gate: &Arc<Gate>| match at_home {
            true => queue.spawn(gate.clone().wait()),
            false => queue.spawn_on(Homeless(queue.clone()), gate.clone().wait()),
        };
        let gate = Gate::new();
        let handle = spawn(&gate);
        queue.run();
        drop(refused(gate.waker().expect("it waits"), &OTHER));
        let waker = refused(gate.open().expect("it waits"), &OTHER);
        assert_eq!((queue.queued(), queue.cells()), (0, 1));
        waker.wake();
        assert_eq!(queue.run(), 1);
        assert!(output(handle).is_ok());
        assert_eq!(queue.cells(), 0);

        let gate = Gate::new();
        drop(spawn(&gate));
        queue.run();
        drop(refused(gate.open().expect("it waits"), &OTHER));
        assert_eq!(queue.cells(), 0, "the last waker was dropped");
    }
    let queue = Queue::default();
    let gate = Gate::new();
    let handle = queue.spawn_on(Homeless(queue.clone()), gate.clone().wait());
    queue.run();
    refused(gate.open().expect("it waits"), &HOME).wake();
    assert_eq!(queue.run(), 1);
    assert!(output(handle).is_ok());
}

#[test]
fn a_waker_that_is_no_tasks_comes_back() {
    let _ = refused(Waker::noop().clone(), &HOME);
    let (count, waker) = Count::new();
    refused(waker.clone(), &HOME).wake();
    assert_eq!((count.get(), Arc::strong_count(&count)), (1, 2));
    drop(refused(waker, &HOME));
    assert_eq!((count.get(), Arc::strong_count(&count)), (1, 1));
}

#[test]
fn a_task_that_is_queued_stays_where_it_is() {
    let queue = Queue::default();
    let (gate, handle, waker) = asleep(&queue);
    let (called, dropped) = (waker.clone(), waker.clone());
    waker.wake();
    drop(refused(dropped, &HOME));
    refused(called, &HOME).wake();
    assert_eq!((queue.queued(), queue.run(), gate.polls.load(SeqCst)), (1, 1, 2));
    assert!(output(handle).is_ok());
    assert_eq!(queue.cells(), 0);
}

#[test]
fn a_task_that_was_taken_is_not_taken_twice() {
    let queue = Queue::default();
    let (gate, handle, waker) = asleep(&queue);
    let (called, dropped) = (waker.clone(), waker.clone());
    let task = runnable_of(waker, address(&HOME)).expect("it sleeps");
    drop(refused(dropped, &HOME));
    refused(called, &HOME).wake();
    assert_eq!(queue.queued(), 0);
    task.run();
    assert_eq!((queue.run(), gate.polls.load(SeqCst)), (0, 2));
    assert!(output(handle).is_ok());
    assert_eq!(queue.cells(), 0);
}

#[test]
fn a_task_that_is_polled_is_polled_again_only_if_its_waker_is_called() {
    for (called, polls) in [(true, 2), (false, 1)] {
        let queue = Queue::default();
        let polled = Arc::new(AtomicUsize::new(0));
        let handle = queue.spawn(poll_fn({
            let polled = polled.clone();
            move |cx| {
                if polled.fetch_add(1, SeqCst) == 1 {
                    return Poll::Ready(());
                }
                let waker = refused(cx.waker().clone(), &HOME);
                if called {
                    waker.wake();
                }
                Poll::Pending
            }
        }));
        assert_eq!((queue.run(), polled.load(SeqCst)), (polls, polls));
        assert_eq!(handle.is_finished(), called);
        drop(handle);
        assert_eq!(queue.cells(), 0);
    }
}

#[test]
fn a_task_that_has_ended_does_not_run_again() {
    for ended_by_abort in [false, true] {
        let queue = Queue::default();
        let gate = Gate::new();
        let handle = queue.spawn(gate.clone().wait());
        queue.run();
        let (called, dropped) = (gate.waker().unwrap(), gate.waker().unwrap());
        if ended_by_abort {
            handle.abort();
            drop(gate.open());
        } else {
            gate.open().expect("it waits").wake();
        }
        assert_eq!(queue.run(), 1);
        drop(handle);
        assert_eq!(queue.cells(), 1, "its wakers keep it");
        drop(refused(dropped, &HOME));
        assert_eq!(queue.cells(), 1);
        refused(called, &HOME).wake();
        assert_eq!((queue.cells(), queue.queued()), (0, 0));
    }
}
