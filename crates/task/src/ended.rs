//! What a set of tasks and its members share: the numbers of those that have something to say, and
//! the waker of whoever awaits the set. The set itself is `JoinSet`, above this crate.
//!
//! ```text
//! a member's `queued`   its number is
//!   false               in no queue; its waker was left with the task, or is about to be
//!   true                in the shared queue or in the set's own, once
//!
//! (1) wake: false → true, push the number, take the parent's waker, and call it unlocked
//! (2) begin: true → false, before the handle is polled; a task that ends from here on queues anew
//! ```
//!
//! No wake-up is lost: `wait` looks at the queue and leaves the parent's waker under the one lock
//! under which `wake` pushes and takes it.

use shinkan_base::atomics::{AtomicBool, Mutex, Ordering};
use shinkan_base::canary;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Wake, Waker};

/// Shared by a set and the wakers of its members.
#[derive(Debug)]
pub struct Ended {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    numbers: VecDeque<usize>,
    parent: Option<Waker>,
}

/// The waker of one member.
#[derive(Debug)]
pub struct Member {
    number: usize,
    queued: AtomicBool,
    ended: Arc<Ended>,
}

impl Ended {
    /// Of a set without members.
    pub fn new() -> Self {
        Self { state: Mutex::new(State { numbers: VecDeque::new(), parent: None }) }
    }

    /// Swaps the queue into `into`, which is empty. Where there is nothing, leaves `parent` to be
    /// woken; the answer is whether there was something.
    pub fn take_or_wait(&self, into: &mut VecDeque<usize>, parent: Option<Waker>) -> bool {
        debug_assert!(into.is_empty());
        let mut state = self.state.lock();
        if !state.numbers.is_empty() {
            core::mem::swap(&mut state.numbers, into);
            return true;
        }
        let Some(parent) = parent else { return false };
        if canary("ended_wait_late") {
            drop(state);
            state = self.state.lock();
        }
        let old = state.parent.replace(parent);
        // A waker's drop is not ours: it runs unlocked.
        drop(state);
        drop(old);
        false
    }

    /// Takes the waker of whoever awaits the set.
    pub fn take_parent(&self) -> Option<Waker> {
        self.state.lock().parent.take()
    }
}

impl Default for Ended {
    fn default() -> Self {
        Self::new()
    }
}

impl Member {
    /// The member `number` of the set.
    pub fn new(number: usize, ended: Arc<Ended>) -> Self {
        Self { number, queued: AtomicBool::new(false), ended }
    }

    /// The handle is about to be polled.
    pub fn begin(&self) {
        // Acquire: pairs with `wake`, whose task had ended before.
        if !canary("ended_stays_queued") {
            self.queued.swap(false, order());
        }
    }
}

#[inline]
fn order() -> Ordering {
    if canary("ended_relaxed") { Ordering::Relaxed } else { Ordering::AcqRel }
}

impl Wake for Member {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, order()) {
            return;
        }
        let early = if canary("ended_push_late") { self.ended.take_parent() } else { None };
        let parent = {
            let mut state = self.ended.state.lock();
            state.numbers.push_back(self.number);
            if canary("ended_push_late") { early } else { state.parent.take() }
        };
        if let Some(parent) = parent {
            parent.wake();
        }
    }
}
