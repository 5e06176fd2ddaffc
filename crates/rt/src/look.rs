//! What the monitor knows of one place where user code runs: a core, or a guest. Called by the
//! monitor alone, in three steps: who is suspected, and what is noted of him, under the lock of the
//! list in which the place stands; what the kernel says of the suspects, under none.

use crate::stall::StallKind;
use crate::tenure::Tenure;
use crate::verdict::{Case, Sample};
use shinkan_base::atomics::Arc;
use shinkan_sys::clock;
use shinkan_sys::usage::{self, Threads, Usage};
use std::cell::OnceCell;
use std::io;
use std::time::{Duration, Instant};

/// One place at the looks so far.
#[derive(Default)]
pub(crate) struct Look {
    tenure: Option<Arc<Tenure>>,
    pub(crate) sequence: u64,
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
    case: Option<Case>,
}

/// When all are looked at, and what the kernel says then.
pub(crate) struct Moment {
    pub(crate) at: Instant,
    usage: fn(i32) -> io::Result<Usage>,
    threads: OnceCell<Option<std::sync::Arc<Threads>>>,
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
        threshold: Duration,
    ) -> Option<Suspect> {
        let sequence = tenure.seat.sequence();
        // Not where its core is on its way to another thread already.
        let in_user_code = !sequence.is_multiple_of(2) && !tenure.seat.is_gone();
        if !in_user_code || !self.is_of(tenure, sequence) {
            let tenure = in_user_code.then(|| tenure.clone());
            *self = Self { tenure, sequence, since: Some(now), ..Self::default() };
            return None;
        }
        if self.judged {
            return None;
        }
        let duration = now.saturating_duration_since(self.since?);
        let (tenure, case) = (tenure.clone(), self.case.take());
        Some(Suspect { tenure, sequence, duration, threshold, case })
    }

    /// Notes what has become of a suspect. Whether it is this place's still.
    pub(crate) fn note(&mut self, suspect: &mut Suspect) -> bool {
        let is_its = self.is_of(&suspect.tenure, suspect.sequence);
        if is_its {
            self.case = suspect.case.take();
        }
        is_its
    }
}

impl Suspect {
    /// What it is stuck in, if it is. Asks the kernel, which takes as long as there are threads.
    pub(crate) fn judge(&mut self, now: &Moment) -> Option<StallKind> {
        let before = clock::now();
        let usage = now.usage(self.tenure.thread)?;
        let sample = Sample { at: clock::now(), usage };
        match &mut self.case {
            Some(case) => {
                case.look(before, sample, || now.threads(), self.duration, self.threshold)
            }
            None => {
                self.case = Some(Case::new(sample, || now.threads()));
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
        Self { at: clock::now(), usage, threads: OnceCell::new() }
    }

    fn usage(&self, thread: i32) -> Option<Usage> {
        (self.usage)(thread).ok()
    }

    /// All threads of the process; nothing where the kernel does not say.
    fn threads(&self) -> Option<std::sync::Arc<Threads>> {
        self.threads.get_or_init(|| Threads::now().ok().map(std::sync::Arc::new)).clone()
    }
}
