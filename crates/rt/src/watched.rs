//! One runtime as the monitor sees it: its workers, and the polls that were moved away from them. Called by
//! the monitor alone, under its lock.

use crate::handle::Handle;
use crate::look::{Look, Suspect};
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
    tenure: Arc<Tenure>,
    kind: StallKind,
}

/// A worker that is suspected.
pub(crate) struct Suspected {
    pub(crate) runtime: u64,
    worker: usize,
    pub(crate) suspect: Suspect,
    pub(crate) found: Option<StallKind>,
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
    pub(crate) first: bool,
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
            let Some(kind) = found else { continue };
            let may_move =
                !stays && all < ceiling && (kind == StallKind::Blocked || computing < workers);
            all += usize::from(may_move);
            computing += usize::from(may_move && kind == StallKind::Computing);
            // Where nothing can be moved it is over when it was told.
            look.judged = may_move || stays;
            let first = !core::mem::replace(&mut look.told, true);
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
        self.away.push(Away { tenure: stuck.tenure.clone(), kind: stuck.kind });
    }
}
