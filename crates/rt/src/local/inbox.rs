//! Where other threads leave what they want a set's thread to run, and the waker of whoever awaits
//! the set. Called by `shared`; runs no code of users under its lock.
//!
//! ```text
//! (1) register: the set leaves its waker; it looks into the queue after
//! (2) push: adds, and takes the waker, which the caller calls unlocked
//! (3) close: takes the queue; what is pushed from then on is dropped by its pusher
//! ```
//!
//! A wake-up is not lost: (1) comes before the look, and (2) adds and takes in one step, all under
//! the one lock. Nothing is left in a closed inbox: (3) is one step too.

use core::task::Waker;
use shinkan_base::atomics::Mutex;
use shinkan_base::canary;

/// An inbox around a queue of whatever sort.
#[derive(Debug)]
pub struct Inbox<Q> {
    state: Mutex<State<Q>>,
}

#[derive(Debug)]
struct State<Q> {
    queue: Q,
    closed: bool,
    waker: Option<Waker>,
}

impl<Q> Inbox<Q> {
    /// An open one.
    pub fn new(queue: Q) -> Self {
        Self { state: Mutex::new(State { queue, closed: false, waker: None }) }
    }

    /// (2) Lets `add` put something into the queue; the waker is the caller's to call. On a closed
    /// inbox `add` is dropped, with what it holds.
    pub fn push(&self, add: impl FnOnce(&mut Q)) -> Option<Waker> {
        let early = if canary("inbox_waker_early") { self.take_waker() } else { None };
        let mut state = self.state.lock();
        if state.closed && !canary("inbox_stays_open") {
            // The lock goes first: locals are dropped before parameters.
            return None;
        }
        add(&mut state.queue);
        if canary("inbox_waker_early") { early } else { state.waker.take() }
    }

    /// What `take` takes from the queue.
    pub fn pop<T>(&self, take: impl FnOnce(&mut Q) -> T) -> T {
        take(&mut self.state.lock().queue)
    }

    /// (1) Leaves the waker of whoever awaits the set.
    pub fn register(&self, waker: &Waker) {
        let known = self.state.lock().waker.as_ref().is_some_and(|old| old.will_wake(waker));
        if known {
            return;
        }
        // Cloned and dropped outside the lock: a waker's code is not ours.
        let waker = waker.clone();
        let old = self.state.lock().waker.replace(waker);
        drop(old);
    }

    /// Takes it; the caller calls it.
    pub fn take_waker(&self) -> Option<Waker> {
        self.state.lock().waker.take()
    }

    /// (3) The queue and the waker are the caller's to drop.
    pub fn close(&self) -> (Q, Option<Waker>)
    where
        Q: Default,
    {
        let mut state = self.state.lock();
        let queue = core::mem::take(&mut state.queue);
        if canary("inbox_close_late") {
            drop(state);
            state = self.state.lock();
        }
        state.closed = true;
        (queue, state.waker.take())
    }
}
