//! The wakers of a slot's `poll_*` methods: one for each direction, in a cell that the word guards
//! (`word.rs` has the table of its states). Whoever holds a cell moves a waker and lets go: no
//! waker is cloned, called or dropped meanwhile, since that may be anybody's code.
//!
//! Rejected: the slot's lock, under which they lay before. A wait and its wake-up took seven
//! exchanges of shared words then (two of them the lock's, twice), and take four now.

#![allow(unsafe_code)]

use crate::ready::{Direction, ReadyEvent};
use crate::slots::Slot;
use crate::word::Taken;
use core::fmt;
use core::task::{Context, Poll, Waker};
use shinkan_base::atomics::{UnsafeCell, hint};
use shinkan_base::canary;
use shinkan_base::wakers::Wakers;
use shinkan_sys::park;

/// The cells.
pub(crate) struct Direct {
    reader: UnsafeCell<Option<Waker>>,
    writer: UnsafeCell<Option<Waker>>,
}

// SAFETY:
// - a cell is touched by `exchange` alone, whose callers hold it: one at a time, and each sees what
//   the one before it left (`word.rs`).
// - what goes through it to another thread is a `Waker`, which may.
unsafe impl Sync for Direct {}

impl Direct {
    /// Empty ones.
    pub(crate) fn new() -> Self {
        Self { reader: UnsafeCell::new(None), writer: UnsafeCell::new(None) }
    }

    /// Swaps what lies in the cell.
    ///
    /// # Safety
    /// The caller holds the cell of that direction.
    #[inline]
    unsafe fn swap(&self, direction: Direction, waker: &mut Option<Waker>) {
        let cell = match direction {
            Direction::Read => &self.reader,
            Direction::Write => &self.writer,
        };
        // SAFETY: exclusive, the caller's word.
        cell.with_mut(|cell| core::mem::swap(unsafe { &mut *cell }, waker));
    }

    /// Whether a wake of what lies in the cell would wake this task.
    ///
    /// # Safety
    /// The caller holds the cell of that direction.
    #[inline]
    unsafe fn is(&self, direction: Direction, waker: &Waker) -> bool {
        let cell = match direction {
            Direction::Read => &self.reader,
            Direction::Write => &self.writer,
        };
        // SAFETY: exclusive, the caller's word.
        cell.with(|cell| unsafe { &*cell }.as_ref().is_some_and(|old| old.will_wake(waker)))
    }
}

/// Moves the wakers out of the cells that were taken, and lets go of them.
#[inline]
pub(crate) fn take(slot: &Slot, taken: Taken, out: &mut Wakers) {
    let (mut reader, mut writer) = (None, None);
    if taken.holds(Direction::Read) {
        // SAFETY: held.
        unsafe { slot.direct.swap(Direction::Read, &mut reader) };
    }
    if taken.holds(Direction::Write) {
        // SAFETY: held.
        unsafe { slot.direct.swap(Direction::Write, &mut writer) };
    }
    slot.word.let_go(taken);
    reader.into_iter().chain(writer).for_each(|waker| out.push(waker));
}

/// Waits in one direction: the readiness, or the waker left for it.
#[inline]
pub(crate) fn poll(slot: &Slot, cx: &mut Context<'_>, direction: Direction) -> Poll<ReadyEvent> {
    let word = &slot.word;
    let (mut fresh, mut rests) = (None, Rests::default());
    let mut seen = word.look();
    loop {
        if let Some(event) = seen.ready_event(direction.mask()) {
            return Poll::Ready(event);
        }
        if seen.is_held(direction) && !canary("readiness_hold_held") {
            rests.rest();
            seen = word.look();
            continue;
        }
        let waits = seen.waits(direction);
        if !waits && fresh.is_none() {
            fresh = Some(cx.waker().clone());
        }
        if let Err(now) = word.hold(seen, direction) {
            seen = now;
            continue;
        }
        // Most likely the same task again.
        // SAFETY: held since just now.
        let same = waits && unsafe { slot.direct.is(direction, cx.waker()) };
        let keeps = same || waits && (fresh.is_none() || canary("readiness_replace_keeps_old"));
        if !keeps {
            // SAFETY: held.
            unsafe { slot.direct.swap(direction, &mut fresh) };
        }
        if let Some(event) = word.leave(direction) {
            let mut left = None;
            // SAFETY: still held, since a readiness came between.
            unsafe { slot.direct.swap(direction, &mut left) };
            word.let_go_of(direction);
            // Another task was told to wait; what came found the cell held, and woke nobody.
            let other = if keeps { left.filter(|_| !same) } else { fresh };
            if let Some(waker) = other {
                waker.wake();
            }
            return Poll::Ready(event);
        }
        if same || !keeps || canary("readiness_replace_keeps_old") {
            return Poll::Pending;
        }
        // Another task's waker is there.
        fresh = Some(cx.waker().clone());
        seen = word.look();
    }
}

/// Waits for who holds a cell: a few instructions, unless that one has lost its processor.
#[derive(Debug, Default)]
struct Rests(u32);

impl Rests {
    /// Before the next look.
    #[cold]
    fn rest(&mut self) {
        self.0 += 1;
        match self.0 {
            0..=20 => hint::yield_now(),
            // One of a lower priority than ours runs only while we sleep.
            _ => park::pause(),
        }
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}
