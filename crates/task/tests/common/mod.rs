//! A scheduler of one queue, run by the test itself.
#![allow(dead_code)]

use shinkan_task::{Id, JoinHandle, Registry, RunQueue, Runnable, Schedule, TaskRef};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

pub(crate) struct Shared {
    queue: Mutex<RunQueue>,
    pub(crate) registry: Registry,
    pub(crate) yields: AtomicUsize,
    pub(crate) panics: AtomicUsize,
}

#[derive(Clone)]
pub(crate) struct Runtime(pub(crate) Arc<Shared>, #[expect(dead_code)] Arc<Owner>);

/// Tasks keep the runtime and the runtime keeps its tasks: the last `Runtime` ends that.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.registry.close_and_shutdown();
        while let Some(task) = self.0.pop() {
            task.cancel();
        }
    }
}

/// The handle in the tasks: counted, so each hand-over takes the keep-alive path.
pub(crate) struct Counted(Arc<Shared>);

/// The handle in the tasks: a plain copy.
#[derive(Clone, Copy)]
pub(crate) struct Copied(&'static Shared);

impl Shared {
    fn new() -> Self {
        Self {
            queue: Mutex::new(RunQueue::new()),
            registry: Registry::new(4),
            yields: AtomicUsize::new(0),
            panics: AtomicUsize::new(0),
        }
    }

    fn push(&self, task: Runnable) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
    }

    pub(crate) fn pop(&self) -> Option<Runnable> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Schedule for Counted {
    fn schedule(&self, task: Runnable) {
        self.0.push(task);
    }
    fn yield_now(&self, task: Runnable) {
        self.0.yields.fetch_add(1, SeqCst);
        self.0.push(task);
    }
    fn release(&self, task: &TaskRef) -> Option<TaskRef> {
        self.0.registry.remove(task)
    }
    fn unhandled_panic(&self) {
        self.0.panics.fetch_add(1, SeqCst);
    }
}

impl Schedule for Copied {
    fn schedule(&self, task: Runnable) {
        self.0.push(task);
    }
    fn release(&self, task: &TaskRef) -> Option<TaskRef> {
        self.0.registry.remove(task)
    }
    fn copy(&self) -> Option<Self> {
        Some(*self)
    }
}

impl Runtime {
    pub(crate) fn new() -> Self {
        let shared = Arc::new(Shared::new());
        Self(shared.clone(), Arc::new(Owner(shared)))
    }

    /// One that lives to the end of the process.
    pub(crate) fn lasting() -> &'static Shared {
        static SHARED: OnceLock<Shared> = OnceLock::new();
        SHARED.get_or_init(Shared::new)
    }

    #[track_caller]
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (runnable, task, handle) = self.spawn_parts(future);
        match self.0.registry.insert(task) {
            Ok(()) => self.0.push(runnable),
            Err(_) => runnable.cancel(),
        }
        handle
    }

    #[track_caller]
    pub(crate) fn spawn_parts<F>(&self, future: F) -> (Runnable, TaskRef, JoinHandle<F::Output>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        shinkan_task::spawn(future, Counted(self.0.clone()), Id::next(), Location::caller())
    }

    /// Runs what is queued until nothing is; the number of polls.
    pub(crate) fn run(&self) -> usize {
        let mut polls = 0;
        while let Some(task) = self.0.pop() {
            task.run();
            polls += 1;
        }
        polls
    }

    /// Runs one task.
    pub(crate) fn step(&self) {
        self.0.pop().expect("a task is queued").run();
    }
}

#[track_caller]
pub(crate) fn spawn_copied<F>(on: &'static Shared, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (runnable, task, handle) =
        shinkan_task::spawn(future, Copied(on), Id::next(), Location::caller());
    on.registry.insert(task).expect("open");
    on.push(runnable);
    handle
}

/// A waker that counts.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (count.clone(), Waker::from(count))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Polls a handle once.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// The output of a handle whose task has ended.
#[track_caller]
pub(crate) fn output<F: Future + Unpin>(mut future: F) -> F::Output {
    match poll(&mut future, Waker::noop()) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the task has not ended"),
    }
}

/// Counts how often it is dropped.
#[derive(Clone)]
pub(crate) struct Dropped(pub(crate) Arc<AtomicUsize>);

impl Dropped {
    pub(crate) fn new() -> (Arc<AtomicUsize>, Self) {
        let count = Arc::new(AtomicUsize::new(0));
        (count.clone(), Self(count))
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Pending until it is opened; keeps the waker of its last poll.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<(bool, Option<Waker>)>,
    pub(crate) polls: AtomicUsize,
}

impl Gate {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) async fn wait(self: Arc<Self>) {
        std::future::poll_fn(|cx| self.poll(cx)).await;
    }

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.polls.fetch_add(1, SeqCst);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Opens it and returns the waker, not yet called.
    pub(crate) fn open(&self) -> Option<Waker> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        state.1.take()
    }

    /// The waker of the last poll.
    pub(crate) fn waker(&self) -> Option<Waker> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}
