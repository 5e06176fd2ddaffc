//! What `tracing` is told of a semaphore: how many permits there are. Never under the queue's lock,
//! and nothing at all without the feature.

use super::Batch;

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
    struct Undo<'a>(&'a Batch, usize);

    impl Drop for Undo<'_> {
        fn drop(&mut self) {
            self.0.release(self.1);
        }
    }

    let undo = Undo(batch, n);
    changed(batch);
    core::mem::forget(undo);
}
