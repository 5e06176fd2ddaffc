//! The cooperative budget: how many operations that are ready at once a task may do in one poll.
//!
//! Each poll of a task starts with [`INITIAL`] units. A leaf asks [`poll_proceed`] before it does
//! its work; with none left it answers Pending and has itself woken, so that the others have
//! their turn. Outside a task there is no limit.

use crate::services::installed;
use crate::thread::THREAD;
use core::cell::Cell;
use core::marker::PhantomData;
use core::task::{Context, Poll};

/// Operations a poll.
pub const INITIAL: u8 = 128;

/// What is left of a poll's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(Option<u8>);

/// Above every number of units: none are left, and that was counted.
const COUNTED: u8 = u8::MAX;

impl Budget {
    /// A task's budget at the start of a poll.
    #[inline]
    pub const fn initial() -> Self {
        Self(Some(INITIAL))
    }

    /// No limit: outside a task, or inside `unconstrained`.
    #[inline]
    pub const fn unlimited() -> Self {
        Self(None)
    }

    /// Operations left; nothing where there is no limit.
    #[inline]
    pub const fn left(self) -> Option<u8> {
        match self.0 {
            Some(COUNTED) => Some(0),
            left => left,
        }
    }

    const fn has_remaining(self) -> bool {
        !matches!(self.0, Some(0 | COUNTED))
    }
}

/// Gives its unit of budget back when it is dropped, unless [`made_progress`] was called: an
/// operation that ends Pending costs nothing.
///
/// [`made_progress`]: RestoreOnPending::made_progress
#[must_use = "the unit is given back when this is dropped"]
#[derive(Debug)]
pub struct RestoreOnPending {
    // An unlimited budget is never restored: it means progress, or that there was no limit.
    before: Cell<Budget>,
    // The budget is the thread's that took the unit.
    _thread: PhantomData<*mut ()>,
}

impl RestoreOnPending {
    #[inline]
    const fn new(before: Budget) -> Self {
        Self { before: Cell::new(before), _thread: PhantomData }
    }

    /// Says that the operation was done: its unit of budget stays spent.
    #[inline]
    pub fn made_progress(&self) {
        self.before.set(Budget::unlimited());
    }
}

impl Drop for RestoreOnPending {
    #[inline]
    fn drop(&mut self) {
        let before = self.before.get();
        if before.0.is_some() {
            set(before);
        }
    }
}

/// Takes one unit. Ready while there are some; else Pending, and the task is woken at once, so
/// that it goes on in its next turn.
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    let before = current();
    poll_spend(cx).map(|()| RestoreOnPending::new(before))
}

/// The same for an operation that will be done: its unit is spent.
#[inline]
pub fn poll_spend(cx: &mut Context<'_>) -> Poll<()> {
    match current().0 {
        None => Poll::Ready(()),
        Some(left) if left.wrapping_sub(1) >= INITIAL => {
            exhausted_slow(cx, left);
            Poll::Pending
        }
        Some(left) => {
            set(Budget(Some(left - 1)));
            Poll::Ready(())
        }
    }
}

/// Spends `units` more, or what is left, for an operation that turned out to be as long as several.
#[inline]
pub fn spend(units: usize) {
    if let Budget(Some(left @ ..=INITIAL)) = current() {
        set(Budget(Some(left.saturating_sub(u8::try_from(units).unwrap_or(u8::MAX)))));
    }
}

/// The same for an operation that waits, most likely: it takes no unit.
#[inline]
pub fn poll_remaining(cx: &mut Context<'_>) -> Poll<()> {
    match current().0 {
        Some(left) if left.wrapping_sub(1) >= INITIAL => {
            exhausted_slow(cx, left);
            Poll::Pending
        }
        _ => Poll::Ready(()),
    }
}

#[cold]
fn exhausted_slow(cx: &mut Context<'_>, left: u8) {
    crate::thread::note_yield();
    // A poll is counted once, however many of its leaves find nothing left.
    if left != COUNTED {
        set(Budget(Some(COUNTED)));
        if let Some(services) = installed() {
            (services.forced_yield)();
        }
    }
    cx.waker().wake_by_ref();
}

/// Whether an operation could be done now.
#[inline]
pub fn has_remaining() -> bool {
    current().has_remaining()
}

/// The budget of the poll that runs on this thread.
#[inline]
pub fn current() -> Budget {
    THREAD.with(|t| t.budget.get())
}

/// Replaces it and returns what was there.
#[inline]
pub fn replace(budget: Budget) -> Budget {
    THREAD.with(|t| t.budget.replace(budget))
}

#[inline]
fn set(budget: Budget) {
    THREAD.with(|t| t.budget.set(budget));
}

/// Calls `f` under a budget of its own, and puts the old one back, also if `f` panics.
#[inline]
pub fn with<R>(budget: Budget, f: impl FnOnce() -> R) -> R {
    struct Reset(Budget);
    impl Drop for Reset {
        fn drop(&mut self) {
            set(self.0);
        }
    }
    let _reset = Reset(replace(budget));
    f()
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::task::Waker;

    #[test]
    fn ends_after_exactly_128_operations() {
        let mut cx = Context::from_waker(Waker::noop());
        with(Budget::initial(), || {
            for _ in 0..128 {
                let Poll::Ready(unit) = poll_proceed(&mut cx) else { panic!("too few") };
                unit.made_progress();
            }
            assert!(!has_remaining());
            assert!(poll_proceed(&mut cx).is_pending());
            assert!(poll_proceed(&mut cx).is_pending());
            assert_eq!((current().left(), has_remaining()), (Some(0), false));
        });
        assert!(has_remaining());
    }

    #[test]
    fn an_operation_that_ends_pending_costs_nothing() {
        let mut cx = Context::from_waker(Waker::noop());
        with(Budget::initial(), || {
            for _ in 0..1_000 {
                assert!(poll_proceed(&mut cx).is_ready());
            }
            assert_eq!(current().left(), Some(128));
        });
    }

    #[test]
    fn a_long_operation_spends_several_units_and_no_more_than_are_left() {
        with(Budget::initial(), || {
            spend(0);
            assert_eq!(current().left(), Some(128));
            spend(100);
            assert_eq!(current().left(), Some(28));
            spend(29);
            assert_eq!((current().left(), has_remaining()), (Some(0), false));
            assert!(poll_proceed(&mut Context::from_waker(Waker::noop())).is_pending());
            spend(usize::MAX);
            assert_eq!(current().left(), Some(0));
        });
        spend(1);
        assert_eq!(current(), Budget::unlimited());
    }

    #[test]
    fn has_no_end_outside_a_task() {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..1_000 {
            let Poll::Ready(unit) = poll_proceed(&mut cx) else { panic!("limited") };
            unit.made_progress();
        }
        assert_eq!(current(), Budget::unlimited());
    }
}
