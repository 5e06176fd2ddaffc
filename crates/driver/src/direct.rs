//! The wakers of a slot's `poll_*` methods: one for each direction, in a cell that the word guards
//! (`word.rs` has the table of its states). Whoever holds a cell moves a waker and lets go: no
//! waker is cloned, called or dropped meanwhile, since that may be anybody's code.
//!
//! Rejected: the slot's lock, under which they lay before. A wait and its wake-up took seven
//! exchanges of shared words then, four of them the lock's, and take four now.

#![allow(unsafe_code)]

use crate::ready::Direction;
use crate::slots::Slot;
use crate::word::{Seen, Taken};
use core::fmt;
use core::mem::MaybeUninit;
use core::task::{Context, Poll, Waker};
use shinkan_base::atomics::{UnsafeCell, hint};
use shinkan_base::canary;
use shinkan_base::wakers::Wakers;
use shinkan_sys::park;

/// The cells. Which of them are full, the word says.
pub(crate) struct Direct {
    reader: UnsafeCell<MaybeUninit<Waker>>,
    writer: UnsafeCell<MaybeUninit<Waker>>,
}

// SAFETY:
// - a cell is touched by who holds it, one at a time, and each sees what the one before it left
//   (`word.rs`).
// - what goes through it to another thread is a `Waker`, which may.
unsafe impl Sync for Direct {}

impl Direct {
    /// Empty ones.
    pub(crate) fn new() -> Self {
        let cell = || UnsafeCell::new(MaybeUninit::uninit());
        Self { reader: cell(), writer: cell() }
    }

    #[inline(always)]
    fn cell(&self, direction: Direction) -> &UnsafeCell<MaybeUninit<Waker>> {
        match direction {
            Direction::Read => &self.reader,
            Direction::Write => &self.writer,
        }
    }

    /// Puts a waker into an empty cell.
    ///
    /// # Safety
    /// The caller holds the cell of that direction.
    #[inline]
    unsafe fn put(&self, direction: Direction, waker: Waker) {
        self.cell(direction).with_mut(|cell| {
            // SAFETY: exclusive, the caller's word.
            unsafe { &mut *cell }.write(waker);
        });
    }

    /// Takes the waker out of a full cell, which then is empty.
    ///
    /// # Safety
    /// The caller holds the cell of that direction, and it is full.
    #[inline]
    unsafe fn take(&self, direction: Direction) -> Waker {
        self.cell(direction).with_mut(|cell| {
            // SAFETY: exclusive, the caller's word.
            let cell = unsafe { &*cell };
            // SAFETY: full, the caller's word; it counts as empty from here on.
            unsafe { cell.assume_init_read() }
        })
    }

    /// Whether a wake of what lies in a full cell would wake this task.
    ///
    /// # Safety
    /// As for `take`.
    #[inline]
    unsafe fn is(&self, direction: Direction, waker: &Waker) -> bool {
        self.cell(direction).with(|cell| {
            // SAFETY: exclusive, the caller's word.
            let cell = unsafe { &*cell };
            // SAFETY: full, the caller's word.
            unsafe { cell.assume_init_ref() }.will_wake(waker)
        })
    }
}

/// Moves the wakers out of the cells that were taken, and lets go of them.
#[inline(always)]
pub(crate) fn take(slot: &Slot, taken: Taken, out: &mut Wakers) {
    let waker = |direction| {
        // SAFETY: held, and full, since that was what was waited in.
        taken.holds(direction).then(|| unsafe { slot.direct.take(direction) })
    };
    let (reader, writer) = (waker(Direction::Read), waker(Direction::Write));
    if taken.holds_any() {
        slot.word.let_go(taken);
    }
    if let Some(reader) = reader {
        out.push(reader);
    }
    if let Some(writer) = writer {
        out.push(writer);
    }
}

/// Waits in one direction: the readiness, or the waker left for it.
#[inline(always)]
pub(crate) fn poll(slot: &Slot, cx: &mut Context<'_>, direction: Direction) -> Poll<Seen> {
    let seen = slot.word.look();
    if !seen.has_to_wait(direction) {
        return poll_slow(slot, cx, direction, None);
    }
    let fresh = cx.waker().clone();
    let Ok(held) = slot.word.hold(seen, direction) else {
        return poll_slow(slot, cx, direction, Some(fresh));
    };
    // SAFETY: held since just now.
    unsafe { slot.direct.put(direction, fresh) };
    match slot.word.leave(held, direction) {
        None => Poll::Pending,
        Some(seen) => ready_slow(slot, direction, seen),
    }
}

/// What is ready came after the cell was taken hold of: its waker is not needed.
#[cold]
fn ready_slow(slot: &Slot, direction: Direction, seen: Seen) -> Poll<Seen> {
    // SAFETY: held, and filled by the caller.
    let unneeded = unsafe { slot.direct.take(direction) };
    slot.word.let_go_of(direction);
    drop(unneeded);
    Poll::Ready(seen)
}

/// The same where it is ready, a waker is there already, or somebody holds the cell.
#[cold]
fn poll_slow(
    slot: &Slot,
    cx: &mut Context<'_>,
    direction: Direction,
    mut fresh: Option<Waker>,
) -> Poll<Seen> {
    let word = &slot.word;
    let mut rests = Rests::default();
    let mut seen = word.look();
    loop {
        if seen.ends_wait(direction) {
            return Poll::Ready(seen);
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
        let held = match word.hold(seen, direction) {
            Ok(held) => held,
            Err(now) => {
                seen = now;
                continue;
            }
        };
        // Most likely the same task again.
        // SAFETY: held since just now, and full.
        let same = waits && unsafe { slot.direct.is(direction, cx.waker()) };
        let keeps = same || waits && (fresh.is_none() || canary("readiness_replace_keeps_old"));
        let mut other = None;
        if let Some(fresh) = fresh.take_if(|_| !keeps) {
            // SAFETY: held, and full.
            other = waits.then(|| unsafe { slot.direct.take(direction) });
            // SAFETY: held, and empty by now.
            unsafe { slot.direct.put(direction, fresh) };
        }
        if let Some(ready) = word.leave(held, direction) {
            // SAFETY: still held, since a readiness came between, and full.
            let left = unsafe { slot.direct.take(direction) };
            word.let_go_of(direction);
            // Another task was told to wait; what came found the cell held, and woke nobody.
            let other = if keeps { Some(left).filter(|_| !same) } else { other };
            if let Some(waker) = other {
                waker.wake();
            }
            return Poll::Ready(ready);
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
