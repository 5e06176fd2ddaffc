//! What `tracing` is told of a semaphore: how many permits there are. Never under the queue's lock,
//! and nothing at all without the feature.

use super::Batch;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The permits are others than before, and none of them is the caller's.
#[inline(always)]
pub(super) fn changed(batch: &Batch) {
    batch.trace.permits(|| batch.available());
}

/// `n` permits were taken, and nobody has them yet: a subscriber that panics gives them back.
#[inline(always)]
pub(super) fn taken(batch: &Batch, n: usize) {
    if batch.trace.is_seen() {
        taken_slow(batch, n);
    }
}

#[cold]
fn taken_slow(batch: &Batch, n: usize) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| changed(batch))) {
        // Not while it unwinds: the subscriber is told again, and a waker is called. Either may panic
        // too, which would end the process; of two panics the first is told.
        drop(catch_unwind(AssertUnwindSafe(|| batch.release(n))));
        resume_unwind(panic);
    }
}
