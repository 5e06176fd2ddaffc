//! The state of a task: one word, which every thread that meets the task changes by one atomic
//! step. Called by `raw`, `join` and `task_ref`; knows neither future nor scheduler.
//!
//! ```text
//! row  QUEUED POLLING CLOSING DONE   the future belongs to
//!  1     0      0       0      0     nobody: asleep until a wake-up
//!  2     1      0       0      0     the one Runnable
//!  3     0      1       0      0     the polling worker
//!  4     1      1       0      0     the polling worker, which must queue the task again
//!  5     0      0       1      0     the closer, which drops it
//!  6     1      0       1      0     the closer; a void Runnable is in some queue
//!  7     0      1       1      0     the closer; a void Runnable is being given back
//!  8     0      0       0      1     nobody: it is gone; the output belongs to the join handle
//!  9     1      0       0      1     as 8; a void Runnable is in some queue
//! 10     0      1       0      1     as 8; a void Runnable is being given back
//!
//! (1) wake        1→2, 3→4; 2 and 4 stay; 5 to 10 refuse      (6) close    1→5, 2→6; 3, 4 are marked CANCELLED
//! (2) begin       2→3, 6→7, 9→10                              (7) complete 3→8, 4→8 by the poller; 5→8, 6→9, 7→10 by the closer
//! (3) end_poll    3→1, 4→2; marked CANCELLED they stay        (8) give_back 7→5, 10→8
//! (4) abort       1→2 and 2, 3, 4 stay, all marked CANCELLED; 5 to 10 refuse
//! ```
//!
//! CANCELLED says that the next who may poll must drop the future instead. A Runnable exists in
//! rows 2, 6 and 9, and it alone: so `begin` is one addition that cannot fail, and only then asks
//! whether it was void. (A compare-and-swap would first fetch the line to read it, then again to
//! write it, and a woken task's line is mostly another core's.)
//!
//! The join handle lives while JOIN_INTEREST is set; cleared, it stays so. The slot of its waker
//! belongs to the handle while JOIN_WAKER is clear, to nobody while it is set and the task is not
//! DONE, and to whoever completed the task once both are set, until it clears JOIN_WAKER.
//!
//! Above the bits is the number of references: one each of Runnable or polling worker, TaskRef,
//! join handle, abort handle, waker. Whoever takes the last one away frees the task. One who finds
//! that its own references are all there are is alone with the task and need not write the word:
//! nobody is left who could read it.
//!
//! Orderings, in pairs:
//! - every change by a compare-and-swap is AcqRel, and a wake-up that changes nothing still writes
//!   the word: what was written before a wake-up is read by the poll that `begin` (Acquire) starts
//!   after it. A wake-up that only looked could see an old QUEUED while `begin` had taken it.
//! - `end_poll` and `complete` (Release) with `begin`, `close`, `abort` and `begin_join` (Acquire):
//!   the future, the queue's link and the output change hands.
//! - `publish_waker` (Release) with `complete` (Acquire), and `joiner_told` (Release) with the
//!   handle's last `drop_ref` (Acquire): the slot of the join waker changes hands.
//! - `drop_ref` (Release) with the last one's, or with the look of the one who is alone (Acquire):
//!   all uses of the memory come before its end.

use crate::outcome::{Begin, Complete, Completer, EndPoll, Join, LeaveJoin, Stage, Wake};
use shinkan_base::atomics::{AtomicUsize, Ordering};
use shinkan_base::canary;

use Ordering::{AcqRel, Acquire, Relaxed};

const QUEUED: usize = 1;
const POLLING: usize = 1 << 1;
const CLOSING: usize = 1 << 2;
const DONE: usize = 1 << 3;
const CANCELLED: usize = 1 << 4;
const JOIN_INTEREST: usize = 1 << 5;
const JOIN_WAKER: usize = 1 << 6;
const REF: usize = 1 << 8;

/// Rows in which the future is no longer to be polled.
const ENDED: usize = CLOSING | DONE;

/// The word.
pub(crate) struct State(AtomicUsize);

impl State {
    /// A new task: row 2, with the references of Runnable, TaskRef and join handle.
    #[inline]
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(QUEUED | JOIN_INTEREST | (3 * REF)))
    }

    /// (2) The holder of the Runnable asks for the future.
    #[inline]
    pub(crate) fn begin(&self) -> Begin {
        let order = if canary("task_begin_relaxed") { Relaxed } else { AcqRel };
        let before = self.0.fetch_add(POLLING - QUEUED, order);
        check(before);
        check(before + (POLLING - QUEUED));
        debug_assert!(before & (QUEUED | POLLING) == QUEUED, "one Runnable a task");
        if before & (ENDED | CANCELLED) == 0 {
            Begin::Poll
        } else if before & ENDED == 0 {
            Begin::Cancel
        } else {
            Begin::Void
        }
    }

    /// (8) The void Runnable and its reference end. True: the last one went, free the task.
    #[inline]
    pub(crate) fn give_back(&self) -> bool {
        let before = self.0.fetch_sub(POLLING + REF, AcqRel);
        check(before);
        debug_assert!(before & ENDED != 0 && before & POLLING != 0, "a void Runnable");
        before < 2 * REF
    }

    /// (3) The poll ended Pending.
    #[inline]
    pub(crate) fn end_poll(&self) -> EndPoll {
        let mut now = self.0.load(Relaxed);
        loop {
            debug_assert!(now & (POLLING | ENDED) == POLLING, "only a poller ends a poll");
            if now & CANCELLED != 0 && !canary("task_end_poll_misses_abort") {
                return EndPoll::Cancel;
            }
            let woken = now & QUEUED != 0 && !canary("task_end_poll_forgets_wake");
            let next = if woken { now & !POLLING } else { (now & !(POLLING | QUEUED)) - REF };
            if let Err(seen) = self.swap(now, next) {
                now = seen;
                continue;
            }
            return match (woken, next < REF) {
                (true, _) => EndPoll::Requeue,
                (false, false) => EndPoll::Idle,
                (false, true) => EndPoll::Free,
            };
        }
    }

    /// (1) Somebody who keeps its reference wakes the task. Submit: the Runnable's reference was
    /// added.
    #[inline]
    pub(crate) fn wake_by_ref(&self) -> Wake {
        let mut now = self.0.load(Relaxed);
        loop {
            let next = match now & (QUEUED | POLLING | ENDED) {
                0 => (now | QUEUED) + REF,
                POLLING => now | QUEUED,
                _ if now & ENDED != 0 => return Wake::Nothing,
                _ if canary("task_wake_only_looks") => return Wake::Nothing,
                _ => now,
            };
            if let Err(seen) = self.swap(now, next) {
                now = seen;
                continue;
            }
            return if now & (QUEUED | POLLING) == 0 { Wake::Submit } else { Wake::Nothing };
        }
    }

    /// (1) A waker wakes the task and ends: its reference becomes the Runnable's, or goes.
    #[inline]
    pub(crate) fn wake_by_val(&self) -> Wake {
        let mut now = self.0.load(Relaxed);
        loop {
            let next = match now & (QUEUED | POLLING | ENDED) {
                0 => now | QUEUED,
                POLLING => (now | QUEUED) - REF,
                _ => now - REF,
            };
            if let Err(seen) = self.swap(now, next) {
                now = seen;
                continue;
            }
            return if now & (QUEUED | POLLING | ENDED) == 0 {
                Wake::Submit
            } else if next < REF {
                Wake::Free
            } else {
                Wake::Nothing
            };
        }
    }

    /// (1) The same for a task that sleeps, row 1; its waker's reference becomes the Runnable's. False:
    /// nothing was done but a look, so that `wake_by_val` has to follow.
    #[inline]
    pub(crate) fn wake_asleep(&self) -> bool {
        let awake =
            if canary("task_wake_asleep_polled") { QUEUED } else { QUEUED | POLLING } | ENDED;
        let mut now = self.0.load(Relaxed);
        while now & awake == 0 {
            let swapped = if canary("task_wake_asleep_only_looks") {
                Ok(now)
            } else if canary("task_wake_asleep_relaxed") {
                self.0.compare_exchange_weak(now, now | QUEUED, Relaxed, Relaxed)
            } else {
                self.swap(now, now | QUEUED)
            };
            match swapped {
                Ok(_) => return true,
                Err(seen) => now = seen,
            }
        }
        false
    }

    /// (4) The future shall be dropped where it would be polled next. Submit: it slept, and the
    /// Runnable's reference was added.
    #[inline]
    pub(crate) fn abort(&self) -> Wake {
        let mut now = self.0.load(Relaxed);
        loop {
            if now & (ENDED | CANCELLED) != 0 {
                return Wake::Nothing;
            }
            let asleep = now & (QUEUED | POLLING) == 0;
            let next = match asleep {
                true => (now | QUEUED | CANCELLED) + REF,
                false => now | CANCELLED,
            };
            if let Err(seen) = self.swap(now, next) {
                now = seen;
                continue;
            }
            return if asleep { Wake::Submit } else { Wake::Nothing };
        }
    }

    /// (6) The registry closes. True: the future is the caller's, to be dropped.
    pub(crate) fn close(&self) -> bool {
        let mut now = self.0.load(Relaxed);
        loop {
            if now & ENDED != 0 {
                return false;
            }
            let claimed = now & POLLING == 0 || canary("task_close_while_polling");
            let next = if claimed { now | CANCELLED | CLOSING } else { now | CANCELLED };
            if let Err(seen) = self.swap(now, next) {
                now = seen;
                continue;
            }
            return claimed;
        }
    }

    /// (7) The future is gone and the output, if there is one, in its place: ends the task and the
    /// `refs` references that the caller holds.
    #[inline]
    pub(crate) fn complete(&self, by: Completer, refs: usize, has_output: bool) -> Complete {
        let (mine, holds) = match by {
            Completer::Poller => (POLLING | QUEUED, POLLING),
            Completer::Closer => (CLOSING, CLOSING),
        };
        let mut now = self.0.load(Acquire);
        loop {
            debug_assert!(
                now & holds != 0 && now & ENDED == holds & ENDED,
                "a task is completed once, by whoever holds its future"
            );
            if has_output && now & JOIN_INTEREST == 0 && !canary("task_complete_keeps_output") {
                return Complete::Unwanted;
            }
            let told = now & JOIN_WAKER != 0;
            let done = now & !mine | DONE;
            let next = if told { done } else { done - refs * REF };
            if next < REF {
                // Alone: nobody else can read the word, so it needs no atomic step.
                self.0.store(next, Relaxed);
                return Complete::Free;
            }
            let swapped = if canary("task_complete_relaxed") {
                self.0.compare_exchange_weak(now, next, Relaxed, Acquire)
            } else {
                self.swap(now, next)
            };
            match swapped {
                Ok(_) if told => return Complete::TellJoiner,
                Ok(_) => return Complete::Finished,
                Err(seen) => now = seen,
            }
        }
    }

    /// The join waker was taken out of its slot: ends the `refs` references that
    /// [`State::complete`] left. True: the last one went, free the task.
    #[inline]
    pub(crate) fn joiner_told(&self, refs: usize) -> bool {
        let before = self.0.fetch_sub(JOIN_WAKER + refs * REF, AcqRel);
        check(before);
        debug_assert!(before & DONE != 0 && before & JOIN_WAKER != 0, "told once");
        before < (refs + 1) * REF
    }

    /// What the join handle may do.
    #[inline]
    pub(crate) fn begin_join(&self) -> Join {
        let now = self.0.load(Acquire);
        if now & DONE != 0 {
            Join::Done
        } else if now & JOIN_WAKER == 0 {
            Join::Empty
        } else {
            Join::Registered
        }
    }

    /// The handle has put its waker into the slot. False: the task is done, and the slot is still
    /// the handle's.
    #[inline]
    pub(crate) fn publish_waker(&self) -> bool {
        let mut now = self.0.load(Acquire);
        loop {
            debug_assert!(now & JOIN_WAKER == 0, "the slot was not the handle's");
            if now & DONE != 0 && !canary("task_publish_waker_after_done") {
                return false;
            }
            match self.swap(now, now | JOIN_WAKER) {
                Ok(_) => return true,
                Err(seen) => now = seen,
            }
        }
    }

    /// The handle wants the slot back, to change its waker. False: the task is done, and the slot
    /// belongs to whoever completed it.
    #[inline]
    pub(crate) fn withdraw_waker(&self) -> bool {
        let mut now = self.0.load(Acquire);
        loop {
            if now & DONE != 0 {
                return false;
            }
            debug_assert!(now & JOIN_WAKER != 0, "no waker was published");
            match self.swap(now, now & !JOIN_WAKER) {
                Ok(_) => return true,
                Err(seen) => now = seen,
            }
        }
    }

    /// The join handle goes.
    #[inline]
    pub(crate) fn leave_join(&self) -> LeaveJoin {
        let mut now = self.0.load(Acquire);
        loop {
            if now & DONE != 0 {
                return LeaveJoin::DropOutput;
            }
            let waker = now & JOIN_WAKER != 0;
            let next = now & !(JOIN_INTEREST | JOIN_WAKER);
            let next = if waker { next } else { next - REF };
            match self.swap(now, next) {
                Ok(_) if waker => return LeaveJoin::DropWaker,
                Ok(_) if next < REF => return LeaveJoin::Free,
                Ok(_) => return LeaveJoin::Left,
                Err(seen) => now = seen,
            }
        }
    }

    /// The join handle of a done task goes; it has taken or dropped the output. True: the last
    /// reference went, free the task.
    #[inline]
    pub(crate) fn leave_done(&self) -> bool {
        if self.0.load(Acquire) < 2 * REF {
            return true;
        }
        let before = self.0.fetch_sub(JOIN_INTEREST + REF, AcqRel);
        check(before);
        debug_assert!(before & JOIN_INTEREST != 0, "one join handle a task");
        before < 2 * REF
    }

    /// Counts one more reference.
    #[inline]
    pub(crate) fn add_ref(&self) {
        let before = self.0.fetch_add(REF, Relaxed);
        check(before);
        if before > isize::MAX as usize {
            overflow_slow();
        }
    }

    /// One reference goes. True: it was the last, free the task.
    #[inline]
    pub(crate) fn drop_ref(&self) -> bool {
        let before = self.0.fetch_sub(REF, AcqRel);
        check(before);
        before < 2 * REF
    }

    /// Whether the join handle still lives; once false, it stays so.
    #[inline]
    pub(crate) fn has_join_handle(&self) -> bool {
        self.0.load(Relaxed) & JOIN_INTEREST != 0
    }

    /// Whether the output may be looked for.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.0.load(Acquire) & DONE != 0
    }

    /// For a reader who only wants to know.
    pub(crate) fn stage(&self) -> Stage {
        let now = self.0.load(Acquire);
        if now & ENDED != 0 {
            Stage::Ended
        } else if now & POLLING != 0 {
            Stage::Polling
        } else if now & QUEUED != 0 {
            Stage::Queued
        } else {
            Stage::Idle
        }
    }

    /// One change of the word.
    #[inline(always)]
    fn swap(&self, now: usize, next: usize) -> Result<usize, usize> {
        check(now);
        check(next);
        self.0.compare_exchange_weak(now, next, AcqRel, Acquire)
    }
}

/// What every value of the word keeps. A word without references is the last one's own and holds
/// nothing more to keep.
#[inline(always)]
fn check(word: usize) {
    let bits = word & (REF - 1);
    debug_assert!(word < REF || is_legal(bits), "a state that the table does not have: {bits:#b}");
}

fn is_legal(bits: usize) -> bool {
    // An ended task is never queued, so its Runnable is the one from before.
    let one_runnable = bits & (QUEUED | POLLING) != QUEUED | POLLING;
    let ended = bits & ENDED;
    let joined = bits & JOIN_WAKER == 0 || bits & (JOIN_INTEREST | DONE) != 0;
    ended != ENDED && (ended == 0 || one_runnable) && joined && bits & (1 << 7) == 0
}

#[cold]
fn overflow_slow() -> ! {
    // More references than addresses: only leaked wakers get here, and going on would free a task
    // that is in use.
    std::process::abort()
}

// The table's test is as long as the table is wide.
#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
