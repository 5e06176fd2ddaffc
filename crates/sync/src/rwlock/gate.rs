//! What the permits of an `RwLock` are turned into.

#![allow(unsafe_code)]

use super::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use crate::batch::{Batch, Gate};
use shinkan_base::wait::WaitKind;
use std::sync::Arc;

pub(super) struct Read<'a, T: ?Sized>(pub(super) &'a RwLock<T>);
pub(super) struct ReadOwned<T: ?Sized>(pub(super) Arc<RwLock<T>>);
pub(super) struct Write<'a, T: ?Sized>(pub(super) &'a RwLock<T>);
pub(super) struct WriteOwned<T: ?Sized>(pub(super) Arc<RwLock<T>>);

#[cold]
fn closed() -> ! {
    unreachable!("nobody closes the semaphore of an RwLock")
}

// SAFETY:
// - a borrowed lock does not move while the borrow lives.
unsafe impl<'a, T: ?Sized> Gate for Read<'a, T> {
    type Output = RwLockReadGuard<'a, T>;
    const KIND: WaitKind = WaitKind::RwLockRead;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.batch
    }

    #[inline]
    fn granted(self, _permits: usize) -> Self::Output {
        // SAFETY: the permit goes with the guard.
        unsafe { RwLockReadGuard::new(&self.0.batch, self.0.value.get()) }
    }

    fn refused(self) -> Self::Output {
        closed()
    }
}

// SAFETY:
// - what an `Arc` holds does not move while the `Arc` lives.
unsafe impl<T: ?Sized> Gate for ReadOwned<T> {
    type Output = OwnedRwLockReadGuard<T>;
    const KIND: WaitKind = WaitKind::RwLockRead;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.batch
    }

    #[inline]
    fn granted(self, _permits: usize) -> Self::Output {
        let value = self.0.value.get();
        // SAFETY: the permit goes with the guard.
        unsafe { OwnedRwLockReadGuard::new(self.0, value) }
    }

    fn refused(self) -> Self::Output {
        closed()
    }
}

// SAFETY:
// - a borrowed lock does not move while the borrow lives.
unsafe impl<'a, T: ?Sized> Gate for Write<'a, T> {
    type Output = RwLockWriteGuard<'a, T>;
    const KIND: WaitKind = WaitKind::RwLockWrite;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.batch
    }

    #[inline]
    fn granted(self, _permits: usize) -> Self::Output {
        RwLockWriteGuard::new(self.0)
    }

    fn refused(self) -> Self::Output {
        closed()
    }
}

// SAFETY:
// - what an `Arc` holds does not move while the `Arc` lives.
unsafe impl<T: ?Sized> Gate for WriteOwned<T> {
    type Output = OwnedRwLockWriteGuard<T>;
    const KIND: WaitKind = WaitKind::RwLockWrite;

    #[inline]
    fn semaphore(&self) -> &Batch {
        &self.0.batch
    }

    #[inline]
    fn granted(self, _permits: usize) -> Self::Output {
        OwnedRwLockWriteGuard::new(self.0)
    }

    fn refused(self) -> Self::Output {
        closed()
    }
}
