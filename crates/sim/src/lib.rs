//! Runs that can be repeated: workers stepped on one thread, in an order that a seed chooses, with
//! a trace of who polled what.
//!
//! The runtime is the production one; see [`shinkan_rt::Stepper`]. Hosts, links, disks and faults
//! are not here yet.

#![deny(unsafe_code)]

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use shinkan_rt::{Handle, Stepper};
use shinkan_task::JoinHandle;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One poll of a traced task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Polled {
    /// Which step of the run it was.
    pub step: u64,
    /// The worker that polled.
    pub worker: usize,
    /// The name under which the task was spawned.
    pub task: &'static str,
    /// Whether the task ended.
    pub ended: bool,
}

impl fmt::Display for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.ended { " end" } else { "" };
        write!(f, "{:>6} worker {} {}{end}", self.step, self.worker, self.task)
    }
}

#[derive(Debug, Default)]
struct Recorder {
    step: AtomicUsize,
    worker: AtomicUsize,
    trace: Mutex<Vec<Polled>>,
}

/// A small world: workers without threads, and the trace of the tasks that it spawned.
#[derive(Debug)]
pub struct World {
    stepper: Stepper,
    recorder: Arc<Recorder>,
}

impl World {
    /// `workers` workers whose every arbitrary choice is decided by `seed`.
    ///
    /// # Examples
    /// ```
    /// let run = |seed| {
    ///     let mut world = shinkan_sim::World::new(3, seed);
    ///     let a = world.spawn("a", async { 1 });
    ///     let b = world.spawn("b", async { 2 });
    ///     assert!(world.run_until(1_000, || a.is_finished() && b.is_finished()));
    ///     world.trace()
    /// };
    /// assert_eq!(run(7), run(7));
    /// ```
    pub fn new(workers: usize, seed: u64) -> Self {
        Self { stepper: Stepper::new(workers, seed), recorder: Arc::default() }
    }

    /// The handle of its runtime.
    pub fn handle(&self) -> &Handle {
        self.stepper.handle()
    }

    /// Spawns a task whose polls are traced under `name`.
    #[track_caller]
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let _within = self.handle().enter();
        let traced = Traced { future: Box::pin(future), name, recorder: self.recorder.clone() };
        self.handle().spawn(traced)
    }

    /// Steps until `done` answers true, at most `most` steps; whether it did.
    pub fn run_until(&mut self, most: u64, mut done: impl FnMut() -> bool) -> bool {
        for _ in 0..most {
            if done() {
                return true;
            }
            let worker = self.stepper.next_worker();
            self.recorder.worker.store(worker, Ordering::Relaxed);
            self.recorder.step.fetch_add(1, Ordering::Relaxed);
            self.stepper.step_worker(worker);
        }
        done()
    }

    /// What was polled so far, in order.
    pub fn trace(&self) -> Vec<Polled> {
        self.recorder.trace.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Traced<F> {
    future: Pin<Box<F>>,
    name: &'static str,
    recorder: Arc<Recorder>,
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polled = self.future.as_mut().poll(cx);
        let recorder = &self.recorder;
        let event = Polled {
            step: recorder.step.load(Ordering::Relaxed) as u64,
            worker: recorder.worker.load(Ordering::Relaxed),
            task: self.name,
            ended: polled.is_ready(),
        };
        recorder.trace.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        polled
    }
}
