//! A thread that waits for one child.
//!
//! It blocks until the child has ended and leaves the status where it is, so it may race with
//! whoever takes it: one that comes too late is told that there is no such child, or waits for a
//! later child of the same number, and takes nothing from that one either.
//!
//! ```text
//! state     the child is       the thread, once it has ended   the handle
//! Watched   the handle's       → Ended, and calls the waker    leaves its waker; dropped → Orphan
//! Orphan    this thread's      takes the status, → Ended       is gone
//! Ended     the handle's       is over                         takes the status
//! ```
//!
//! All transitions are made under the lock; wakers are called and dropped outside of it.

use super::{is_over, orphan};
use core::task::{Context, Poll, Waker};
use shinkan_base::atomics::Mutex;
use shinkan_sys::{process as sys, threads};
use std::io;
use std::process::Child;
use std::sync::Arc;

/// What the thread and the handle share.
#[derive(Debug)]
pub(super) struct Waiting {
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Watched(Option<Waker>),
    Orphan(Child),
    Ended,
}

// Two calls deep.
const STACK_BYTES: usize = 64 * 1024;

/// Starts a thread for a child that has a handle.
pub(super) fn wait_for(id: u32) -> io::Result<Arc<Waiting>> {
    let waiting = Waiting::new(State::Watched(None));
    waiting.start(id)?;
    Ok(waiting)
}

/// Starts a thread for a child that has none.
pub(super) fn adopt(mut child: Child) {
    if is_over(&mut child) {
        return;
    }
    let id = child.id();
    let waiting = Waiting::new(State::Orphan(child));
    if waiting.start(id).is_err()
        && let State::Orphan(child) = waiting.end()
    {
        orphan::leave(child);
    }
}

impl Waiting {
    fn new(state: State) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn start(self: &Arc<Self>, id: u32) -> io::Result<()> {
        let waiting = self.clone();
        let wait = move || {
            // An error says that there is nothing to wait for: whoever asks will hear it, too.
            let _ = sys::wait_for_end(id);
            match waiting.end() {
                State::Watched(waker) => waker.into_iter().for_each(Waker::wake),
                State::Orphan(child) => orphan::leave(child),
                State::Ended => {}
            }
        };
        threads::spawn("shinkan-child".into(), Some(STACK_BYTES), wait).map(drop)
    }

    fn end(&self) -> State {
        core::mem::replace(&mut *self.state.lock(), State::Ended)
    }

    /// Waits for the child's end.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waker = Some(cx.waker().clone());
        let mut state = self.state.lock();
        let State::Watched(stored) = &mut *state else { return Poll::Ready(()) };
        core::mem::swap(stored, &mut waker);
        drop(state);
        drop(waker);
        Poll::Pending
    }

    /// Leaves the child to the thread.
    pub(super) fn leave(&self, mut child: Child) {
        let mut state = self.state.lock();
        if let State::Watched(_) = &*state {
            let before = core::mem::replace(&mut *state, State::Orphan(child));
            drop(state);
            drop(before);
        } else {
            drop(state);
            // It ended after the last look.
            let _ = is_over(&mut child);
        }
    }
}
