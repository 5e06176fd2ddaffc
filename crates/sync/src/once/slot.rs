//! The memory of a cell that is filled once: nothing, then a value for good. The cell around it says
//! who may fill it, hence which threads may share it, and takes the value out at its end.

#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use shinkan_base::atomics::{AtomicBool, Ordering};
use shinkan_base::canary;

pub(crate) struct Slot<T> {
    pub(crate) filled: AtomicBool,
    pub(crate) value: UnsafeCell<MaybeUninit<T>>,
}

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self { filled: AtomicBool::new(false), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    pub(super) fn full(value: T) -> Self {
        Self { filled: AtomicBool::new(true), value: UnsafeCell::new(MaybeUninit::new(value)) }
    }

    #[inline]
    pub(super) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn get(&self) -> Option<&T> {
        self.is_filled().then(|| {
            // SAFETY: filled: nobody writes it any more.
            let value = unsafe { &*self.value.get() };
            // SAFETY: filled.
            unsafe { value.assume_init_ref() }
        })
    }

    #[inline]
    pub(super) fn get_mut(&mut self) -> Option<&mut T> {
        if !self.is_filled() {
            return None;
        }
        // SAFETY: filled.
        Some(unsafe { self.value.get_mut().assume_init_mut() })
    }

    /// Fills it.
    ///
    /// # Safety
    /// It is empty, and no other call of this is going on.
    pub(super) unsafe fn fill(&self, value: T) -> &T {
        // SAFETY: readers look at it when it is filled, and we are the one writer.
        let cell = unsafe { &mut *self.value.get() };
        cell.write(value);
        let order = if canary("once_fill_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        self.filled.store(true, order);
        // SAFETY: written just now, and never again.
        let cell = unsafe { &*self.value.get() };
        // SAFETY: as above.
        unsafe { cell.assume_init_ref() }
    }

    /// Takes the value out, if there is one, and leaves it empty.
    pub(super) fn take(&mut self) -> Option<T> {
        if !self.is_filled() {
            return None;
        }
        self.filled.store(false, Ordering::Relaxed);
        // SAFETY: it was filled, and is empty from now on.
        Some(unsafe { self.value.get_mut().assume_init_read() })
    }
}
