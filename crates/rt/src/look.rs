//! What the monitor knows of one place where user code runs: a core, or a guest. Called by the
//! monitor alone, in three steps: who is suspected, and what is noted of him, under the lock of the
//! list in which the place stands; what the kernel says of the suspects, under none.

use crate::stall::{StallConfig, StallKind};
use crate::tenure::Tenure;
use crate::verdict::{Case, Sample};
use shinkan_base::atomics::Arc;
use shinkan_sys::usage::{self, Threads, Usage};
use shinkan_sys::{clock, threads};
use std::cell::OnceCell;
use std::io;
use std::time::{Duration, Instant};

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
        if self.judged || !outside {
            return None;
        }
        let duration = now.saturating_duration_since(self.since?);
        let case = self.case.take();
        let StallConfig { threshold, report, .. } = *config;
        Some(Suspect { tenure: tenure.clone(), sequence, duration, threshold, report, case })
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
    /// What it is stuck in, if it is. Asks the kernel, which takes as long as there are threads.
    pub(crate) fn judge(&mut self, now: &Moment) -> Option<StallKind> {
        let before = clock::now();
        let usage = (now.usage)(self.tenure.thread);
        let usage = usage.map_err(|error| now.note(error, self.report)).ok()?;
        let sample = Sample { at: clock::now(), usage };
        match &mut self.case {
            Some(case) => case.look(
                before,
                sample,
                || now.threads(self.report),
                self.duration,
                self.threshold,
            ),
            None => {
                self.case = Some(Case::new(sample, || now.threads(self.report)));
                None
            }
        }
    }
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
            let all = Threads::now().map_err(|error| self.note(error, report)).ok()?;
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
