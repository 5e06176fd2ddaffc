//! A channel that holds one value, the latest, for many receivers.
//!
//! A receiver sees the current value at any time and may wait for the next change. What was
//! overwritten before it looked it never sees.
//!
//! # Examples
//! ```
//! use shinkan_sync::watch;
//!
//! # futures::executor::block_on(async {
//! let (sender, mut receiver) = watch::channel("starting");
//! sender.send("running").unwrap();
//! receiver.changed().await.unwrap();
//! assert_eq!(*receiver.borrow_and_update(), "running");
//! # });
//! ```

pub mod error;
mod receiver;
mod sender;

pub use receiver::Receiver;
pub use sender::Sender;

use crate::Notify;
use core::fmt;
use core::ops::Deref;
use shinkan_base::atomics::{AtomicUsize, Ordering, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::sync::Arc;

/// Makes a channel that holds `init`, which the receiver counts as seen.
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        value: RwLock::new(init),
        state: AtomicUsize::new(0),
        receivers: AtomicUsize::new(1),
        senders: AtomicUsize::new(1),
        changed: Notify::new(),
        unwatched: Notify::new(),
    });
    (Sender { shared: shared.clone() }, Receiver { shared, version: 0 })
}

/// The current value, borrowed. While it lives, senders wait for it with their threads: keep it
/// short, and across no `.await`.
#[derive(Debug)]
pub struct Ref<'a, T> {
    value: RwLockReadGuard<'a, T>,
    has_changed: bool,
}

impl<T> Ref<'_, T> {
    /// Whether the receiver had not seen this value before. False from a [`Sender::borrow`].
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

const CLOSED: usize = 1;
const VERSION: usize = 2;

struct Shared<T> {
    value: RwLock<T>,
    /// The version of the value, changed under the write lock, and whether it will change again.
    state: AtomicUsize,
    receivers: AtomicUsize,
    senders: AtomicUsize,
    changed: Notify,
    unwatched: Notify,
}

impl<T> Shared<T> {
    // A closure of the user's that panicked under the write lock leaves the value as it was left.
    fn read(&self) -> RwLockReadGuard<'_, T> {
        self.value.read().unwrap_or_else(|poison| poison.into_inner())
    }

    fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.value.write().unwrap_or_else(|poison| poison.into_inner())
    }

    /// The version, and whether it is the last.
    fn state(&self) -> (usize, bool) {
        let state = self.state.load(Ordering::Acquire);
        (state & !CLOSED, state & CLOSED != 0)
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, closed) = self.state();
        f.debug_struct("Shared")
            .field("value", &self.value)
            .field("version", &(version / VERSION))
            .field("is_closed", &closed)
            .field("receivers", &self.receivers.load(Ordering::Relaxed))
            .finish()
    }
}
