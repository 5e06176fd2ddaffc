//! The queue through which tasks come from outside a worker, and to which a full one spills.
//! A list through the tasks' own headers behind one lock: pushing allocates nothing.

use crate::hooks::quietly;
use shinkan_base::atomics::Mutex;
use shinkan_base::atomics::plain::{AtomicUsize, Ordering};
use shinkan_task::{RunQueue, Runnable};

pub(crate) struct Inject {
    state: Mutex<State>,
    /// The queue's length, so that a worker looks without the lock. Written under it.
    len: AtomicUsize,
}

struct State {
    queue: RunQueue,
    closed: bool,
    /// Tasks that came after the end, until they are cancelled.
    late: RunQueue,
    /// Tasks that came, until the end.
    pushed: u64,
    /// A thread cancels them.
    cancels: bool,
}

impl Inject {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                queue: RunQueue::new(),
                closed: false,
                late: RunQueue::new(),
                pushed: 0,
                cancels: false,
            }),
            len: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Queues a task; gives it back once the runtime ends.
    pub(crate) fn push(&self, task: Runnable) -> Result<(), Runnable> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(task);
        }
        state.queue.push_back(task);
        state.pushed += 1;
        self.len.store(state.queue.len(), Ordering::Release);
        Ok(())
    }

    /// Queues all of `batch`, in order; gives them back once the runtime ends.
    pub(crate) fn push_all(&self, mut batch: RunQueue) -> Result<(), RunQueue> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(batch);
        }
        state.queue.append(&mut batch);
        self.len.store(state.queue.len(), Ordering::Release);
        Ok(())
    }

    /// How many tasks were pushed one by one: not what spilled over.
    pub(crate) fn pushed(&self) -> u64 {
        self.state.lock().pushed
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<Runnable> {
        if self.is_empty() { None } else { self.pop_slow() }
    }

    fn pop_slow(&self) -> Option<Runnable> {
        let mut state = self.state.lock();
        let task = state.queue.pop_front();
        self.len.store(state.queue.len(), Ordering::Release);
        task
    }

    /// Takes up to `most` tasks under one lock: the first is the answer, `rest` gets the others.
    pub(crate) fn pop_many(&self, most: usize, mut rest: impl FnMut(Runnable)) -> Option<Runnable> {
        if self.is_empty() {
            return None;
        }
        let mut state = self.state.lock();
        let first = state.queue.pop_front();
        for _ in 1..most {
            let Some(task) = state.queue.pop_front() else { break };
            rest(task);
        }
        self.len.store(state.queue.len(), Ordering::Release);
        first
    }

    /// Cancels a task that came after the end. One thread at a time does so, in a loop: a future
    /// that wakes the next task as it is dropped would else take stack for each of a chain.
    pub(crate) fn cancel(&self, task: Runnable) {
        let mut state = self.state.lock();
        state.late.push_back(task);
        if core::mem::replace(&mut state.cancels, true) {
            return;
        }
        while let Some(task) = state.late.pop_front() {
            drop(state);
            quietly(|| task.cancel());
            state = self.state.lock();
        }
        state.cancels = false;
    }

    /// No task is taken any more. True for the first caller.
    pub(crate) fn close(&self) -> bool {
        !core::mem::replace(&mut self.state.lock().closed, true)
    }
}
