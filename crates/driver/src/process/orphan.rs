//! Children that run on after their handle was dropped.
//!
//! An orphan waits for its own pidfd as a task would: what the driver calls is its waker, on the
//! thread that has harvested the event, or that ends the runtime. So orphans cost neither a thread
//! nor a task, and a program that drops its handles has no zombies while a runtime lives.
//!
//! The slot's waker holds the orphan, which holds the slot: a ring that the event or the runtime's
//! end opens. A look is made under the orphan's lock, from the waker that it leaves to the look
//! that finds the child running: an event in between finds the lock, waits and looks itself. What
//! is called under it is this crate's alone.

use super::{is_over, thread};
use crate::ready::Direction;
use crate::source::Source;
use core::task::{Context, Waker};
use shinkan_base::atomics::Mutex;
use shinkan_base::atomics::plain::{AtomicUsize, Ordering};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::task::Wake;

struct Orphan {
    // Nothing once it is over or another's.
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    // Dropped before the descriptor that it watches.
    source: Source,
    _pidfd: OwnedFd,
    child: Child,
}

/// Keeps a child until it has ended.
pub(super) fn keep(source: Source, pidfd: OwnedFd, child: Child) {
    // A task may have left its waker, whose drop is user code and is none of the orphan's lock.
    let _ = source.poll_event(&mut Context::from_waker(Waker::noop()), Direction::Read);
    let kept = Kept { source, _pidfd: pidfd, child };
    Arc::new(Orphan { kept: Mutex::new(Some(kept)) }).wake();
}

impl Wake for Orphan {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(self.clone());
        let mut kept = self.kept.lock();
        let Some(orphan) = &mut *kept else { return };
        // Readable means that it has ended, if it isn't traced; nothing is the runtime's end.
        if orphan.source.poll_event(&mut Context::from_waker(&waker), Direction::Read).is_pending()
        {
            return;
        }
        let orphan = kept.take();
        drop(kept);
        if let Some(Kept { source, _pidfd, child }) = orphan {
            drop(source);
            // It looks first, and needs a thread only for one that still runs.
            thread::adopt(child);
        }
    }
}

// Those that nobody can wait for.
static LEFT: StdMutex<Vec<Child>> = StdMutex::new(Vec::new());
static LEFT_COUNT: AtomicUsize = AtomicUsize::new(0);

/// Keeps a child that no thread waits for until the next sweep, unless it has ended.
pub(super) fn leave(mut child: Child) {
    if is_over(&mut child) {
        return;
    }
    let mut left = left();
    left.push(child);
    LEFT_COUNT.store(left.len(), Ordering::Relaxed);
}

/// Takes the status of those that have ended since.
pub(super) fn sweep() {
    // Relaxed: a child that this misses is met by the next.
    if LEFT_COUNT.load(Ordering::Relaxed) > 0 {
        let mut left = left();
        left.retain_mut(|child| !is_over(child));
        LEFT_COUNT.store(left.len(), Ordering::Relaxed);
    }
}

// Nothing in here panics half way.
fn left() -> MutexGuard<'static, Vec<Child>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}
