//! The monotonic clock.

use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

/// The time since an unspecified start; never goes back. About 25 ns, without entering the kernel.
#[inline]
pub fn now() -> Instant {
    Instant::now()
}

/// By how much [`coarse_ns`] may be behind, in nanoseconds: two of the kernel's ticks where these
/// are longest.
pub const COARSE_BEHIND_NS: u64 = 20_000_000;

/// Nanoseconds since an unspecified start, the same for the whole machine, as of the kernel's last
/// tick: see `CLOCK_MONOTONIC_COARSE` in clock_gettime(2). A fifth of what [`now`] takes.
#[inline]
pub fn coarse_ns() -> u64 {
    let time = clock_gettime(ClockId::MonotonicCoarse);
    // Neither is negative: the clock starts with the machine.
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}
