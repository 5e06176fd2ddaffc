//! What a set and its tasks share: the numbers of those that have something to say, and the waker
//! of whoever awaits the set.
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

use shinkan_base::atomics::plain::{AtomicBool, Ordering};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// Shared by a set and the wakers of its members.
#[derive(Debug, Default)]
pub(super) struct Ended {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    numbers: VecDeque<usize>,
    parent: Option<Waker>,
}

/// The waker of one member.
#[derive(Debug)]
pub(super) struct Member {
    number: usize,
    queued: AtomicBool,
    ended: Arc<Ended>,
}

impl Ended {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Swaps the queue into `into`, which is empty. Where there is nothing, leaves `parent` to be
    /// woken; the answer is whether there was something.
    pub(super) fn take_or_wait(&self, into: &mut VecDeque<usize>, parent: Option<Waker>) -> bool {
        debug_assert!(into.is_empty());
        let mut state = self.lock();
        if !state.numbers.is_empty() {
            core::mem::swap(&mut state.numbers, into);
            return true;
        }
        let Some(parent) = parent else { return false };
        let old = state.parent.replace(parent);
        // A waker's drop is not ours: it runs unlocked.
        drop(state);
        drop(old);
        false
    }

    /// Takes the waker of whoever awaits the set.
    pub(super) fn take_parent(&self) -> Option<Waker> {
        self.lock().parent.take()
    }
}

impl Member {
    pub(super) fn new(number: usize, ended: Arc<Ended>) -> Self {
        Self { number, queued: AtomicBool::new(false), ended }
    }

    /// The handle is about to be polled.
    pub(super) fn begin(&self) {
        // Acquire: pairs with `wake`, whose task had ended before.
        self.queued.swap(false, Ordering::AcqRel);
    }
}

impl Wake for Member {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let parent = {
            let mut state = self.ended.lock();
            state.numbers.push_back(self.number);
            state.parent.take()
        };
        if let Some(parent) = parent {
            parent.wake();
        }
    }
}
