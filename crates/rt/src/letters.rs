//! How a waiting thread of the blocking pool is handed its job.

use crate::blocking::{Job, lock};
use shinkan_sys::park::{Parker, Unparker};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A waiting thread's letter box.
pub(crate) struct Seat {
    letter: Mutex<Letter>,
    unparker: Unparker,
}

pub(crate) enum Letter {
    None,
    Job(Job),
    /// There was no job: the thread goes back to wait.
    Rest,
    /// The pool is closed: the thread ends.
    End,
}

/// A thread that waits for the one job that it will be given. Dropped, it goes back to wait.
pub(crate) struct Spare(Option<Arc<Seat>>);

impl Spare {
    pub(crate) fn of(seat: Arc<Seat>) -> Self {
        Self(Some(seat))
    }

    pub(crate) fn give(mut self, job: Job) {
        if let Some(seat) = self.0.take() {
            seat.give(job);
        }
    }

    /// There is no job for it after all.
    pub(crate) fn release(self) {
        drop(self);
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(seat) = self.0.take() {
            seat.put(Letter::Rest);
        }
    }
}

impl Seat {
    pub(crate) fn new(parker: &Parker) -> Self {
        Self { letter: Mutex::new(Letter::None), unparker: parker.unparker().clone() }
    }

    pub(crate) fn give(&self, job: Job) {
        self.put(Letter::Job(job));
    }

    pub(crate) fn put(&self, letter: Letter) {
        let before = core::mem::replace(&mut *lock(&self.letter), letter);
        debug_assert!(matches!(before, Letter::None), "a waiting thread was written to twice");
        self.unparker.unpark();
    }

    fn take(&self) -> Letter {
        core::mem::replace(&mut *lock(&self.letter), Letter::None)
    }

    /// Waits for a letter; without a deadline, or until it has passed.
    pub(crate) fn wait(&self, parker: &mut Parker, until: Option<Instant>) -> Letter {
        loop {
            let letter = self.take();
            if !matches!(letter, Letter::None) {
                return letter;
            }
            match until.map(|until| until.saturating_duration_since(shinkan_sys::clock::now())) {
                None => parker.park(),
                Some(left) if left.is_zero() => return Letter::None,
                Some(left) => {
                    parker.park_timeout(left);
                }
            }
        }
    }
}
