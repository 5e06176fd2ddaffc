//! Which runtime this thread is in, and whether it drives one.
//!
//! The thread-local holds a pointer to the runtime's shared part; this file alone reads it.

#![allow(unsafe_code)]

use crate::handle::{Handle, TryCurrentError};
use crate::shared::Shared;
use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr;
use shinkan_context::{self as context, Entered};
use std::sync::Arc;

/// Makes a runtime this thread's while it lives. See [`Handle::enter`].
#[derive(Debug)]
#[must_use = "the runtime is left when the guard is dropped"]
pub struct EnterGuard<'a> {
    _within: Within,
    _handle: PhantomData<&'a Handle>,
}

/// Puts the runtime back that the thread was in before.
///
/// The thread-local owns a count of what it points to, and each of these owns the one that it
/// found. So dropped in any order they leave the thread in no runtime at worst, never in one that is gone.
#[derive(Debug)]
pub(crate) struct Within {
    previous: Option<Handle>,
    /// The guard's number, and that of the one before it, which is the innermost again after it.
    number: u64,
    before: u64,
    /// Keeps the guard on its thread, and lets others look at it, as a mutex's does.
    _not_send: PhantomData<std::sync::MutexGuard<'static, ()>>,
}

/// The guards of a thread, by numbers that are not used twice: two guards of the same runtime that
/// are dropped out of order are told apart by nothing else.
struct Guards {
    /// 0 where there is none, or where the order is lost.
    innermost: Cell<u64>,
    last: Cell<u64>,
}

thread_local! {
    static GUARDS: Guards = const { Guards { innermost: Cell::new(0), last: Cell::new(0) } };
}

/// A thread that drives a runtime: restores what it was before.
#[derive(Debug)]
pub(crate) struct Driving {
    before: Entered,
    _within: Within,
}

impl EnterGuard<'_> {
    pub(crate) fn new(handle: &Handle) -> Self {
        Self { _within: within(handle), _handle: PhantomData }
    }
}

pub(crate) fn within(handle: &Handle) -> Within {
    let previous = replace(Some(handle.clone()));
    GUARDS.with(|guards| {
        let number = guards.last.get() + 1;
        guards.last.set(number);
        let before = guards.innermost.replace(number);
        Within { previous, number, before, _not_send: PhantomData }
    })
}

/// Sets this thread's runtime and gives back the one before, with its count.
fn replace(handle: Option<Handle>) -> Option<Handle> {
    let new = handle.map_or(ptr::null(), |handle| ManuallyDrop::new(handle).as_ptr());
    let old: *const Shared = context::set_runtime_ptr(new.cast()).cast();
    if old.is_null() {
        return None;
    }
    // SAFETY:
    // - from an `Arc`: the pointer was set above, the only place that does.
    // - its count is ours: the thread-local gave it up just now.
    Some(Handle::from_arc(unsafe { Arc::from_raw(old) }))
}

impl Drop for Within {
    fn drop(&mut self) {
        let in_order = GUARDS.with(|guards| {
            let in_order = guards.innermost.get() == self.number;
            guards.innermost.set(if in_order { self.before } else { 0 });
            in_order
        });
        drop(replace(self.previous.take()));
        if in_order {
            return;
        }
        // Nobody is left who would take the count of what was put back: better none than a leak.
        drop(replace(None));
        if !std::thread::panicking() {
            panic!(
                "`EnterGuard` values dropped out of order: this thread is in no runtime any more. \
                 Drop guards in the reverse order of their making"
            );
        }
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        context::set_entered(self.before);
    }
}

/// A thread starts to work with a core: it may give its work away and block.
pub(crate) fn worker(handle: &Handle) -> Driving {
    let before = context::set_entered(Entered::Yes { may_block_in_place: true });
    Driving { before, _within: within(handle) }
}

/// A thread calls `block_on`.
///
/// # Panics
/// If it drives a runtime already.
#[track_caller]
pub(crate) fn block_on(handle: &Handle, may_block_in_place: bool) -> Driving {
    assert!(
        context::entered() == Entered::No,
        "Cannot start a runtime from within a runtime. `block_on` was called on a thread that \
         drives one already, and its other tasks would stand still until this one ends: use \
         `.await`, or move the call to a thread of its own (`spawn_blocking`) or into \
         `block_in_place`"
    );
    let before = context::set_entered(Entered::Yes { may_block_in_place });
    Driving { before, _within: within(handle) }
}

/// Runs `f` as if this thread drove no runtime: it may block and enter one.
pub(crate) fn not_driving<R>(f: impl FnOnce() -> R) -> R {
    struct Back(Entered);
    impl Drop for Back {
        fn drop(&mut self) {
            context::set_entered(self.0);
        }
    }
    let _back = Back(context::set_entered(Entered::No));
    f()
}

/// Calls `f` with the runtime that this thread is in.
///
/// # Errors
/// Outside every runtime.
#[inline]
pub fn with_current<R>(f: impl FnOnce(&Handle) -> R) -> Result<R, TryCurrentError> {
    let shared: *const Shared = context::runtime_ptr().cast();
    if shared.is_null() {
        return Err(TryCurrentError::missing());
    }
    // SAFETY:
    // - from an `Arc`: the pointer was set by `replace`.
    // - alive: the thread-local owns a count of it.
    // - the count is not ours: `ManuallyDrop` never gives it back.
    let handle = ManuallyDrop::new(Handle::from_arc(unsafe { Arc::from_raw(shared) }));
    Ok(f(&handle))
}
