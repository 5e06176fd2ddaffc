//! Whether a thread of the blocking pool spins before it sleeps.
//!
//! To wake a thread costs the waker a call, and where its processor sleeps, too, five to twenty
//! microseconds pass before it runs. Where closures come one after the other, each of a task that awaits
//! the last, the next one is there before that: with a thread that spins, the worker has its answer before
//! it sleeps, either, and `spawn_blocking` takes a fifth. But where the closure takes longer than the
//! worker looks for work, the worker sleeps all the same, and most of the spin is its waking: four writes
//! of 4 KiB in five, with a quarter more processor time for nothing. So a thread tries a few times, where
//! its last wait was short, and goes on where the job was there almost at once. One thread of a pool spins
//! at a time, the one that is handed work first, and none where there is one processor.
//!
//! Rejected: a spin of 3 or 5 µs after a wait no longer than that. The waits with a sleep in them are
//! longer, so it is hardly ever begun.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use shinkan_sys::park::Parker;
use shinkan_sys::threads;
use std::sync::OnceLock;

/// After a wait up to this a spin may pay; it lasts so long.
const SHORT: Duration = Duration::from_micros(20);

/// A spin that lasted up to this did pay.
const PAYS: Duration = Duration::from_micros(4);

/// Spins in a row that did not pay, after which it is left for a time.
const TRIES: u32 = 4;

/// For so many waits, then twice as many each time.
const SKIPPED: u32 = 128;
const SKIPPED_MOST: u32 = 1 << 14;

/// The pool's part.
pub(crate) struct Spinner {
    /// One of its threads spins, or none may.
    taken: AtomicBool,
}

impl Spinner {
    pub(crate) fn new() -> Self {
        static PROCESSORS: OnceLock<usize> = OnceLock::new();
        Self::on(*PROCESSORS.get_or_init(threads::available_parallelism))
    }

    fn on(processors: usize) -> Self {
        Self { taken: AtomicBool::new(processors < 2) }
    }
}

/// What one thread has learned.
pub(crate) struct Learned {
    /// Its last wait was short.
    short: bool,
    spun: bool,
    in_vain: u32,
    /// So many waits without a spin are left, and will be the next time.
    skips: u32,
    next_skips: u32,
}

impl Learned {
    pub(crate) fn new() -> Self {
        Self { short: false, spun: false, in_vain: 0, skips: 0, next_skips: SKIPPED }
    }

    /// A wait begins: keeps the processor for a moment where that pays. Whether the token came.
    pub(crate) fn spin(&mut self, spinner: &Spinner, parker: &mut Parker) -> bool {
        if self.skips > 0 {
            self.skips -= 1;
            return false;
        }
        if !self.short || spinner.taken.swap(true, Ordering::Relaxed) {
            return false;
        }
        self.spun = true;
        let came = parker.spin(SHORT);
        spinner.taken.store(false, Ordering::Relaxed);
        came
    }

    /// It is over, with a spin or without.
    pub(crate) fn waited(&mut self, time: Duration) {
        self.short = time <= SHORT;
        if !core::mem::take(&mut self.spun) {
            return;
        }
        if time <= PAYS {
            (self.in_vain, self.next_skips) = (0, SKIPPED);
            return;
        }
        self.in_vain += 1;
        if self.in_vain == TRIES {
            (self.in_vain, self.skips) = (0, self.next_skips);
            self.next_skips = (2 * self.next_skips).min(SKIPPED_MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it takes a token that is there.
    fn takes(learned: &mut Learned, spinner: &Spinner) -> bool {
        let mut parker = Parker::new();
        parker.unparker().unpark();
        let came = learned.spin(spinner, &mut parker);
        assert_ne!(parker.park_timeout(Duration::ZERO), came, "a token is taken once");
        came
    }

    #[test]
    fn it_spins_after_a_short_wait_alone() {
        let (spinner, mut learned) = (Spinner::on(2), Learned::new());
        assert!(!takes(&mut learned, &spinner));
        learned.waited(SHORT);
        assert!(takes(&mut learned, &spinner));
        assert!(takes(&mut learned, &spinner));
        learned.waited(SHORT + Duration::from_nanos(1));
        assert!(!takes(&mut learned, &spinner));
    }

    /// How many of so many short waits it spins in, each of which takes `time`.
    fn spins(learned: &mut Learned, waits: u32, time: Duration) -> u32 {
        let spinner = Spinner::on(2);
        let wait = |_: &u32| {
            let spun = takes(learned, &spinner);
            learned.waited(time);
            spun
        };
        (0..waits).filter(wait).count() as u32
    }

    #[test]
    fn it_goes_on_where_it_pays() {
        let mut learned = Learned::new();
        assert_eq!(spins(&mut learned, 1_000, PAYS), 999);
        // Three that do not are no reason to stop.
        for _ in 0..10 {
            assert_eq!(spins(&mut learned, TRIES - 1, SHORT), TRIES - 1);
            assert_eq!(spins(&mut learned, 1, PAYS), 1);
        }
    }

    #[test]
    fn it_tries_ever_more_seldom_where_it_does_not() {
        let mut learned = Learned::new();
        learned.waited(SHORT);
        for skips in [SKIPPED, 2 * SKIPPED, 4 * SKIPPED] {
            assert_eq!(spins(&mut learned, TRIES, SHORT), TRIES);
            assert_eq!(spins(&mut learned, skips, SHORT), 0);
        }
        let few = spins(&mut learned, 100 * SKIPPED_MOST, SHORT);
        assert!((100 * TRIES..120 * TRIES).contains(&few), "{few}");
        // Once it pays, it is tried as often as at first.
        spins(&mut learned, SKIPPED_MOST, PAYS);
        assert_eq!(spins(&mut learned, TRIES + SKIPPED, SHORT), TRIES);
        assert_eq!(spins(&mut learned, 1, SHORT), 1);
    }

    #[test]
    fn one_spins_at_a_time_and_none_on_one_processor() {
        let (spinner, mut learned) = (Spinner::on(2), Learned::new());
        learned.waited(Duration::ZERO);
        assert!(!takes(&mut learned, &Spinner::on(1)));
        spinner.taken.store(true, Ordering::Relaxed);
        assert!(!takes(&mut learned, &spinner));
        spinner.taken.store(false, Ordering::Relaxed);
        // In vain, it leaves the place to others.
        assert!(!learned.spin(&spinner, &mut Parker::new()));
        assert!(takes(&mut learned, &spinner));
    }
}
