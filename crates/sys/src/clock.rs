//! The monotonic clock.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Instant;

/// The time since an unspecified start; never goes back. About 25 ns, without entering the kernel.
#[inline]
pub fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds of the same clock, since an unspecified start that is the same for the whole machine.
/// Of [`Instant`] only differences can be had, and each is some fifty instructions.
///
/// The standard library names `CLOCK_MONOTONIC` as what is under its `Instant`.
#[inline]
pub fn now_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// By how much [`coarse_ns`] may be behind, in nanoseconds: two of the kernel's ticks where these
/// are longest.
pub const COARSE_BEHIND_NS: u64 = 20_000_000;

/// Nanoseconds since an unspecified start, the same for the whole machine, as of the kernel's last
/// tick: see `CLOCK_MONOTONIC_COARSE` in clock_gettime(2). A fifth of what [`now`] takes.
#[inline]
pub fn coarse_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::MonotonicCoarse))
}

#[inline]
fn nanoseconds(time: Timespec) -> u64 {
    // Neither is negative: the clock starts with the machine.
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::{now, now_ns};

    #[test]
    fn nanoseconds_are_those_of_instants() {
        for _ in 0..1_000 {
            let (instant, ns) = (now(), now_ns());
            std::thread::yield_now();
            let inner = now_ns() - ns;
            let (outer, ns_again) = (instant.elapsed(), now_ns());
            assert!(u128::from(inner) <= outer.as_nanos());
            assert!(outer.as_nanos() <= u128::from(ns_again - ns) + (now() - instant).as_nanos());
        }
    }
}
