//! Threads that poll local tasks without driving a current-thread runtime: inside the `block_on` of
//! a runtime with workers, or on a thread with another executor. The monitor looks at them and
//! reports, and moves nothing. Called by `local/attended.rs`.

use crate::blocking::lock;
use crate::enter::with_current;
use crate::look::{self, Found, Look, Moment, Suspect};
use crate::monitor::{self, Place, is_due};
use crate::reporter::{self, Poll, Report};
use crate::stall::{Stall, StallConfig};
use crate::tenure::Tenure;
use shinkan_base::atomics::Arc;
use shinkan_sys::membarrier;
use shinkan_task::id_from_u64;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

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
        if !config.on || !monitor::start().unwrap_or(false) {
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
        // In a child of fork(2) somebody may have the list locked who is not there.
        if !monitor::is_here() {
            return;
        }
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
    lock(&GUESTS).iter().any(|guest| guest.tenure.seat.is_outside())
}

/// One look at each. Whether any works, and how soon the next look is to come.
pub(crate) fn look(
    now: &Moment,
    reported: &mut HashMap<Place, Instant>,
) -> (bool, Option<Duration>) {
    let (mut works, mut pause) = (false, None);
    let mut suspects = Vec::new();
    for guest in lock(&GUESTS).iter_mut() {
        let its = look::pause(guest.config.threshold);
        pause = Some(pause.map_or(its, |pause: Duration| pause.min(its)));
        works |= guest.tenure.seat.is_outside();
        suspects.extend(guest.suspect(now.at));
    }
    // Under no lock: it takes as long as the process has threads.
    let found: Vec<_> = suspects.iter_mut().map(|suspect| suspect.judge(now)).collect();
    let mut reports = Vec::new();
    if !suspects.is_empty() {
        let mut guests = lock(&GUESTS);
        for (suspect, found) in suspects.into_iter().zip(found) {
            let its = |guest: &&mut Guest| Arc::ptr_eq(&guest.tenure, &suspect.tenure);
            if let Some(guest) = guests.iter_mut().find(its) {
                reports.extend(guest.decide(suspect, found));
            }
        }
    }
    for mut report in reports {
        report.is_due = is_due(reported, &report.stall);
        reporter::tell(report);
    }
    (works, pause)
}

impl Guest {
    /// The poll that it is in, if it was in it before and it was not told.
    fn suspect(&mut self, now: Instant) -> Option<Suspect> {
        if self.look.told && self.look.is_of(&self.tenure, self.tenure.seat.sequence()) {
            return None;
        }
        self.look.suspect(&self.tenure, now, &self.config)
    }

    fn decide(&mut self, mut suspect: Suspect, found: Option<Found>) -> Option<Report> {
        if !self.look.is(&suspect) {
            return None;
        }
        self.look.note(&mut suspect);
        let Some(Found::Stuck(kind)) = found else { return None };
        let (polled, task, place) = self.tenure.said().polled();
        // After what was read: it is then the same poll's.
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
            duration: suspect.duration,
            kind,
            stays: true,
            moved: false,
            stack: None,
        };
        let poll = Poll { tenure: self.tenure.clone(), sequence };
        Some(Report { stall, config: self.config.clone(), is_due: false, poll })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenure::{InUser, Said};
    use shinkan_sys::usage::of_thread;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_guest_can_come_and_go_while_the_kernel_is_asked() {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        // Hangs where the list is held meanwhile. The process's own monitor lets go of it at last.
        let comes_and_goes = |thread| {
            ASKED.fetch_add(1, Ordering::Relaxed);
            std::thread::scope(|scope| {
                scope.spawn(|| drop(Attendance::here().expect("the monitor runs")));
            });
            of_thread(thread)
        };
        let guest = Attendance::here().expect("the monitor runs");
        let _in_user = InUser::new(&guest.tenure, Said::CALLBACK);
        let mut reported = HashMap::new();
        while ASKED.load(Ordering::Relaxed) < 3 {
            assert!(look(&Moment::with(comes_and_goes), &mut reported).0);
        }
    }

    #[test]
    fn the_next_look_comes_as_soon_as_the_most_impatient_wants() {
        let threshold = Duration::from_millis(2);
        let mut builder = crate::Builder::new_current_thread();
        let runtime = builder.stall_threshold(threshold).build().unwrap();
        let patient = Attendance::here();
        let impatient = std::thread::scope(|scope| {
            let here = || {
                let _entered = runtime.enter();
                Attendance::here()
            };
            scope.spawn(here).join().unwrap()
        });
        let pause = || look(&Moment::now(), &mut HashMap::new()).1.unwrap();
        assert_eq!(pause(), look::pause(threshold));
        drop(impatient);
        assert_eq!(pause(), look::pause(StallConfig::default().threshold));
        drop(patient);
    }
}
