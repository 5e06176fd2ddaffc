//! A value that a lock, a permit or a message must open for one thread at a time.

#![allow(unsafe_code)]

use loom::cell::UnsafeCell;

/// What is guarded. Loom fails the model where two threads are in it without order.
#[derive(Debug)]
pub struct Guarded(UnsafeCell<u32>);

// SAFETY:
// - who may touch the cell is what the protocol decides, and what the model checks.
unsafe impl Sync for Guarded {}
// SAFETY: as above.
unsafe impl Send for Guarded {}

impl Guarded {
    /// Zero.
    pub fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    /// Adds one, alone; the sum.
    pub fn add(&self) -> u32 {
        self.0.with_mut(|value| {
            // SAFETY: loom fails the model if another thread is in the cell now.
            unsafe { *value += 1 };
            // SAFETY: as above.
            unsafe { *value }
        })
    }

    /// What it is, beside others that look.
    pub fn look(&self) -> u32 {
        // SAFETY: loom fails the model if another thread writes the cell now.
        self.0.with(|value| unsafe { *value })
    }
}

impl Default for Guarded {
    fn default() -> Self {
        Self::new()
    }
}
