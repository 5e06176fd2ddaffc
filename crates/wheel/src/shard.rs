//! A wheel behind its lock, and beside the lock the earliest deadline.

use crate::lock::{Guard, Lock};
use crate::wheel::Wheel;
use shinkan_base::atomics::{AtomicU64, Ordering};
use shinkan_base::pad::Padded;
use shinkan_base::wakers::Wakers;

/// Timers of one worker, or of all threads that are none. Ticks are the caller's unit; they only
/// go up.
#[derive(Debug)]
pub struct Shard {
    wheel: Padded<Lock<Wheel>>,
    // Changed under the lock alone. On a line of its own: workers that look for something to do
    // read it, and registrations seldom write it.
    next: Padded<AtomicU64>,
}

impl Shard {
    /// A shard without timers, at tick `now`. `pause` gives the processor away for a moment, also to
    /// threads of lower priority: who waits for its lock for very long calls it.
    pub fn new(now: u64, pause: fn()) -> Self {
        let wheel = Padded(Lock::new(Wheel::new(now), pause));
        Self { wheel, next: Padded(AtomicU64::new(u64::MAX)) }
    }

    /// The tick of the first timer, or before it where timers were removed or extended; `u64::MAX`
    /// where there is none. One load; who goes to sleep by it must be rung by who registers an
    /// earlier one.
    #[inline]
    pub fn next_deadline(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// Fires the timers whose deadline is `now` or before, in the order of deadlines, and adds
    /// their wakers to `out`. Takes no lock where none is due.
    ///
    /// The answer is whether `out` filled up before all was done: then the caller wakes them and
    /// calls again, so that no batch needs an allocation and the lock is free in between.
    #[inline]
    #[must_use = "what is due may be more than a batch"]
    pub fn fire(&self, now: u64, out: &mut Wakers) -> bool {
        self.next_deadline() <= now && self.fire_slow(now, out)
    }

    #[cold]
    fn fire_slow(&self, now: u64, out: &mut Wakers) -> bool {
        let mut wheel = self.lock();
        let more = wheel.advance(now, out);
        self.publish(wheel.earliest());
        more
    }

    /// Closes all entries, adding their wakers to `out`, and refuses later ones: the runtime ends.
    /// The answer is as [`Shard::fire`]'s.
    #[must_use = "there may be more timers than a batch"]
    pub fn close(&self, out: &mut Wakers) -> bool {
        let mut wheel = self.lock();
        let more = wheel.close(out);
        self.publish(wheel.earliest());
        more
    }

    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, Wheel> {
        self.wheel.lock()
    }

    /// Notes under the lock that an entry was linked; whether it is due before all others.
    #[inline]
    pub(crate) fn linked(&self, deadline: u64) -> bool {
        let first = deadline < self.next.load(Ordering::Relaxed);
        if first {
            self.next.store(deadline, Ordering::Release);
        }
        first
    }

    /// Notes under the lock what [`Wheel::unlink`] answered.
    #[inline]
    pub(crate) fn unlinked(&self, wheel: &Wheel, gone: u64) {
        if gone <= self.next.load(Ordering::Relaxed) {
            self.publish(wheel.earliest());
        }
    }

    #[inline]
    fn publish(&self, earliest: u64) {
        self.next.store(earliest, Ordering::Release);
    }
}
