//! Constructors for statics. In a file of their own since the model checker's atomics cannot be
//! made in a constant.

use crate::batch::Batch;
use crate::{Mutex, Notify, Semaphore};
use core::cell::UnsafeCell;
use shinkan_base::atomics::{AtomicUsize, Mutex as Lock};
use shinkan_base::list::List;

impl Batch {
    pub(crate) const fn const_new(permits: usize) -> Self {
        assert!(permits <= Self::MAX, "more permits than a semaphore can have");
        Self { word: AtomicUsize::new(permits * Self::PERMIT), queue: Lock::new(List::new()) }
    }
}

impl Semaphore {
    /// A semaphore with `permits` permits, made in a constant.
    ///
    /// # Panics
    /// If `permits` exceeds [`Semaphore::MAX_PERMITS`].
    ///
    /// # Examples
    /// ```
    /// use shinkan_sync::Semaphore;
    ///
    /// static LIMIT: Semaphore = Semaphore::const_new(10);
    /// assert_eq!(LIMIT.available_permits(), 10);
    /// ```
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        Self { batch: Batch::const_new(permits) }
    }
}

impl<T> Mutex<T> {
    /// A free lock around `value`, made in a constant.
    ///
    /// # Examples
    /// ```
    /// use shinkan_sync::Mutex;
    ///
    /// static COUNT: Mutex<u32> = Mutex::const_new(0);
    /// *COUNT.blocking_lock() += 1;
    /// ```
    pub const fn const_new(value: T) -> Self {
        Self { batch: Batch::const_new(1), value: UnsafeCell::new(value) }
    }
}

impl Notify {
    /// Without a permit, made in a constant.
    ///
    /// # Examples
    /// ```
    /// use shinkan_sync::Notify;
    ///
    /// static STOP: Notify = Notify::const_new();
    /// STOP.notify_one();
    /// ```
    pub const fn const_new() -> Self {
        Self { state: AtomicUsize::new(0), queue: Lock::new(List::new()) }
    }
}
