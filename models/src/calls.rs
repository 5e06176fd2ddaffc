//! A waker that counts, and whose copies are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

/// Counts how often its wakers were called. Not part of what a model explores.
#[derive(Debug)]
pub struct Calls(Arc<Count>);

#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Calls {
    /// No call yet.
    pub fn new() -> Self {
        let count = Arc::new(Count::default());
        // A planted bug may drop a waker twice: these keep the memory and so the number.
        (0..4).for_each(|_| std::mem::forget(count.clone()));
        Self(count)
    }

    /// No call yet, and the first waker that is counted.
    pub fn with_waker() -> (Self, Waker) {
        let calls = Self::new();
        let waker = calls.waker();
        (calls, waker)
    }

    /// A waker that is counted here.
    pub fn waker(&self) -> Waker {
        Waker::from(self.0.clone())
    }

    /// How often its wakers were called.
    pub fn count(&self) -> usize {
        self.0.0.load(Ordering::Relaxed)
    }

    /// How many of its wakers live.
    pub fn alive(&self) -> isize {
        Arc::strong_count(&self.0) as isize - 5
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self::new()
    }
}
