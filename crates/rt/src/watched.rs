//! One runtime as the monitor sees it: its workers, and the polls that were moved away from them. Called by
//! the monitor alone, under its lock.

use crate::handle::Handle;
use crate::look::{Found, Look, Suspect};
use crate::shared::{Flavor, Shared};
use crate::stall::StallKind;
use crate::tenure::Tenure;
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
    look: Look,
    kind: StallKind,
}

/// A worker that is suspected.
pub(crate) struct Suspected {
    pub(crate) runtime: u64,
    worker: usize,
    /// Its core was moved before.
    moved: bool,
    pub(crate) suspect: Suspect,
    pub(crate) found: Option<Found>,
}

/// What is to be done with a poll that is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Its core is to be moved, and where that fails it is told that it stays.
    Move,
    /// Its core stays.
    Stay,
    /// Its core was moved before it was to be told.
    Moved,
}

/// A poll that is stuck, and what is to be done.
pub(crate) struct Stuck {
    pub(crate) handle: Handle,
    pub(crate) worker: usize,
    pub(crate) tenure: Arc<Tenure>,
    pub(crate) sequence: u64,
    pub(crate) duration: Duration,
    pub(crate) kind: StallKind,
    pub(crate) deed: Deed,
    /// Whether it is told now.
    pub(crate) tell: bool,
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

    /// Whether any of its workers may be in user code that has to be looked at.
    pub(crate) fn works(&self) -> bool {
        let shared = self.handle.shared();
        let driven = match &shared.flavor {
            Flavor::Multi(_) => true,
            Flavor::Current(current) => current.is_driven(),
        };
        driven && !shared.is_closed() && shared.idle().anybody_awake()
    }

    /// Polls that came back are away no more.
    pub(crate) fn welcome_back(&mut self) {
        self.away.retain(|away| !away.look.has_returned());
    }

    /// Whether polls were moved that may still have to be told.
    pub(crate) fn owes_a_word(&self) -> bool {
        self.away.iter().any(|away| !away.look.told)
    }

    /// The polls that were moved before they were to be told, and go on.
    pub(crate) fn moved(&mut self, now: Instant) -> impl Iterator<Item = Suspected> {
        let shared = self.handle.shared();
        let (runtime, config) = (shared.id, &shared.config.stall);
        self.away.iter_mut().filter_map(move |away| {
            let suspect = away.look.suspect_moved(now, config)?;
            Some(Suspected { runtime, worker: away.worker, moved: true, suspect, found: None })
        })
    }

    /// Those of its workers that are in the poll that they were in before.
    pub(crate) fn suspects(&mut self, now: Instant) -> impl Iterator<Item = Suspected> {
        let shared = self.handle.shared();
        let (runtime, config) = (shared.id, &shared.config.stall);
        self.cores.iter_mut().enumerate().filter_map(move |(worker, look)| {
            let suspect = look.suspect(&tenure(shared, worker), now, config)?;
            Some(Suspected { runtime, worker, moved: false, suspect, found: None })
        })
    }

    /// Adds those that are stuck to `stuck`.
    pub(crate) fn decide(
        &mut self,
        suspects: impl Iterator<Item = Suspected>,
        stuck: &mut Vec<Stuck>,
    ) {
        let mut suspects: Vec<_> = suspects.collect();
        // Where there are few threads, they are for those that are stuck.
        suspects.sort_by_key(|suspected| !matches!(suspected.found, Some(Found::Stuck(_))));
        for suspected in suspects {
            let done = match suspected.moved {
                true => self.decide_moved(suspected),
                false => self.decide_one(suspected, stuck),
            };
            stuck.extend(done);
        }
    }

    fn decide_one(&mut self, suspected: Suspected, stuck: &[Stuck]) -> Option<Stuck> {
        let Suspected { worker, mut suspect, found, .. } = suspected;
        let shared = self.handle.shared();
        let stays = stays(shared);
        let workers = self.cores.len();
        let ceiling = shared.config.stall.ceiling.unwrap_or(8 * workers);
        let look = &mut self.cores[worker];
        if !look.is(&suspect) {
            return None;
        }
        look.note(&mut suspect);
        let (kind, late) = match found? {
            Found::Waiting => (StallKind::Blocked, false),
            Found::Stuck(kind) => (kind, true),
        };
        let moving = stuck.iter().filter(|stuck| stuck.handle.shared().id == shared.id);
        let moving = moving.filter(|stuck| stuck.deed == Deed::Move).map(|stuck| stuck.kind);
        let (mut all, mut computing) = (0, 0);
        for kind in moving.chain(self.away.iter().map(|away| away.kind)) {
            all += 1;
            computing += usize::from(kind == StallKind::Computing);
        }
        let may_move = match (kind, late) {
            // A place is left for one that is stuck; and it may compute when it has waited.
            (_, false) => all + 1 < ceiling && computing < workers,
            (StallKind::Blocked, true) => all < ceiling,
            (StallKind::Computing, true) => all < ceiling && computing < workers,
        } && !stays;
        if !late && !may_move {
            return None;
        }
        // Where nothing can be moved it is over when it was told.
        look.judged = may_move || stays;
        let tell = late && !core::mem::replace(&mut look.told, true);
        if !may_move && !tell {
            return None;
        }
        let deed = if may_move { Deed::Move } else { Deed::Stay };
        Some(self.stuck(worker, suspect, kind, deed, tell))
    }

    fn decide_moved(&mut self, suspected: Suspected) -> Option<Stuck> {
        let Suspected { worker, mut suspect, found, .. } = suspected;
        let away = self.away.iter_mut().find(|away| away.look.is(&suspect))?;
        away.look.note(&mut suspect);
        let Some(Found::Stuck(kind)) = found else { return None };
        away.kind = kind;
        away.look.told = true;
        Some(self.stuck(worker, suspect, kind, Deed::Moved, true))
    }

    fn stuck(
        &self,
        worker: usize,
        suspect: Suspect,
        kind: StallKind,
        deed: Deed,
        tell: bool,
    ) -> Stuck {
        let Suspect { tenure, sequence, duration, .. } = suspect;
        let handle = self.handle.clone();
        Stuck { handle, worker, tenure, sequence, duration, kind, deed, tell }
    }

    /// The core was not taken: the next look asks for it again.
    pub(crate) fn ask_again(&mut self, stuck: &Stuck, told: bool) {
        let look = &mut self.cores[stuck.worker];
        if look.is_of(&stuck.tenure, stuck.sequence) {
            look.judged = false;
            // What an earlier look told stays told.
            look.told &= told || !stuck.tell;
        }
    }

    /// The core was taken.
    pub(crate) fn note_away(&mut self, stuck: &Stuck) {
        let look = &mut self.cores[stuck.worker];
        // Nobody but the monitor, which took it, has looked there since.
        if look.is_of(&stuck.tenure, stuck.sequence) {
            let (worker, kind, look) = (stuck.worker, stuck.kind, core::mem::take(look));
            self.away.push(Away { worker, look, kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenure::Said;

    const THRESHOLD: Duration = Duration::from_millis(40);

    /// A runtime of which no worker works, as the monitor sees it, with so many threads for stuck polls.
    fn watched(workers: usize, ceiling: usize) -> (crate::Runtime, Watched) {
        let mut builder = crate::Builder::new_multi_thread();
        builder.worker_threads(workers).stall_threshold(THRESHOLD).stall_threads(ceiling);
        let runtime = builder.build().unwrap();
        let watched = Watched::new(runtime.handle());
        (runtime, watched)
    }

    /// Has worker `worker` in a poll that the monitor saw at `start`, and sees again.
    fn suspected(watched: &mut Watched, worker: usize, start: Instant) -> Suspected {
        let tenure = Arc::new(Tenure::new(false));
        tenure.leave_to_call(Said::CALLBACK);
        let shared = watched.handle.shared();
        let config = shared.config.stall.clone();
        let look = &mut watched.cores[worker];
        assert!(look.suspect(&tenure, start, &config).is_none());
        let suspect = look.suspect(&tenure, start, &config).unwrap();
        Suspected { runtime: shared.id, worker, moved: false, suspect, found: None }
    }

    fn deeds(watched: &mut Watched, suspects: Vec<Suspected>) -> Vec<(usize, Deed, bool)> {
        let mut stuck = Vec::new();
        watched.decide(suspects.into_iter(), &mut stuck);
        for one in &stuck {
            if one.deed == Deed::Move {
                watched.note_away(one);
            }
        }
        stuck.iter().map(|stuck| (stuck.worker, stuck.deed, stuck.tell)).collect()
    }

    #[test]
    fn a_poll_that_waits_is_moved_early_and_told_once_when_it_is_stuck() {
        let (_runtime, mut watched) = watched(1, 8);
        let start = Instant::now();
        let mut suspect = suspected(&mut watched, 0, start);
        suspect.found = Some(Found::Waiting);
        assert_eq!(deeds(&mut watched, vec![suspect]), [(0, Deed::Move, false)]);
        assert!(watched.owes_a_word());
        let later = |watched: &mut Watched, found| {
            let mut moved: Vec<_> = watched.moved(start + THRESHOLD).collect();
            assert!(moved.iter().all(|moved| moved.suspect.duration == THRESHOLD));
            moved.iter_mut().for_each(|moved| moved.found = found);
            moved
        };
        for found in [None, Some(Found::Waiting)] {
            let moved = later(&mut watched, found);
            assert_eq!(moved.len(), 1);
            assert_eq!(deeds(&mut watched, moved), []);
        }
        let computes = later(&mut watched, Some(Found::Stuck(StallKind::Computing)));
        assert_eq!(deeds(&mut watched, computes), [(0, Deed::Moved, true)]);
        assert_eq!(watched.away[0].kind, StallKind::Computing, "it counts as such from now on");
        assert!(!watched.owes_a_word());
        assert!(later(&mut watched, None).is_empty());
    }

    #[test]
    fn a_moved_poll_that_came_back_is_not_told() {
        let (_runtime, mut watched) = watched(1, 8);
        let start = Instant::now();
        let mut suspect = suspected(&mut watched, 0, start);
        let tenure = suspect.suspect.tenure.clone();
        suspect.found = Some(Found::Waiting);
        assert_eq!(deeds(&mut watched, vec![suspect]).len(), 1);
        tenure.seat.note_return();
        assert_eq!(watched.moved(start + THRESHOLD).count(), 0);
        watched.welcome_back();
        assert!(watched.away.is_empty() && !watched.owes_a_word());
    }

    #[test]
    fn those_that_are_stuck_come_first_and_find_a_thread() {
        let (_runtime, mut watched) = watched(3, 2);
        let start = Instant::now();
        let found = [Some(Found::Waiting), Some(Found::Stuck(StallKind::Blocked))];
        let mut both = Vec::new();
        for (worker, found) in found.into_iter().enumerate() {
            let mut suspect = suspected(&mut watched, worker, start);
            suspect.found = found;
            both.push(suspect);
        }
        assert_eq!(deeds(&mut watched, both), [(1, Deed::Move, true)]);
        let mut waits = suspected(&mut watched, 2, start);
        waits.found = Some(Found::Waiting);
        assert_eq!(deeds(&mut watched, vec![waits]), [], "the last thread is kept");
        let mut stuck = suspected(&mut watched, 2, start);
        stuck.found = Some(Found::Stuck(StallKind::Blocked));
        assert_eq!(deeds(&mut watched, vec![stuck]), [(2, Deed::Move, true)]);
    }
}
