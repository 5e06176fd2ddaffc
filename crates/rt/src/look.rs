//! What the monitor knows of one place where user code runs: a core, or a guest. Called by the
//! monitor alone, in three steps: who is suspected, and what is noted of him, under the lock of the
//! list in which the place stands; what the kernel says of the suspects, under none.

use crate::namer;
use crate::stall::{StallConfig, StallKind};
use crate::tenure::Tenure;
use crate::verdict::{Case, Sample};
use shinkan_base::atomics::Arc;
use shinkan_sys::kernel_side::{self, At};
use shinkan_sys::usage::{self, Threads, Usage};
use shinkan_sys::{clock, threads};
use std::cell::OnceCell;
use std::io;
use std::time::{Duration, Instant};

/// So often is a place looked at within a threshold, of a short one less often.
const LOOKS: u32 = 4;
const SHORTEST_PAUSE: Duration = Duration::from_micros(500);

/// No core is moved earlier: a short wait costs less than that.
const EARLIEST: Duration = Duration::from_millis(1);

/// The time between two looks.
pub(crate) fn pause(threshold: Duration) -> Duration {
    (threshold / LOOKS).max(SHORTEST_PAUSE)
}

/// One place at the looks so far.
#[derive(Default)]
pub(crate) struct Look {
    tenure: Option<Arc<Tenure>>,
    sequence: u64,
    since: Option<Instant>,
    /// From when the sequence was seen for the second time.
    case: Option<Case>,
    /// This poll's core was asked for: it is not asked for twice.
    pub(crate) judged: bool,
    pub(crate) told: bool,
}

/// A poll that was seen twice.
pub(crate) struct Suspect {
    pub(crate) tenure: Arc<Tenure>,
    pub(crate) sequence: u64,
    pub(crate) duration: Duration,
    threshold: Duration,
    /// Whether standard error is told of it.
    report: bool,
    case: Option<Case>,
}

/// What a suspect is found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// In a wait in which no poll should be: its core may be moved already.
    Waiting,
    /// Stuck, for the threshold at least: it is told.
    Stuck(StallKind),
}

/// When all are looked at, and what the kernel says then.
pub(crate) struct Moment {
    pub(crate) at: Instant,
    usage: fn(i32) -> io::Result<Usage>,
    threads: OnceCell<Option<std::sync::Arc<Threads>>>,
    /// Why the kernel said nothing of a thread that there is.
    silence: OnceCell<io::Error>,
}

impl Look {
    pub(crate) fn is_of(&self, tenure: &Arc<Tenure>, sequence: u64) -> bool {
        self.sequence == sequence
            && self.tenure.as_ref().is_some_and(|known| Arc::ptr_eq(known, tenure))
    }

    /// The poll that the tenant is in, if it was in it before and was not judged.
    pub(crate) fn suspect(
        &mut self,
        tenure: &Arc<Tenure>,
        now: Instant,
        config: &StallConfig,
    ) -> Option<Suspect> {
        let sequence = tenure.seat.sequence();
        let outside = tenure.seat.is_outside();
        // Not where its core is on its way to another thread already.
        let is_gone = tenure.seat.is_gone();
        if is_gone || !self.is_of(tenure, sequence) {
            let tenure = (outside && !is_gone).then(|| tenure.clone());
            *self = Self { tenure, sequence, since: Some(now), ..Self::default() };
            return None;
        }
        // Inside it is back, or out again in a moment: a later look knows.
        if self.judged || !outside { None } else { self.suspect_again(now, config) }
    }

    /// The same poll, when its core was moved: if it goes on and was not told.
    pub(crate) fn suspect_moved(&mut self, now: Instant, config: &StallConfig) -> Option<Suspect> {
        let tenure = self.tenure.as_ref()?;
        if self.told || !is_in(tenure, self.sequence) || tenure.seat.has_returned() {
            return None;
        }
        self.suspect_again(now, config)
    }

    /// The poll that it is of, with what is known of it until [`Look::note`] gives that back.
    fn suspect_again(&mut self, now: Instant, config: &StallConfig) -> Option<Suspect> {
        let duration = now.saturating_duration_since(self.since?);
        let (tenure, sequence) = (self.tenure.clone()?, self.sequence);
        let case = self.case.take();
        let StallConfig { threshold, report, .. } = *config;
        Some(Suspect { tenure, sequence, duration, threshold, report, case })
    }

    /// Whether the thread is back from the poll.
    pub(crate) fn has_returned(&self) -> bool {
        self.tenure.as_ref().is_none_or(|tenure| tenure.seat.has_returned())
    }

    /// Whether that is its suspect.
    pub(crate) fn is(&self, suspect: &Suspect) -> bool {
        self.is_of(&suspect.tenure, suspect.sequence)
    }

    /// Notes what is known of its suspect now.
    pub(crate) fn note(&mut self, suspect: &mut Suspect) {
        debug_assert!(self.is(suspect), "another's suspect");
        self.case = suspect.case.take();
    }
}

impl Suspect {
    /// What it is in, if it is stuck. Asks the kernel, which takes as long as there are threads.
    pub(crate) fn judge(&mut self, now: &Moment) -> Option<Found> {
        let before = clock::now();
        let thread = self.tenure.thread;
        let usage = (now.usage)(thread);
        let usage = usage.map_err(|error| now.note(error, self.report)).ok()?;
        let waits = usage.interruptible
            && self.duration >= (self.threshold / LOOKS).max(EARLIEST)
            && waits_for_an_event(thread);
        let sample = Sample { at: clock::now(), usage };
        // The poll may have ended since it was suspected, and its thread sleep in the driver.
        if !is_in(&self.tenure, self.sequence) {
            return None;
        }
        let stuck = self.look(before, sample, now);
        stuck.map(Found::Stuck).or(waits.then_some(Found::Waiting))
    }

    fn look(&mut self, before: Instant, sample: Sample, now: &Moment) -> Option<StallKind> {
        let threads = || now.threads(self.report);
        match &mut self.case {
            Some(case) if case.is_fresh(before, self.threshold) => None,
            Some(case) => case.look(before, sample, threads, self.duration, self.threshold),
            None if self.duration < self.threshold / 2 => None,
            None => {
                self.case = Some(Case::new(sample, threads));
                None
            }
        }
    }
}

/// Whether the tenant is in that call of user code, and was all the time since it was seen there.
fn is_in(tenure: &Tenure, sequence: u64) -> bool {
    tenure.seat.sequence() == sequence && tenure.seat.is_outside()
}

/// Whether a thread, which waits, waits for the time or for what comes from elsewhere.
fn waits_for_an_event(thread: i32) -> bool {
    matches!(kernel_side::at(thread), Some(At::Call(call)) if call.waits_for_an_event())
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self::with(usage::of_thread)
    }

    pub(crate) fn with(usage: fn(i32) -> io::Result<Usage>) -> Self {
        let (threads, silence) = (OnceCell::new(), OnceCell::new());
        Self { at: clock::now(), usage, threads, silence }
    }

    /// All threads of the process; nothing where the kernel does not say.
    fn threads(&self, report: bool) -> Option<std::sync::Arc<Threads>> {
        let ask = || {
            let all =
                Threads::now(namer::thread()).map_err(|error| self.note(error, report)).ok()?;
            Some(std::sync::Arc::new(all))
        };
        self.threads.get_or_init(ask).clone()
    }

    fn note(&self, error: io::Error, report: bool) {
        // A thread that has ended is nothing to speak of, where the kernel speaks of others.
        let ended = error.kind() == io::ErrorKind::NotFound;
        if report && (!ended || (self.usage)(threads::kernel_id()).is_err()) {
            let _ = self.silence.set(error);
        }
    }

    /// Why a poll could not be judged, where that was so and is to be told.
    pub(crate) fn silence(self) -> Option<io::Error> {
        self.silence.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenure::Said;
    use std::sync::mpsc;

    const THRESHOLD: Duration = Duration::from_millis(40);

    /// A poll that has stayed for so long on a thread that is in `waits` until `release` is called;
    /// what is found of it once the kernel says that the thread waits.
    fn found(
        stayed: Duration,
        waits: impl FnOnce() + Send + 'static,
        release: impl FnOnce(),
    ) -> Option<Found> {
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let tenure = Arc::new(Tenure::new(false));
            tenure.leave_to_call(Said::CALLBACK);
            tell.send(tenure).unwrap();
            waits();
        });
        let tenure = told.recv().unwrap();
        let in_a_call = || {
            let usage = usage::of_thread(tenure.thread).unwrap();
            matches!(kernel_side::at(tenure.thread), Some(At::Call(_))) && usage.interruptible
        };
        while !in_a_call() {
            threads::yield_now();
        }
        let mut suspect = Suspect {
            tenure: tenure.clone(),
            sequence: tenure.seat.sequence(),
            duration: stayed,
            threshold: THRESHOLD,
            report: false,
            case: None,
        };
        let found = suspect.judge(&Moment::now());
        release();
        thread.join().unwrap();
        found
    }

    fn of_a_receive(stayed: Duration) -> Option<Found> {
        use std::io::{Read, Write};
        let (mut one, mut other) = std::os::unix::net::UnixStream::pair().unwrap();
        let waits = move || one.read_exact(&mut [0]).unwrap();
        found(stayed, waits, move || other.write_all(&[0]).unwrap())
    }

    #[test]
    fn who_waits_for_an_event_is_found_early() {
        assert_eq!(of_a_receive(THRESHOLD / LOOKS / 2), None);
        assert_eq!(of_a_receive(THRESHOLD / LOOKS), Some(Found::Waiting));
        assert_eq!(of_a_receive(THRESHOLD), Some(Found::Waiting), "one look tells of nobody");
    }

    #[test]
    fn whose_poll_has_ended_is_not_found_though_its_thread_waits() {
        let tenure = Arc::new(Tenure::new(false));
        tenure.leave_to_call(Said::CALLBACK);
        let sequence = tenure.seat.sequence();
        assert!(is_in(&tenure, sequence));
        tenure.seat.enter_kept();
        assert!(!is_in(&tenure, sequence));
        tenure.leave_to_call(Said::CALLBACK);
        assert!(!is_in(&tenure, sequence));
    }

    #[test]
    fn who_waits_for_another_thread_is_not_found_at_one_look() {
        for stayed in [THRESHOLD / LOOKS, THRESHOLD] {
            let (release, released) = mpsc::channel::<()>();
            let waits = move || assert!(released.recv().is_err());
            assert_eq!(found(stayed, waits, || drop(release)), None);
        }
    }
}
