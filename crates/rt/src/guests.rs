//! Threads that poll local tasks without driving a current-thread runtime: inside the `block_on` of
//! a runtime with workers, or on a thread with another executor. The monitor looks at them and
//! reports, and moves nothing. Called by `local/attended.rs`.

use crate::blocking::lock;
use crate::enter::with_current;
use crate::monitor::{self, Look, Moment, Place, is_due};
use crate::reporter::{self, Poll, Report};
use crate::stall::{Stall, StallConfig};
use crate::tenure::Tenure;
use shinkan_base::atomics::{Arc, Ordering, fence};
use shinkan_sys::membarrier;
use shinkan_task::id_from_u64;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

static GUESTS: Mutex<Vec<Guest>> = Mutex::new(Vec::new());

struct Guest {
    tenure: Arc<Tenure>,
    look: Look,
    config: StallConfig,
    runtime: Option<String>,
}

/// A thread that is looked at, until this is dropped.
#[derive(Debug)]
pub(crate) struct Attendance {
    pub(crate) tenure: Arc<Tenure>,
    asymmetric: bool,
}

impl Attendance {
    /// The calling thread, as its runtime was built, or as the environment says. Nothing where
    /// stuck polls are not looked for.
    pub(crate) fn here() -> Option<Self> {
        let (config, runtime) = with_current(|handle| {
            let config = &handle.shared().config;
            (config.stall.clone(), config.name.clone())
        })
        .unwrap_or_else(|_| (StallConfig::default().with_environment(), None));
        if !config.on || monitor::start().is_err() {
            return None;
        }
        let asymmetric = membarrier::supported();
        let tenure = Arc::new(Tenure::new(asymmetric));
        let guest = Guest { tenure: tenure.clone(), look: Look::default(), config, runtime };
        lock(&GUESTS).push(guest);
        Some(Self { tenure, asymmetric })
    }

    /// User code has begun.
    #[inline]
    pub(crate) fn note_work(&self) {
        monitor::note_work_on(self.asymmetric);
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let mut guests = lock(&GUESTS);
        let at = guests.iter().position(|guest| Arc::ptr_eq(&guest.tenure, &self.tenure));
        let guest = at.map(|at| guests.swap_remove(at));
        drop(guests);
        // The user's hook may be dropped with it.
        drop(guest);
    }
}

/// Whether any of them is in user code.
pub(crate) fn anybody_works() -> bool {
    lock(&GUESTS).iter().any(|guest| !guest.tenure.seat.sequence().is_multiple_of(2))
}

/// One look at each. Whether any works.
pub(crate) fn look(reported: &mut HashMap<Place, Instant>) -> bool {
    let now = Moment::now();
    let mut works = false;
    let mut reports = Vec::new();
    for guest in lock(&GUESTS).iter_mut() {
        works |= !guest.tenure.seat.sequence().is_multiple_of(2);
        reports.extend(guest.judge(&now));
    }
    for mut report in reports {
        report.is_due = is_due(reported, &report.stall);
        reporter::tell(report);
    }
    works
}

impl Guest {
    fn judge(&mut self, now: &Moment) -> Option<Report> {
        if self.look.told && self.look.is_of(&self.tenure, self.tenure.seat.sequence()) {
            return None;
        }
        let (duration, kind) = self.look.judge(&self.tenure, now, self.config.threshold)?;
        let (polled, task, place) = self.tenure.said().polled();
        // After what was read: it is then the same poll's.
        fence(Ordering::Acquire);
        let sequence = self.tenure.seat.sequence();
        if core::mem::replace(&mut self.look.told, true) || !self.look.is_of(&self.tenure, sequence)
        {
            return None;
        }
        let stall = Stall {
            runtime: self.runtime.clone(),
            worker: 0,
            thread: self.tenure.thread,
            polled,
            task: task.and_then(id_from_u64),
            name: None,
            spawned_at: place,
            duration,
            kind,
            stays: true,
            moved: false,
            stack: None,
        };
        let poll = Poll { tenure: self.tenure.clone(), sequence };
        Some(Report { stall, config: self.config.clone(), is_due: false, poll })
    }
}
