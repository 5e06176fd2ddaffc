//! Constructors for statics. In a file of their own since the model checker's atomics cannot be
//! made in a constant.

use crate::batch::Batch;
use crate::once::Slot;
use crate::{Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use shinkan_base::atomics::{AtomicBool, AtomicUsize, Mutex as Lock};
use shinkan_base::list::List;
use shinkan_trace::Resource;

impl Batch {
    pub(crate) const fn const_new(permits: usize) -> Self {
        assert!(permits <= Self::MAX, "more permits than a semaphore can have");
        Self {
            word: AtomicUsize::new(permits * Self::PERMIT),
            queue: Lock::new(List::new()),
            trace: Resource::none(),
        }
    }
}

impl Batch {
    const fn const_new_closed() -> Self {
        Self {
            word: AtomicUsize::new(Self::CLOSED),
            queue: Lock::new(List::new()),
            trace: Resource::none(),
        }
    }
}

impl<T> Slot<T> {
    const fn const_new(filled: bool, value: MaybeUninit<T>) -> Self {
        Self { filled: AtomicBool::new(filled), value: UnsafeCell::new(value) }
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

impl<T> OnceCell<T> {
    /// An empty cell, made in a constant.
    pub const fn const_new() -> Self {
        Self { slot: Slot::const_new(false, MaybeUninit::uninit()), turn: Semaphore::const_new(1) }
    }

    /// A cell with a value, made in a constant.
    ///
    /// # Examples
    /// ```
    /// use shinkan_sync::OnceCell;
    ///
    /// static ONE: OnceCell<u32> = OnceCell::const_new_with(1);
    /// assert_eq!(ONE.get(), Some(&1));
    /// ```
    pub const fn const_new_with(value: T) -> Self {
        Self {
            slot: Slot::const_new(true, MaybeUninit::new(value)),
            turn: Semaphore { batch: Batch::const_new_closed() },
        }
    }
}

impl<T> SetOnce<T> {
    /// An empty cell, made in a constant.
    pub const fn const_new() -> Self {
        Self { slot: Slot::const_new(false, MaybeUninit::uninit()), is_set: Notify::const_new() }
    }

    /// A cell with a value, made in a constant.
    ///
    /// # Examples
    /// ```
    /// use shinkan_sync::SetOnce;
    ///
    /// static ONE: SetOnce<u32> = SetOnce::const_new_with(1);
    /// assert_eq!(ONE.get(), Some(&1));
    /// ```
    pub const fn const_new_with(value: T) -> Self {
        Self { slot: Slot::const_new(true, MaybeUninit::new(value)), is_set: Notify::const_new() }
    }
}

impl<T> RwLock<T> {
    /// A free lock around `value`, made in a constant.
    ///
    /// # Examples
    /// ```
    /// use shinkan_sync::RwLock;
    ///
    /// static LIMIT: RwLock<u32> = RwLock::const_new(5);
    /// assert_eq!(*LIMIT.blocking_read(), 5);
    /// ```
    pub const fn const_new(value: T) -> Self {
        Self::const_with_max_readers(value, Self::MAX_READERS)
    }

    /// A free lock around `value` that at most `max_reads` tasks can read at once, made in a
    /// constant.
    ///
    /// # Panics
    /// If `max_reads` is 0, or more than `u32::MAX >> 3`.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> Self {
        assert!(
            max_reads > 0,
            "a RwLock may not be created with 0 readers, since nobody could read it: let one at \
             least"
        );
        assert!(max_reads <= Self::MAX_READERS, "more readers than an RwLock can have");
        Self {
            max: max_reads,
            batch: Batch::const_new(max_reads as usize),
            value: UnsafeCell::new(value),
        }
    }
}
