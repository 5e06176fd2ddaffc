//! Prefetching: the caches are told of memory that is needed soon, by address alone. On x86-64;
//! elsewhere `prefetch_none.rs` stands here.

#![allow(unsafe_code)]

use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
use core::ptr::NonNull;

/// Bytes of a line.
const LINE: usize = 64;

/// Has so many lines from there on brought into the cache, if the processor finds the time. What
/// stands there may be anything, gone included.
#[inline(always)]
pub fn prefetch<const LINES: usize>(start: NonNull<()>) {
    let start = start.as_ptr().cast_const().cast::<i8>();
    for line in 0..LINES {
        // SAFETY: an instruction that reads nothing a program sees and faults nowhere, whatever the
        // address; SSE is a part of every x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(line * LINE)) };
    }
}
