//! A runtime that a panic ended, where its builder asked for that: who is inside `block_on` panics
//! instead of waiting for ever.
//!
//! `seal` comes before the runtime closes, `tell` after. A main thread puts itself on the list, then
//! looks, then waits; `tell` looks through the list after `seal`: one of the two sees the other.

use shinkan_base::atomics::Mutex;
use shinkan_base::atomics::plain::{AtomicBool, Ordering};
use shinkan_sys::park::Unparker;
use shinkan_sys::threads;
use std::thread::ThreadId;

/// What a runtime does when a task panics.
///
/// See [`Builder::unhandled_panic`](crate::Builder::unhandled_panic).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum UnhandledPanic {
    /// The task's join handle gets the panic, and all others run on. The default.
    #[default]
    Ignore,
    /// The runtime ends: all its tasks are cancelled, also those that are spawned later, and
    /// `block_on` panics. The task's join handle gets the panic nevertheless.
    ShutdownRuntime,
}

/// Whether a panic ended the runtime, and who must be told.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    sealed: AtomicBool,
    mains: Mutex<Vec<(ThreadId, Unparker)>>,
}

/// A thread that waits in `block_on` beside the workers.
pub(crate) struct Main<'a>(&'a Fate);

/// With what `block_on` panics.
pub(crate) const SEALED: &str = "a spawned task panicked and the runtime is configured to shut \
    down on unhandled panic, so what is inside `block_on` will not go on. The panic was printed \
    when it happened; `Builder::unhandled_panic(UnhandledPanic::Ignore)` leaves panics to the join \
    handles of their tasks";

impl Fate {
    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::SeqCst)
    }

    pub(crate) fn seal(&self) {
        self.sealed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn tell(&self) {
        self.mains.lock().iter().for_each(|(_, main)| main.unpark());
    }

    /// This thread is told of the end until the answer is dropped.
    pub(crate) fn attend(&self, main: Unparker) -> Main<'_> {
        self.mains.lock().push((threads::id(), main));
        Main(self)
    }
}

impl Drop for Main<'_> {
    fn drop(&mut self) {
        let me = threads::id();
        let mut mains = self.0.mains.lock();
        let at = mains.iter().position(|(thread, _)| *thread == me);
        mains.swap_remove(at.expect("put there by `attend`"));
    }
}
