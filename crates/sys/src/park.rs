//! A word to sleep on, by futex(2): the owner parks, others unpark it.
//!
//! ```text
//! word      means
//! EMPTY     the owner runs, or has not looked yet
//! PARKED    the owner sleeps, or is about to
//! TOKEN     somebody unparked: the next park returns at once and takes the token
//!
//! park    TOKEN→EMPTY (return) | EMPTY→PARKED (sleep until TOKEN, then →EMPTY)
//! unpark  any→TOKEN, and wakes the owner where it was PARKED
//! ```
//! What was written before `unpark` is seen after the `park` that took its token: Release and
//! Acquire on the word. A token that is there already costs `unpark` one exchange, no call.

use core::hint;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use rustix::thread::futex::{self, Flags, Timespec};
use std::sync::Arc;
use std::time::Instant;

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const TOKEN: u32 = 2;

/// The owner's side. Not shared: one thread parks at a time.
#[derive(Debug)]
pub struct Parker {
    unparker: Unparker,
}

/// The side of the others.
#[derive(Clone, Debug)]
pub struct Unparker {
    word: Arc<AtomicU32>,
}

/// Sleeps for a moment, while threads of lower priority run too.
#[cold]
pub fn pause() {
    std::thread::sleep(Duration::from_micros(50));
}

impl Parker {
    /// A word without a token.
    pub fn new() -> Self {
        Self { unparker: Unparker { word: Arc::new(AtomicU32::new(EMPTY)) } }
    }

    /// A handle that ends this parker's sleep.
    pub fn unparker(&self) -> &Unparker {
        &self.unparker
    }

    /// Sleeps until there is a token, and takes it.
    pub fn park(&mut self) {
        self.park_until(None);
    }

    /// Sleeps until there is a token or `timeout` has passed. Whether it took a token.
    pub fn park_timeout(&mut self, timeout: Duration) -> bool {
        self.park_until(Instant::now().checked_add(timeout))
    }

    /// Takes a token that comes within `lasts`, while the thread keeps its processor. Whether one came.
    pub fn spin(&mut self, lasts: Duration) -> bool {
        let word = &*self.unparker.word;
        let begin = Instant::now();
        loop {
            // Some hundred nanoseconds, beside which a look at the clock is little.
            for _ in 0..16 {
                if word.load(Ordering::Relaxed) == TOKEN {
                    // Nobody else takes it.
                    word.swap(EMPTY, Ordering::Acquire);
                    return true;
                }
                hint::spin_loop();
            }
            if begin.elapsed() >= lasts {
                return false;
            }
        }
    }

    fn park_until(&mut self, deadline: Option<Instant>) -> bool {
        let word = &*self.unparker.word;
        if word.compare_exchange(EMPTY, PARKED, Ordering::Acquire, Ordering::Acquire).is_err() {
            debug_assert_ne!(word.load(Ordering::Relaxed), PARKED, "two threads park on one word");
            word.swap(EMPTY, Ordering::Acquire);
            return true;
        }
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                // A token that came meanwhile is taken, not lost.
                return word.swap(EMPTY, Ordering::Acquire) == TOKEN;
            }
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            // Woken, timed out, interrupted, or the word has changed: the word decides.
            let _ = futex::wait(word, Flags::PRIVATE, PARKED, left.as_ref());
            if word.compare_exchange(TOKEN, EMPTY, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return true;
            }
        }
    }
}

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}

impl Unparker {
    /// Leaves a token, and wakes the owner where it sleeps.
    pub fn unpark(&self) {
        if self.word.swap(TOKEN, Ordering::Release) == PARKED {
            let _ = futex::wake(&self.word, Flags::PRIVATE, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Parker;
    use core::time::Duration;

    #[test]
    fn a_token_that_is_there_is_taken_at_once_and_only_once() {
        let mut parker = Parker::new();
        parker.unparker().unpark();
        parker.unparker().unpark();
        parker.park();
        assert!(!parker.park_timeout(Duration::from_millis(1)));
    }

    #[test]
    fn a_spin_takes_a_token_that_comes_and_ends_without() {
        let mut parker = Parker::new();
        assert!(!parker.spin(Duration::ZERO));
        parker.unparker().unpark();
        assert!(parker.spin(Duration::ZERO));
        assert!(!parker.park_timeout(Duration::from_millis(1)), "it took the token");
        let unparker = parker.unparker().clone();
        let other = std::thread::spawn(move || unparker.unpark());
        assert!(parker.spin(Duration::MAX));
        other.join().unwrap();
        assert!(!parker.spin(Duration::from_millis(1)));
    }

    #[test]
    fn two_threads_pass_a_turn() {
        let (mut here, mut there) = (Parker::new(), Parker::new());
        let (wake_here, wake_there) = (here.unparker().clone(), there.unparker().clone());
        let other = std::thread::spawn(move || {
            for _ in 0..1_000 {
                there.park();
                wake_here.unpark();
            }
        });
        for _ in 0..1_000 {
            wake_there.unpark();
            here.park();
        }
        other.join().unwrap();
    }

    #[test]
    fn the_longest_timeout_is_for_ever() {
        let mut parker = Parker::new();
        parker.unparker().unpark();
        assert!(parker.park_timeout(Duration::MAX));
    }
}
