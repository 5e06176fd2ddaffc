//! The atomics of production: core's, under the names that the model checker's twin has too.
//! This file and `atomics_loom.rs` are the only switch to loom.

pub use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
pub use parking_lot::{Mutex, MutexGuard};
pub use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What a waiting loop calls between two looks.
pub mod hint {
    pub use core::hint::spin_loop;
    /// Lets another thread run; the model checker needs it in every loop that waits for another.
    #[inline]
    pub fn yield_now() {
        std::thread::yield_now();
    }
}

/// `core::cell::UnsafeCell` behind the interface by which loom tracks accesses.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct UnsafeCell<T: ?Sized>(core::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Wraps a value.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    /// Gives the value back.
    #[inline]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Calls `f` with a pointer through which it may read.
    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Calls `f` with a pointer through which it may read and write.
    #[inline(always)]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }

    /// The value, by exclusive borrow.
    #[inline(always)]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

/// Atomics for statics and for counters that no protocol depends on: never loom's, so they can be
/// made in a constant.
pub mod plain {
    pub use core::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    };
}
