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
    tenure: Arc<Tenure>,
    sequence: u64,
    kind: StallKind,
    /// When it is to be told of; nothing where it was.
    tell_at: Option<Instant>,
}

/// A worker that is suspected.
pub(crate) struct Suspected {
    pub(crate) runtime: u64,
    worker: usize,
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
        self.away.retain(|away| !away.tenure.seat.has_returned());
    }

    /// Whether polls were moved that are still to be told.
    pub(crate) fn owes_a_word(&self) -> bool {
        self.away.iter().any(|away| away.tell_at.is_some())
    }

    /// Adds the polls that were moved early and have stayed for the threshold by now.
    pub(crate) fn overdue(&mut self, now: Instant, stuck: &mut Vec<Stuck>) {
        let (handle, threshold) = (&self.handle, self.handle.shared().config.stall.threshold);
        let due = |away: &mut Away| {
            let tell_at = away.tell_at.take_if(|tell_at| *tell_at <= now)?;
            let duration = threshold + now.saturating_duration_since(tell_at);
            Some(Stuck {
                handle: handle.clone(),
                worker: away.worker,
                tenure: away.tenure.clone(),
                sequence: away.sequence,
                duration,
                kind: away.kind,
                deed: Deed::Moved,
                tell: true,
            })
        };
        stuck.extend(self.away.iter_mut().filter_map(due));
    }

    /// Those of its workers that are in the poll that they were in before.
    pub(crate) fn suspects(&mut self, now: Instant) -> impl Iterator<Item = Suspected> {
        let shared = self.handle.shared();
        let (runtime, config) = (shared.id, &shared.config.stall);
        self.cores.iter_mut().enumerate().filter_map(move |(worker, look)| {
            let suspect = look.suspect(&tenure(shared, worker), now, config)?;
            Some(Suspected { runtime, worker, suspect, found: None })
        })
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
        for Suspected { worker, mut suspect, found, .. } in suspects {
            let look = &mut self.cores[worker];
            if !look.is(&suspect) {
                continue;
            }
            look.note(&mut suspect);
            let Some(Found { kind, late }) = found else { continue };
            let may_move =
                !stays && all < ceiling && (kind == StallKind::Blocked || computing < workers);
            if !late && !may_move {
                continue;
            }
            all += usize::from(may_move);
            computing += usize::from(may_move && kind == StallKind::Computing);
            // Where nothing can be moved it is over when it was told.
            look.judged = may_move || stays;
            let tell = late && !core::mem::replace(&mut look.told, true);
            if !may_move && !tell {
                continue;
            }
            let deed = if may_move { Deed::Move } else { Deed::Stay };
            let Suspect { tenure, sequence, duration, .. } = suspect;
            stuck.push(Stuck {
                handle: self.handle.clone(),
                worker,
                tenure,
                sequence,
                duration,
                kind,
                deed,
                tell,
            });
        }
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

    /// The core was taken, at this time.
    pub(crate) fn note_away(&mut self, stuck: &Stuck, now: Instant) {
        let left = self.handle.shared().config.stall.threshold.checked_sub(stuck.duration);
        self.away.push(Away {
            worker: stuck.worker,
            tenure: stuck.tenure.clone(),
            sequence: stuck.sequence,
            kind: stuck.kind,
            tell_at: left.filter(|left| !left.is_zero()).map(|left| now + left),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_that_was_moved_early_is_told_once_and_in_time() {
        let threshold = Duration::from_millis(40);
        let mut builder = crate::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).stall_threshold(threshold).build().unwrap();
        let mut watched = Watched::new(runtime.handle());
        let stuck = |duration| Stuck {
            handle: runtime.handle().clone(),
            worker: 0,
            tenure: Arc::new(Tenure::new(false)),
            sequence: 7,
            duration,
            kind: StallKind::Blocked,
            deed: Deed::Move,
            tell: duration >= threshold,
        };
        let start = Instant::now();
        let told = |watched: &mut Watched, after: Duration| {
            let mut all = Vec::new();
            watched.overdue(start + after, &mut all);
            all.iter().map(|stuck| (stuck.deed, stuck.duration)).collect::<Vec<_>>()
        };
        watched.note_away(&stuck(threshold), start);
        assert!(!watched.owes_a_word(), "it is told where it is moved");
        watched.note_away(&stuck(threshold / 4), start);
        let left = threshold * 3 / 4;
        assert_eq!(told(&mut watched, left - Duration::from_nanos(1)), []);
        assert!(watched.owes_a_word());
        let late = Duration::from_millis(1);
        assert_eq!(told(&mut watched, left + late), [(Deed::Moved, threshold + late)]);
        assert!(!watched.owes_a_word());
        assert_eq!(told(&mut watched, 2 * threshold), []);
    }
}
