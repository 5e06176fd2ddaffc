//! Wakers that were collected under a lock and are called after it.
//!
//! A waker runs foreign code: it may take any lock, drop a task, or panic. So whoever wakes many
//! moves their wakers here, unlocks, and calls [`Wakers::wake_all`]. The first 64 need no
//! allocation; a caller that holds the lock for long looks at [`Wakers::is_full`] and unlocks
//! between batches.

use crate::prefetch::prefetch;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;
use core::task::Waker;
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Wakers of a batch: as many as need no allocation.
pub const BATCH: usize = 64;

/// A queue of wakers to be called. Dropping it drops them without a call.
pub struct Wakers {
    // Slots `taken..filled` hold wakers, which are called before those that spilled.
    inline: [MaybeUninit<Waker>; BATCH],
    taken: usize,
    filled: usize,
    #[allow(
        clippy::box_collection,
        reason = "so that dropping an empty queue costs one comparison"
    )]
    spilled: Option<Box<VecDeque<Waker>>>,
}

impl Wakers {
    /// An empty queue.
    #[inline]
    pub const fn new() -> Self {
        Self {
            inline: [const { MaybeUninit::uninit() }; BATCH],
            taken: 0,
            filled: 0,
            spilled: None,
        }
    }

    /// Adds one as the last. Allocates where the batch [is full](Wakers::is_full).
    #[inline]
    pub fn push(&mut self, waker: Waker) {
        // Called only when all are here: what it points to, if it is anything, has time to come.
        if let Some(data) = ptr::NonNull::new(waker.data().cast_mut()) {
            prefetch::<1>(data.cast());
        }
        if self.filled < BATCH {
            self.inline[self.filled].write(waker);
            self.filled += 1;
        } else {
            self.spill(waker);
        }
    }

    #[cold]
    fn spill(&mut self, waker: Waker) {
        self.spilled.get_or_insert_default().push_back(waker);
    }

    /// Whether a batch of 64 is reached: the next push would allocate.
    #[inline]
    pub const fn is_full(&self) -> bool {
        self.filled == BATCH
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        // The spilled ones come after a full batch, and leave after it.
        self.filled == 0
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.filled - self.taken + self.spilled.as_ref().map_or(0, |spilled| spilled.len())
    }

    /// Calls each, first come first served, and leaves the queue empty. Not to be called under a
    /// lock.
    ///
    /// # Panics
    /// Resumes the first panic of a waker after all the others were called.
    #[inline]
    pub fn wake_all(&mut self) {
        if !self.is_empty() {
            self.wake_all_slow();
        }
    }

    /// Gives each to `f`, first come first served, and keeps those that it gives back, in their order.
    /// `f` must not panic: some that are left would be leaked, others dropped.
    #[inline]
    pub fn sift(&mut self, mut f: impl FnMut(Waker) -> Option<Waker>) {
        let (mut next, filled) = (self.taken, self.filled);
        let mut spilled = self.spilled.take();
        (self.taken, self.filled) = (0, 0);
        loop {
            let waker = if next < filled {
                // SAFETY:
                // - filled: `next..filled` hold the wakers that are left; those that are kept are
                //   written to slots before them.
                // - once: the queue counts as empty but for those, and `next` moves past this slot.
                unsafe { self.inline[next].assume_init_read() }
            } else {
                let Some(waker) = spilled.as_mut().and_then(|spilled| spilled.pop_front()) else {
                    return;
                };
                waker
            };
            next += 1;
            if let Some(waker) = f(waker) {
                self.push(waker);
            }
        }
    }

    fn wake_all_slow(&mut self) {
        let mut first: Option<Box<dyn Any + Send>> = None;
        // What was taken is not called again, so that each turn of the loop has one panic.
        while let Err(panic) = catch_unwind(AssertUnwindSafe(|| {
            while let Some(waker) = self.take_first() {
                waker.wake();
            }
        })) {
            match first {
                None => first = Some(panic),
                Some(_) => forget_panic(panic),
            }
        }
        if let Some(panic) = first {
            resume_unwind(panic);
        }
    }

    #[inline]
    fn take_first(&mut self) -> Option<Waker> {
        if self.taken < self.filled {
            let slot = &self.inline[self.taken];
            self.taken += 1;
            // SAFETY:
            // - filled: `taken..filled` hold wakers.
            // - once: `taken` has moved past this slot.
            return Some(unsafe { slot.assume_init_read() });
        }
        let waker = self.spilled.as_mut().and_then(|spilled| spilled.pop_front());
        if waker.is_none() {
            (self.taken, self.filled) = (0, 0);
        }
        waker
    }
}

/// Drops a panic that nobody will ask for. Its drop is user code: where that panics, what it threw
/// is leaked, since the next drop might throw too.
#[cold]
fn forget_panic(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        core::mem::forget(again);
    }
}

impl Drop for Wakers {
    #[inline]
    fn drop(&mut self) {
        if self.taken < self.filled {
            let left = &raw mut self.inline[self.taken..self.filled];
            // SAFETY:
            // - filled: `taken..filled` hold wakers, and a `MaybeUninit<Waker>` is laid out as a
            //   `Waker`.
            // - once: the queue is being dropped, and `inline` has no drop of its own.
            unsafe { ptr::drop_in_place(left as *mut [Waker]) };
        }
    }
}

impl Default for Wakers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Wakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakers").field("len", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{BATCH, Wakers};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Arc, Mutex};
    use std::task::{Wake, Waker};

    struct Note {
        number: usize,
        panics: bool,
        calls: Arc<Mutex<Vec<usize>>>,
    }

    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.calls.lock().unwrap().push(self.number);
            assert!(!self.panics, "waker {}", self.number);
        }
    }

    fn wakers(n: usize, panics: &[usize]) -> (Wakers, Arc<Mutex<Vec<usize>>>) {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let mut wakers = Wakers::new();
        for number in 0..n {
            let panics = panics.contains(&number);
            wakers.push(Waker::from(Arc::new(Note { number, panics, calls: calls.clone() })));
        }
        assert_eq!((wakers.len(), wakers.is_empty()), (n, n == 0));
        assert_eq!(wakers.is_full(), n >= BATCH);
        (wakers, calls)
    }

    #[test]
    fn all_are_called_in_order_and_the_queue_is_used_again() {
        for n in [0, 1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH] {
            let (mut wakers, calls) = wakers(n, &[]);
            wakers.wake_all();
            assert_eq!((wakers.is_empty(), wakers.len(), wakers.is_full()), (true, 0, false));
            assert_eq!(*calls.lock().unwrap(), (0..n).collect::<Vec<_>>());
            wakers.push(Waker::noop().clone());
            assert_eq!(wakers.len(), 1);
            wakers.wake_all();
        }
    }

    #[test]
    fn those_that_are_given_back_are_kept_in_order() {
        for n in [0, 1, 2, BATCH, BATCH + 1, 3 * BATCH + 1] {
            let (mut wakers, calls) = wakers(n, &[]);
            let mut at = 0;
            wakers.sift(|waker| {
                at += 1;
                (at % 2 == 0).then_some(waker)
            });
            assert_eq!((at, wakers.len(), wakers.is_full()), (n, n / 2, n / 2 >= BATCH));
            wakers.wake_all();
            assert_eq!(*calls.lock().unwrap(), (1..n).step_by(2).collect::<Vec<_>>());
            assert_eq!(Arc::strong_count(&calls), 1);
        }
    }

    #[test]
    fn a_panic_leaves_no_other_uncalled_and_the_first_is_resumed() {
        let (mut wakers, calls) = wakers(2 * BATCH, &[3, 20, BATCH + 4]);
        let panic = catch_unwind(AssertUnwindSafe(|| wakers.wake_all())).unwrap_err();
        assert_eq!(*panic.downcast::<String>().unwrap(), "waker 3");
        assert_eq!(*calls.lock().unwrap(), (0..2 * BATCH).collect::<Vec<_>>());
        assert!(wakers.is_empty());
    }

    #[test]
    fn a_drop_calls_none_and_leaks_none() {
        let (wakers, calls) = wakers(BATCH + 3, &[]);
        drop(wakers);
        assert!(calls.lock().unwrap().is_empty());
        assert_eq!(Arc::strong_count(&calls), 1);
    }
}
