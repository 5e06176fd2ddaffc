//! Locks, channels and notification between tasks, with the API and the semantics of
//! `tokio::sync`. Re-exported as `shinkan::sync`.
//!
//! Stands on `base` and `context` alone: it needs no runtime, and works under any executor. Every
//! waiter is a node inside the future that waits, so waiting allocates nothing. No waker is called
//! under a lock.

#![deny(unsafe_code)]

mod barrier;
mod batch;
pub mod broadcast;
#[cfg(not(shinkan_loom))]
#[path = "mpsc/cap.rs"]
mod cap;
#[cfg(shinkan_loom)]
#[path = "mpsc/cap_loom.rs"]
mod cap;
#[cfg(not(shinkan_loom))]
mod const_new;
mod exclusive;
mod leaf;
pub mod mpsc;
mod mutex;
mod notify;
mod once;
pub mod oneshot;
mod rwlock;
mod semaphore;
pub mod watch;

pub use barrier::{Barrier, BarrierWaitResult};
pub use mutex::TryLockError;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use once::{OnceCell, SetError, SetOnce, SetOnceError};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{
    AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError,
};

/// The named futures of this crate.
pub mod futures {
    pub use crate::notify::{Notified, OwnedNotified};
}
