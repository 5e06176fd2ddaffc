//! One runtime as the monitor sees it: its workers, and the polls that were moved away from them. Called by
//! the monitor alone, under its lock.

use crate::handle::Handle;
use crate::look::{Look, Suspect};
use crate::shared::{Flavor, Shared};
use crate::stall::StallKind;
use crate::tenure::Tenure;
use crate::verdict::Found;
use shinkan_base::atomics::Arc;
use std::time::{Duration, Instant};

pub(crate) struct Watched {
    pub(crate) handle: Handle,
    cores: Box<[Look]>,
    /// Polls whose core was taken, and which have not come back.
    away: Vec<Away>,
}

struct Away {
    worker: usize,
    /// What was known when the core was taken. It is looked at still where nobody was told.
    look: Look,
    kind: StallKind,
}

/// A worker that is suspected.
pub(crate) struct Suspected {
    pub(crate) runtime: u64,
    worker: usize,
    /// Its core was taken already.
    is_away: bool,
    pub(crate) suspect: Suspect,
    pub(crate) found: Option<Found>,
}

/// A poll that is stuck, and what is to be done.
pub(crate) struct Stuck {
    pub(crate) handle: Handle,
    pub(crate) worker: usize,
    pub(crate) tenure: Arc<Tenure>,
    pub(crate) sequence: u64,
    pub(crate) duration: Duration,
    pub(crate) kind: StallKind,
    pub(crate) may_move: bool,
    /// Its core was taken before.
    pub(crate) is_away: bool,
    pub(crate) first: bool,
}

/// Whether any of its workers may be in user code that has to be looked at.
fn works(shared: &Shared) -> bool {
    let driven = match &shared.flavor {
        Flavor::Multi(_) => true,
        Flavor::Current(current) => current.is_driven(),
    };
    driven && !shared.is_closed() && shared.idle().anybody_awake()
}

/// Whether its tasks have to stay on their thread.
pub(crate) fn stays(shared: &Shared) -> bool {
    matches!(shared.flavor, Flavor::Current(_))
}

/// The tenure of one of its cores.
fn tenure(shared: &Shared, core: usize) -> Arc<Tenure> {
    match &shared.flavor {
        Flavor::Multi(multi) => multi.slots[core].tenure(),
        Flavor::Current(current) => current.tenure(),
    }
}

impl Watched {
    pub(crate) fn new(handle: &Handle) -> Self {
        let cores = match &handle.shared().flavor {
            Flavor::Multi(multi) => multi.slots.len(),
            Flavor::Current(_) => 1,
        };
        let cores = (0..cores).map(|_| Look::default()).collect();
        Self { handle: handle.clone(), cores, away: Vec::new() }
    }

    /// Whether there may be user code to be looked at: a worker's, or that of a poll which has lost its
    /// core and was not told.
    pub(crate) fn works(&self) -> bool {
        let shared = self.handle.shared();
        works(shared) || !shared.is_closed() && self.away.iter().any(|away| !away.look.told)
    }

    /// Polls that came back are away no more.
    pub(crate) fn welcome_back(&mut self) {
        self.away.retain(|away| away.look.goes_on());
    }

    /// Those of its workers that are in the poll that they were in before, and the polls that lost
    /// their core, which nobody was told of.
    pub(crate) fn suspects(&mut self, now: Instant) -> impl Iterator<Item = Suspected> {
        let shared = self.handle.shared();
        let (runtime, config) = (shared.id, &shared.config.stall);
        let suspected = move |worker, is_away, suspect| Suspected {
            runtime,
            worker,
            is_away,
            suspect,
            found: None,
        };
        let away = self.away.iter_mut().filter(|away| !away.look.told).filter_map(move |away| {
            Some(suspected(away.worker, true, away.look.suspect_again(now, config)?))
        });
        let here = self.cores.iter_mut().enumerate().filter_map(move |(worker, look)| {
            let suspect = look.suspect(&tenure(shared, worker), now, config)?;
            Some(suspected(worker, false, suspect))
        });
        away.chain(here)
    }

    /// Adds those that are stuck to `stuck`.
    pub(crate) fn decide(
        &mut self,
        suspects: impl Iterator<Item = Suspected>,
        stuck: &mut Vec<Stuck>,
    ) {
        let shared = self.handle.shared();
        let stays = stays(shared);
        let workers = self.cores.len();
        let ceiling = shared.config.stall.ceiling.unwrap_or(8 * workers);
        let mut all = self.away.len();
        let mut computing = self.away.iter().filter(|a| a.kind == StallKind::Computing).count();
        for Suspected { worker, is_away, mut suspect, found, .. } in suspects {
            let look = match is_away {
                false => Some(&mut self.cores[worker]),
                true => self.away.iter_mut().map(|away| &mut away.look).find(|l| l.is(&suspect)),
            };
            let Some(look) = look.filter(|look| look.is(&suspect)) else { continue };
            look.note(&mut suspect);
            let Some(Found { kind, excused }) = found else { continue };
            let may_move = !stays
                && !is_away
                && all < ceiling
                && (kind == StallKind::Blocked || computing < workers);
            if excused && !may_move {
                continue;
            }
            all += usize::from(may_move);
            computing += usize::from(may_move && kind == StallKind::Computing);
            // Where nothing can be moved it is over when it was told.
            look.judged = may_move || stays;
            let first = !excused && !core::mem::replace(&mut look.told, true);
            if !may_move && !first {
                continue;
            }
            let Suspect { tenure, sequence, duration, .. } = suspect;
            stuck.push(Stuck {
                handle: self.handle.clone(),
                worker,
                tenure,
                sequence,
                duration,
                kind,
                may_move,
                is_away,
                first,
            });
        }
    }

    /// The core was not taken: the next look asks for it again.
    pub(crate) fn ask_again(&mut self, stuck: &Stuck, told: bool) {
        let look = &mut self.cores[stuck.worker];
        if look.is_of(&stuck.tenure, stuck.sequence) {
            look.judged = false;
            // What an earlier look told stays told.
            look.told &= told || !stuck.first;
        }
    }

    /// The core was taken.
    pub(crate) fn note_away(&mut self, stuck: &Stuck) {
        let look = &mut self.cores[stuck.worker];
        if look.is_of(&stuck.tenure, stuck.sequence) {
            let look = core::mem::take(look);
            self.away.push(Away { worker: stuck.worker, look, kind: stuck.kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Builder;
    use crate::seize::{self, Taken};
    use shinkan_sys::{clock, threads};
    use std::sync::mpsc;

    const EXCUSED: Option<Found> = Some(Found { kind: StallKind::Blocked, excused: true });
    const CERTAIN: Option<Found> = Some(Found { kind: StallKind::Blocked, excused: false });

    /// What is to be done where each suspect is found to be that.
    fn decided(watched: &mut Watched, found: Option<Found>) -> Vec<Stuck> {
        let suspects: Vec<_> = watched.suspects(clock::now()).collect();
        let found = suspects.into_iter().map(|suspected| Suspected { found, ..suspected });
        let mut stuck = Vec::new();
        watched.decide(found, &mut stuck);
        stuck
    }

    #[test]
    fn who_is_excused_loses_the_core_and_is_told_of_once_the_excuse_is_over() {
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(1).no_seizing().stall_monitor(false);
        let runtime = builder.build().unwrap();
        let (release, released) = mpsc::channel::<()>();
        let task = runtime.spawn(async move { released.recv() });
        let mut watched = Watched::new(runtime.handle());
        let stuck = loop {
            if let Some(stuck) = decided(&mut watched, EXCUSED).pop() {
                break stuck;
            }
            threads::yield_now();
        };
        assert!(stuck.may_move && !stuck.first && !stuck.is_away);
        assert!(decided(&mut watched, CERTAIN).is_empty(), "it is on its way");

        let taken = seize::take(runtime.handle(), 0, &stuck.tenure, stuck.sequence);
        assert_eq!(taken, Taken::Yes);
        watched.note_away(&stuck);
        assert!(decided(&mut watched, EXCUSED).is_empty());
        let told = decided(&mut watched, CERTAIN);
        let away: Vec<_> = told.iter().filter(|stuck| stuck.is_away).collect();
        assert_eq!(away.len(), 1);
        assert!(away[0].first && !away[0].may_move && away[0].sequence == stuck.sequence);
        assert!(decided(&mut watched, CERTAIN).iter().all(|stuck| !stuck.is_away), "once");

        drop(release);
        assert!(runtime.block_on(task).unwrap().is_err());
        while !watched.away.is_empty() {
            threads::yield_now();
            watched.welcome_back();
        }
    }
}
