//! Who sleeps, who searches, and whom a push wakes. See `IDLE.md` beside this file.
//!
//! Called by workers before and after they sleep, and by whoever queues a task. One word; the
//! bell is the driver's doorbell (an eventfd semaphore), or a counter in the models. Never blocks
//! but for the moment between another thread's decision to ring and its ring.

use shinkan_base::atomics::{AtomicU32, Ordering, fence, hint};
use shinkan_base::canary;

/// The doorbell that the sleepers of one driver share.
pub trait Bell {
    /// Adds one unit: one sleeper returns from waiting.
    fn ring(&self);
    /// Takes one unit if there is one. Never blocks.
    fn take(&self) -> bool;
}

/// How a sleeper came back.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// A waker had counted it awake, and as a searcher.
    Woken,
    /// By itself (an event, a deadline): it has counted itself awake; it is no searcher.
    Alone,
}

/// The word: sleepers without a unit of the bell on its way in the low half, searchers above.
#[derive(Debug)]
pub struct Idle {
    word: AtomicU32,
    workers: u32,
}

const SLEEPER: u32 = 1;
const SEARCHER: u32 = 1 << 16;

const fn sleepers(word: u32) -> u32 {
    word & 0xffff
}

const fn searchers(word: u32) -> u32 {
    word >> 16
}

impl Idle {
    /// All `workers` are awake, none searches.
    pub fn new(workers: u32) -> Self {
        assert!(workers < 0x8000, "at most 32,767 workers");
        Self { word: AtomicU32::new(0), workers }
    }

    /// A worker without work asks whether it may search the others' queues. At most half of the
    /// workers do, rounded up: more only take the queues' lines from each other.
    #[inline]
    #[must_use]
    pub fn try_search(&self) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        if 2 * searchers(word) >= self.workers {
            return false;
        }
        self.word.fetch_add(SEARCHER, Ordering::SeqCst);
        true
    }

    /// A searcher found work. True: it was the last one, so it should wake the next.
    #[inline]
    #[must_use]
    pub fn found_work(&self) -> bool {
        let word = self.word.fetch_sub(SEARCHER, Ordering::SeqCst);
        debug_assert!(searchers(word) > 0);
        searchers(word) == 1
    }

    /// A worker counts itself as sleeping. It must then look at all queues once more, and
    /// [`Idle::leave`] if it finds anything.
    #[inline]
    pub fn begin_sleep(&self, was_searching: bool) {
        let step = if was_searching { SLEEPER.wrapping_sub(SEARCHER) } else { SLEEPER };
        let order = if canary("idle_weak_sleep") { Ordering::Relaxed } else { Ordering::SeqCst };
        self.word.fetch_add(step, order);
        if !canary("idle_weak_sleep") {
            fence(Ordering::SeqCst);
        }
    }

    /// A sleeper returned from waiting, or never waited. `rung`: the driver saw the bell.
    pub fn leave(&self, rung: bool, bell: &impl Bell) -> Left {
        if rung && bell.take() {
            return Left::Woken;
        }
        loop {
            let word = self.word.load(Ordering::Relaxed);
            if sleepers(word) > 0 || canary("idle_unit_forgotten") {
                if self
                    .word
                    .compare_exchange(
                        word,
                        word.wrapping_sub(SLEEPER),
                        Ordering::SeqCst,
                        Ordering::Relaxed,
                    )
                    .is_ok()
                {
                    return Left::Alone;
                }
            } else if bell.take() {
                // Every sleeper, so also this one, has a unit on its way: it takes one of them.
                return Left::Woken;
            }
            hint::yield_now();
        }
    }

    /// Work was queued: wakes one sleeper, unless somebody searches and will find it. The push
    /// comes before; the fence here pairs with `begin_sleep`'s.
    #[inline]
    pub fn wake_one(&self, bell: &impl Bell) -> bool {
        if !canary("idle_no_wake_fence") {
            fence(Ordering::SeqCst);
        }
        let word = self.word.load(Ordering::Relaxed);
        if sleepers(word) == 0 || searchers(word) > 0 {
            return false;
        }
        self.wake_one_slow(bell)
    }

    #[cold]
    fn wake_one_slow(&self, bell: &impl Bell) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if sleepers(word) == 0 || searchers(word) > 0 {
                return false;
            }
            let next = word - SLEEPER + SEARCHER;
            if canary("idle_ring_first") {
                bell.ring();
            }
            match self.word.compare_exchange(word, next, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => {
                    if !canary("idle_ring_first") {
                        bell.ring();
                    }
                    return true;
                }
                Err(now) => word = now,
            }
        }
    }

    /// The deadline that the sleepers watch moved: one of them has to look, whoever searches.
    pub fn wake_for_timer(&self, bell: &impl Bell) {
        fence(Ordering::SeqCst);
        let mut word = self.word.load(Ordering::Relaxed);
        while sleepers(word) > 0 {
            let next = word - SLEEPER + SEARCHER;
            match self.word.compare_exchange(word, next, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return bell.ring(),
                Err(now) => word = now,
            }
        }
    }

    /// The runtime ends: everybody wakes.
    pub fn wake_all(&self, bell: &impl Bell) {
        fence(Ordering::SeqCst);
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let n = sleepers(word);
            let next = word - n * SLEEPER + n * SEARCHER;
            match self.word.compare_exchange(word, next, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return (0..n).for_each(|_| bell.ring()),
                Err(now) => word = now,
            }
        }
    }

    /// Whether anybody is awake, or about to be. Of those who ask after `begin_sleep`, at least
    /// the last one to have begun is told no.
    #[inline]
    pub fn anybody_awake(&self) -> bool {
        sleepers(self.word.load(Ordering::Relaxed)) < self.workers
    }

    /// How many sleep and have not been rung for.
    pub fn sleepers(&self) -> u32 {
        sleepers(self.word.load(Ordering::Relaxed))
    }

    /// How many search.
    pub fn searchers(&self) -> u32 {
        searchers(self.word.load(Ordering::Relaxed))
    }
}

/// Whether a worker that waits for the bell comes back in a moment whether it rings or not. See the
/// end of `IDLE.md`.
#[derive(Debug)]
pub struct Duty {
    on: AtomicU32,
}

impl Duty {
    /// Nobody is on duty.
    #[allow(clippy::new_without_default, reason = "the models' atomics have no default either")]
    pub fn new() -> Self {
        Self { on: AtomicU32::new(0) }
    }

    /// A worker is about to wait, a moment at most, after `begin_sleep`. True: it is the one on duty.
    #[inline]
    #[must_use]
    pub fn begin(&self) -> bool {
        self.on.swap(1, Ordering::Relaxed) == 0
    }

    /// It is back, and looks at all queues: if there is anything, and it does not search, it wakes
    /// one who does. The fence here pairs with that of `is_on`.
    #[inline]
    pub fn end(&self) {
        self.on.store(0, Ordering::Relaxed);
        if !canary("duty_no_end_fence") {
            fence(Ordering::SeqCst);
        }
    }

    /// After a push: whether somebody will look at all queues in a moment. The fence here pairs with
    /// that of `end`.
    #[inline]
    #[must_use]
    pub fn is_on(&self) -> bool {
        if self.on.load(Ordering::Relaxed) == 0 {
            return false;
        }
        if !canary("duty_no_push_fence") {
            fence(Ordering::SeqCst);
        }
        self.on.load(Ordering::Relaxed) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    #[derive(Default)]
    struct Units(Cell<u32>);

    impl Bell for Units {
        fn ring(&self) {
            self.0.set(self.0.get() + 1);
        }
        fn take(&self) -> bool {
            let n = self.0.get();
            self.0.set(n.saturating_sub(1));
            n > 0
        }
    }

    #[test]
    fn one_push_wakes_one_of_two_sleepers() {
        let (idle, bell) = (Idle::new(2), Units::default());
        idle.begin_sleep(false);
        idle.begin_sleep(false);
        assert!(idle.wake_one(&bell));
        assert_eq!((idle.sleepers(), idle.searchers(), bell.0.get()), (1, 1, 1));
        assert!(!idle.wake_one(&bell), "the searcher will find it");
        assert_eq!(idle.leave(true, &bell), Left::Woken);
        assert!(idle.found_work());
        assert!(idle.wake_one(&bell));
    }

    #[test]
    fn a_sleeper_that_left_by_an_event_takes_the_unit_that_was_meant_for_it() {
        let (idle, bell) = (Idle::new(1), Units::default());
        idle.begin_sleep(false);
        assert!(idle.wake_one(&bell));
        assert_eq!(idle.leave(false, &bell), Left::Woken);
        assert_eq!(bell.0.get(), 0, "a unit without a sleeper would wake the next for nothing");
    }

    #[test]
    fn half_of_the_workers_may_search() {
        let idle = Idle::new(4);
        assert!(idle.try_search());
        assert!(idle.try_search());
        assert!(!idle.try_search());
        assert!(!idle.found_work());
        assert!(idle.found_work());
    }
}
