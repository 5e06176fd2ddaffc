//! Whether a poll that stays is stuck, from what the kernel said of its thread, and of the
//! process's others, at each look. Called by the monitor alone. Reads no clock.
//!
//! Nobody is stuck for want of a processor, its own or another's: a thread may wait for a lock whose
//! holder would give it back in a microsecond, and gets no processor for a hundred milliseconds. And
//! a machine that was stopped as a whole, as virtual ones are, has counted that time as used by
//! whoever ran: so no single look adds more than half a threshold to what counts as computed.

use crate::stall::StallKind;
use core::time::Duration;
use shinkan_sys::usage::{Threads, Usage};
use std::sync::Arc;
use std::time::Instant;

/// A poll is not excused for longer by others that wait for a processor: a thread of low priority
/// might wait for ever.
const EXCUSED_MOST: Duration = Duration::from_secs(1);

/// Looks in a row at which a thread waits, and ran in between, until it counts as blocked: it does
/// many short things that block.
const WAITS_MOST: u32 = 3;

/// What a thread had used, and when that was known.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Instant,
    pub(crate) usage: Usage,
}

/// What is known of a poll that has been seen twice.
pub(crate) struct Case {
    last: Sample,
    used: Duration,
    waits: u32,
    /// The process's threads at the last look, where the poll's waited.
    threads: Option<Arc<Threads>>,
}

impl Case {
    /// `threads` is asked where the thread waits; nothing where the kernel says nothing of them.
    pub(crate) fn new(sample: Sample, threads: impl FnOnce() -> Option<Arc<Threads>>) -> Self {
        let threads = (!sample.usage.runnable).then(threads).flatten();
        Self { last: sample, used: Duration::ZERO, waits: 0, threads }
    }

    /// Whether too little time has passed since the last look for another: less than half a
    /// threshold, in about.
    pub(crate) fn is_fresh(&self, now: Instant, threshold: Duration) -> bool {
        now.saturating_duration_since(self.last.at) < threshold * 3 / 8
    }

    /// The next look, for which the usage was read between `before` and `now.at`; the poll has
    /// stayed for `stayed`. What it is stuck in, if it is.
    pub(crate) fn look(
        &mut self,
        before: Instant,
        now: Sample,
        threads: impl FnOnce() -> Option<Arc<Threads>>,
        stayed: Duration,
        threshold: Duration,
    ) -> Option<StallKind> {
        // From the end of the last reading to the start of this one: a monitor that loses its
        // processor in between takes the time for shorter than it was, not for longer.
        let passed = before.saturating_duration_since(self.last.at);
        let last = core::mem::replace(&mut self.last, now).usage;
        let now = now.usage;
        let on = Duration::from_nanos(now.cpu_ns.saturating_sub(last.cpu_ns));
        let kept = Duration::from_nanos(now.delay_ns.saturating_sub(last.delay_ns));
        let off = passed.saturating_sub(on).saturating_sub(kept);
        self.used += on.min(threshold / 2);
        let late = stayed >= threshold;
        if !last.runnable && !now.runnable && off > passed / 2 {
            // The others cost a file each: not for one whom they excuse no more.
            let excused = stayed < EXCUSED_MOST && {
                let threads = threads();
                match (core::mem::replace(&mut self.threads, threads.clone()), threads) {
                    (Some(before), Some(threads)) => threads.any_kept_waiting_since(&before),
                    _ => true,
                }
            };
            if !excused {
                self.waits += 1;
                if late && (now.runs == last.runs || self.waits >= WAITS_MOST) {
                    return Some(StallKind::Blocked);
                }
            }
        } else {
            self.waits = 0;
            self.threads = (!now.runnable && stayed < EXCUSED_MOST).then(threads).flatten();
        }
        (late && self.used >= threshold).then_some(StallKind::Computing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const THRESHOLD: Duration = Duration::from_millis(10);

    /// What the kernel says after some milliseconds of each.
    fn usage(runnable: bool, cpu_ms: u64, delay_ms: u64, runs: u64) -> Usage {
        let interruptible = !runnable;
        Usage {
            runnable,
            interruptible,
            cpu_ns: (7 + cpu_ms) * MS,
            delay_ns: (3 + delay_ms) * MS,
            runs,
        }
    }

    /// The verdict at each look but the first, of a thread (time in ms and what it had used) beside
    /// another.
    fn beside(looks: &[(u64, Usage)], others: &[Usage]) -> Vec<Option<StallKind>> {
        let start = Instant::now();
        let sample = |nth: usize| {
            let (ms, usage) = looks[nth];
            Sample { at: start + Duration::from_millis(ms), usage }
        };
        let threads =
            |nth: usize| Some(Arc::new(Threads::of([(1, looks[nth].1), (2, others[nth])])));
        let mut case = Case::new(sample(0), || threads(0));
        (1..looks.len())
            .map(|nth| {
                let (now, stayed) = (sample(nth), Duration::from_millis(looks[nth].0));
                case.look(now.at, now, || threads(nth), stayed, THRESHOLD)
            })
            .collect()
    }

    /// The same beside a thread that sleeps.
    fn alone(looks: &[(u64, Usage)]) -> Vec<Option<StallKind>> {
        beside(looks, &vec![usage(false, 0, 0, 1); looks.len()])
    }

    const BLOCKED: Option<StallKind> = Some(StallKind::Blocked);
    const COMPUTING: Option<StallKind> = Some(StallKind::Computing);

    #[test]
    fn who_waits_in_the_kernel_is_blocked() {
        let waits = usage(false, 0, 0, 1);
        assert_eq!(alone(&[(5, waits), (10, waits)]), [BLOCKED]);
        assert_eq!(alone(&[(4, waits), (9, waits), (14, waits)]), [None, BLOCKED]);
    }

    #[test]
    fn who_computed_and_then_waits_is_blocked() {
        let looks = [
            (5, usage(true, 0, 0, 1)),
            (10, usage(true, 4, 0, 1)),
            (15, usage(false, 5, 0, 1)),
            (20, usage(false, 5, 0, 1)),
        ];
        assert_eq!(alone(&looks), [None, None, BLOCKED]);
    }

    #[test]
    fn who_waits_in_many_short_pieces_is_blocked_too() {
        let looks: Vec<_> = (1..5).map(|n| (5 * n, usage(false, 0, n / 2, 3 * n))).collect();
        assert_eq!(alone(&looks), [None, None, BLOCKED]);
    }

    #[test]
    fn who_has_no_processor_is_not_stuck() {
        // It would run: the wait is counted once it is over.
        let waits = usage(true, 0, 0, 1);
        assert_eq!(alone(&[(5, waits), (500, waits), (900, waits)]), [None, None]);
        // It has waited for a processor most of the time.
        let looks = [
            (5, usage(false, 0, 0, 1)),
            (500, usage(false, 4, 480, 2)),
            (510, usage(true, 4, 480, 2)),
        ];
        assert_eq!(alone(&looks), [None, None]);
    }

    #[test]
    fn who_waits_beside_one_that_gets_no_processor_is_excused_for_a_second() {
        let (waits, starved) = (usage(false, 0, 0, 1), usage(true, 5, 0, 4));
        let looks = [(5, waits), (10, waits), (300, waits), (305, waits)];
        // It gets one, goes on, and is not who was waited for.
        let ran = usage(true, 6, 290, 5);
        assert_eq!(beside(&looks, &[starved, starved, starved, ran]), [None, None, BLOCKED]);
        // It was asleep, as the second in a row of three.
        let (sleeps, woken) = (usage(false, 5, 0, 4), starved);
        assert_eq!(beside(&looks, &[sleeps, woken, woken, sleeps]), [None, None, BLOCKED]);
        let looks = [(5, waits), (999, waits), (1_000, waits)];
        assert_eq!(beside(&looks, &[starved; 3]), [None, BLOCKED]);
    }

    #[test]
    fn who_waits_while_nobody_says_what_the_others_do_is_excused_for_a_second() {
        let start = Instant::now();
        let sample =
            |ms| Sample { at: start + Duration::from_millis(ms), usage: usage(false, 0, 0, 1) };
        let mut case = Case::new(sample(5), || None);
        let mut look = |ms, threads: Option<Arc<Threads>>| {
            case.look(sample(ms).at, sample(ms), || threads, Duration::from_millis(ms), THRESHOLD)
        };
        let known = || Some(Arc::new(Threads::of([])));
        assert_eq!([look(10, None), look(20, known()), look(30, None)], [None; 3]);
        assert_eq!([look(40, known()), look(50, known())], [None, BLOCKED]);
        assert_eq!(look(1_000, None), BLOCKED);
    }

    #[test]
    fn the_others_are_asked_about_only_while_they_excuse() {
        let start = Instant::now();
        let sample = |ms| Sample {
            at: start + Duration::from_millis(ms),
            usage: usage(false, 0, 0, ms / 1_200),
        };
        let mut case = Case::new(sample(5), || Some(Arc::new(Threads::of([]))));
        for ms in [1_000, 1_100, 1_200, 1_300] {
            let (now, stayed) = (sample(ms), Duration::from_millis(ms));
            let asked = || panic!("at {ms} ms");
            assert_eq!(case.look(now.at, now, asked, stayed, THRESHOLD), BLOCKED);
        }
    }

    #[test]
    fn who_waits_beside_those_that_run_is_blocked() {
        let waits = usage(false, 0, 0, 1);
        let runs = [usage(true, 5, 0, 4), usage(true, 10, 0, 4)];
        assert_eq!(beside(&[(5, waits), (10, waits)], &runs), [BLOCKED]);
        let shares = [usage(true, 5, 0, 4), usage(true, 5, 4, 5)];
        assert_eq!(beside(&[(5, waits), (10, waits)], &shares), [BLOCKED]);
    }

    #[test]
    fn who_has_used_a_threshold_of_time_computes() {
        let looks: Vec<_> = (1..5).map(|n| (5 * n, usage(true, 5 * n, 0, 1))).collect();
        assert_eq!(alone(&looks), [None, COMPUTING, COMPUTING]);
        let looks: Vec<_> = (1..6).map(|n| (100 * n, usage(true, 3 * n, 97 * n, n))).collect();
        assert_eq!(alone(&looks), [None, None, None, COMPUTING], "little by little");
    }

    #[test]
    fn a_jump_of_the_machine_is_not_computing() {
        let looks = [
            (5, usage(true, 0, 0, 1)),
            (105, usage(true, 100, 0, 1)),
            (110, usage(true, 101, 0, 1)),
        ];
        assert_eq!(alone(&looks), [None, None]);
    }
}
