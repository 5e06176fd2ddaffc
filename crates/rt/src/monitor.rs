//! The thread that looks for workers that are stuck in user code. See `MONITOR.md` beside this file.
//!
//! One for the process, started with the first runtime of several workers. Called by the builder
//! (`watch`), by a runtime's end (`forget`), and by each worker that has slept (`note_work`). Never
//! touches a core, and calls user code (a hook, the name of a new thread) under no lock.

use crate::alarm::Alarm;
use crate::blocking::lock;
use crate::guests;
use crate::handle::Handle;
use crate::hooks::quietly;
use crate::look::{Look, Moment, Suspect};
use crate::reporter::{self, Poll, Report};
use crate::seize::{self, Taken};
use crate::shared::{Flavor, Shared};
use crate::stall::{Stall, StallKind};
use crate::tenure::Tenure;
use shinkan_base::atomics::Arc;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_sys::park::{Parker, Unparker};
use shinkan_sys::{clock, membarrier, threads};
use shinkan_task::{Id, id_from_u64};
use std::collections::HashMap;
use std::io;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Looks at which nobody worked, until it sleeps for good.
const QUIET_LOOKS: u32 = 10;

/// The same place is reported at most once in this time.
const REPORT_EVERY: Duration = Duration::from_secs(10);

static MONITOR: OnceLock<Monitor> = OnceLock::new();

struct Monitor {
    alarm: Alarm,
    unparker: Unparker,
    thread: AtomicU64,
    list: Mutex<List>,
    /// It has let go of the runtime that it was busy with.
    let_go: Condvar,
}

#[derive(Default)]
struct List {
    runtimes: Vec<Watched>,
    /// The numbers of the runtimes of which it holds a handle beside this list's.
    busy_with: Vec<u64>,
}

impl List {
    /// The runtime of that number; nothing where it was forgotten meanwhile.
    fn of(&mut self, id: u64) -> Option<&mut Watched> {
        self.runtimes.iter_mut().find(|watched| watched.handle.shared().id == id)
    }
}

struct Watched {
    handle: Handle,
    cores: Box<[Look]>,
    /// Polls whose core was taken, and which have not come back.
    away: Vec<Away>,
}

struct Away {
    tenure: Arc<Tenure>,
    sequence: u64,
    kind: StallKind,
}

/// A worker that is suspected.
struct Suspected {
    runtime: u64,
    worker: usize,
    suspect: Suspect,
    kind: Option<StallKind>,
}

/// A poll that is stuck, and what is to be done.
struct Stuck {
    handle: Handle,
    worker: usize,
    tenure: Arc<Tenure>,
    sequence: u64,
    duration: Duration,
    kind: StallKind,
    may_move: bool,
    first: bool,
}

/// A worker has counted itself as working: whoever works is looked at.
#[inline]
pub(crate) fn note_work(shared: &Shared) {
    if shared.config.stall.on {
        note_work_on(shared.asymmetric);
    }
}

/// The same for a thread that has no runtime of its own.
#[inline]
pub(crate) fn note_work_on(asymmetric: bool) {
    if let Some(monitor) = MONITOR.get()
        && monitor.alarm.must_wake(|| membarrier::light_fence(asymmetric))
    {
        monitor.unparker.unpark();
    }
}

/// Looks at the workers of this runtime from now on.
///
/// # Errors
/// The operating system has no thread to give.
pub(crate) fn watch(handle: &Handle) -> io::Result<()> {
    let monitor = started()?;
    let cores = match &handle.shared().flavor {
        Flavor::Multi(multi) => multi.slots.len(),
        Flavor::Current(_) => 1,
    };
    let watched = Watched {
        handle: handle.clone(),
        cores: (0..cores).map(|_| Look::default()).collect(),
        away: Vec::new(),
    };
    lock(&monitor.list).runtimes.push(watched);
    note_work(handle.shared());
    Ok(())
}

/// Looks at this runtime no more. When it returns, the monitor holds nothing of it.
pub(crate) fn forget(handle: &Handle) {
    let Some(monitor) = MONITOR.get() else { return };
    let id = handle.shared().id;
    let mut list = lock(&monitor.list);
    let at = list.runtimes.iter().position(|watched| watched.handle.shared().id == id);
    let watched = at.map(|at| list.runtimes.swap_remove(at));
    // The function that names a new thread is called by the monitor itself, and may end its runtime.
    if monitor.thread.load(Ordering::Relaxed) != threads::kernel_id() as u64 {
        while list.busy_with.contains(&id) {
            list = monitor.let_go.wait(list).unwrap_or_else(PoisonError::into_inner);
        }
    }
    drop(list);
    drop(watched);
}

/// Whether any of its workers may be in user code that has to be looked at.
fn works(shared: &Shared) -> bool {
    let driven = match &shared.flavor {
        Flavor::Multi(_) => true,
        Flavor::Current(current) => current.is_driven(),
    };
    driven && !shared.is_closed() && shared.idle().anybody_awake()
}

/// The tenure of one of its cores.
fn tenure(shared: &Shared, core: usize) -> Arc<Tenure> {
    match &shared.flavor {
        Flavor::Multi(multi) => multi.slots[core].tenure(),
        Flavor::Current(current) => current.tenure(),
    }
}

/// The kernel's number of the monitor's thread; 0 before it runs.
pub(crate) fn thread() -> i32 {
    MONITOR.get().map_or(0, |monitor| monitor.thread.load(Ordering::Relaxed) as i32)
}

/// Makes sure that there is a monitor.
///
/// # Errors
/// The operating system has no thread to give.
pub(crate) fn start() -> io::Result<()> {
    started().map(drop)
}

fn started() -> io::Result<&'static Monitor> {
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(monitor) = MONITOR.get() {
        return Ok(monitor);
    }
    let _one = lock(&STARTING);
    if let Some(monitor) = MONITOR.get() {
        return Ok(monitor);
    }
    let parker = Parker::new();
    let unparker = parker.unparker().clone();
    // It waits for the monitor to stand before it looks.
    threads::spawn("shinkan-monitor".into(), None, move || {
        let mut parker = parker;
        parker.park();
        if let Some(monitor) = MONITOR.get() {
            monitor.run(parker);
        }
    })?;
    let monitor = MONITOR.get_or_init(|| Monitor {
        alarm: Alarm::new(),
        unparker,
        thread: AtomicU64::new(0),
        list: Mutex::default(),
        let_go: Condvar::new(),
    });
    monitor.unparker.unpark();
    Ok(monitor)
}

impl Monitor {
    fn run(&self, mut parker: Parker) {
        self.thread.store(threads::kernel_id() as u64, Ordering::Relaxed);
        let mut reported = HashMap::new();
        let mut quiet = 0;
        loop {
            let now = Moment::now();
            let Looked { mut works, mut pause, stuck } = self.look(&now);
            quietly(|| {
                let (guests_work, soon) = guests::look(&now, &mut reported);
                works |= guests_work;
                pause = soon.map_or(pause, |soon| soon.min(pause));
            });
            if !stuck.is_empty() {
                self.deal_with(stuck, &mut reported);
            }
            quiet = if works { 0 } else { quiet + 1 };
            if quiet < QUIET_LOOKS {
                parker.park_timeout(pause);
                continue;
            }
            quiet = 0;
            let mut sleeps = false;
            // A fence that the kernel refuses of late must not end the monitor.
            quietly(|| sleeps = self.alarm.arm(membarrier::heavy, || !self.anybody_works()));
            match sleeps {
                true => parker.park(),
                false => drop(parker.park_timeout(pause)),
            }
        }
    }

    fn anybody_works(&self) -> bool {
        guests::anybody_works()
            || lock(&self.list).runtimes.iter().any(|watched| works(watched.handle.shared()))
    }

    /// One look at every worker.
    fn look(&self, now: &Moment) -> Looked {
        let mut looked = Looked { works: false, pause: LONGEST_PAUSE, stuck: Vec::new() };
        let mut suspects = Vec::new();
        for watched in &mut lock(&self.list).runtimes {
            let shared = watched.handle.shared();
            let threshold = shared.config.stall.threshold;
            looked.pause = looked.pause.min(threshold / 2);
            watched.away.retain(|away| away.tenure.seat.sequence() == away.sequence);
            if works(shared) {
                looked.works = true;
                suspects.extend(watched.suspects(now.at, threshold));
            }
        }
        // Under no lock: it takes as long as the process has threads.
        for suspected in &mut suspects {
            suspected.kind = suspected.suspect.judge(now);
        }
        if !suspects.is_empty() {
            self.decide(suspects, &mut looked.stuck);
        }
        looked
    }

    /// What is to be done with suspects of which the kernel has said what it says.
    fn decide(&self, mut suspects: Vec<Suspected>, stuck: &mut Vec<Stuck>) {
        let mut list = lock(&self.list);
        let List { runtimes, busy_with } = &mut *list;
        for watched in runtimes {
            let id = watched.handle.shared().id;
            let before = stuck.len();
            watched.decide(suspects.extract_if(.., |of| of.runtime == id), stuck);
            if stuck.len() > before {
                busy_with.push(id);
            }
        }
    }

    /// Takes the cores of what is stuck, under no lock; then lets go of the runtimes, and only then
    /// has it told: what that thread waits for holds up neither a runtime's end nor the next look.
    fn deal_with(&self, stuck: Vec<Stuck>, reported: &mut HashMap<Place, Instant>) {
        let mut told = Vec::new();
        {
            let _lets_go = LetsGo(self);
            for stuck in stuck {
                // The name of a new thread is the user's function, and may panic.
                quietly(|| told.extend(self.take(&stuck, reported)));
            }
        }
        told.into_iter().for_each(|report| quietly(|| reporter::tell(report)));
    }

    /// Takes one core, if it may. What is to be told of it, the first time.
    fn take(&self, stuck: &Stuck, reported: &mut HashMap<Place, Instant>) -> Option<Report> {
        let shared = stuck.handle.shared();
        let (polled, task, place) = stuck.tenure.said().polled();
        let taken = match stuck.may_move {
            true => seize::take(&stuck.handle, stuck.worker, &stuck.tenure, stuck.sequence),
            false => Taken::NoThread,
        };
        match taken {
            Taken::Yes => self.note_away(stuck),
            Taken::NotNow => {
                self.ask_again(stuck, false);
                return None;
            }
            Taken::NoThread if stuck.may_move => self.ask_again(stuck, true),
            Taken::NoThread => {}
        }
        if taken != Taken::Yes && stuck.tenure.seat.sequence() != stuck.sequence {
            // It came back meanwhile, and what was read of it may be another poll's.
            return None;
        }
        if !stuck.first {
            return None;
        }
        let mut stall = Stall {
            runtime: shared.config.name.clone(),
            worker: stuck.worker,
            thread: stuck.tenure.thread,
            polled,
            task: task.and_then(id_from_u64),
            name: None,
            spawned_at: place,
            duration: stuck.duration,
            kind: stuck.kind,
            stays: matches!(shared.flavor, Flavor::Current(_)),
            moved: taken == Taken::Yes,
            stack: None,
        };
        let is_due = is_due(reported, &stall);
        if is_due {
            stall.name = stall.task.and_then(|task| name_of(&stuck.handle, task));
        }
        let poll = Poll { tenure: stuck.tenure.clone(), sequence: stuck.sequence };
        Some(Report { stall, config: shared.config.stall.clone(), is_due, poll })
    }

    /// The core was not taken: the next look asks for it again.
    fn ask_again(&self, stuck: &Stuck, told: bool) {
        if let Some(watched) = lock(&self.list).of(stuck.handle.shared().id) {
            let look = &mut watched.cores[stuck.worker];
            if look.is_of(&stuck.tenure, stuck.sequence) {
                look.judged = false;
                look.told &= told;
            }
        }
    }

    fn note_away(&self, stuck: &Stuck) {
        if let Some(watched) = lock(&self.list).of(stuck.handle.shared().id) {
            let (tenure, sequence, kind) = (stuck.tenure.clone(), stuck.sequence, stuck.kind);
            watched.away.push(Away { tenure, sequence, kind });
        }
    }
}

/// The name that a task was given. Looks through all: once a place and ten seconds.
fn name_of(handle: &Handle, task: Id) -> Option<String> {
    let mut name = None;
    handle.for_each_task(|found| {
        if found.id() == task {
            name = found.name().map(str::to_owned);
        }
    });
    name
}

/// Says, whatever happens, that the monitor is busy with no runtime any more.
struct LetsGo<'a>(&'a Monitor);

impl Drop for LetsGo<'_> {
    fn drop(&mut self) {
        lock(&self.0.list).busy_with.clear();
        self.0.let_go.notify_all();
    }
}

struct Looked {
    works: bool,
    pause: Duration,
    stuck: Vec<Stuck>,
}

/// Between two looks where no runtime asks for more.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A task's place, or none, and what it does there.
pub(crate) type Place = (Option<&'static core::panic::Location<'static>>, bool);

pub(crate) fn is_due(reported: &mut HashMap<Place, Instant>, stall: &Stall) -> bool {
    let now = clock::now();
    let place = (stall.spawned_at, stall.kind == StallKind::Blocked);
    let lately = |last: &Instant| now.saturating_duration_since(*last) < REPORT_EVERY;
    let is_due = !reported.get(&place).is_some_and(lately);
    if is_due {
        reported.insert(place, now);
    }
    is_due
}

impl Watched {
    /// Those of its workers that are in the poll that they were in before.
    fn suspects(&mut self, now: Instant, threshold: Duration) -> impl Iterator<Item = Suspected> {
        let shared = self.handle.shared();
        let runtime = shared.id;
        self.cores.iter_mut().enumerate().filter_map(move |(worker, look)| {
            let suspect = look.suspect(&tenure(shared, worker), now, threshold)?;
            Some(Suspected { runtime, worker, suspect, kind: None })
        })
    }

    /// Adds those of its workers that are stuck to `stuck`.
    fn decide(&mut self, suspects: impl Iterator<Item = Suspected>, stuck: &mut Vec<Stuck>) {
        let shared = self.handle.shared();
        let stays = matches!(shared.flavor, Flavor::Current(_));
        let workers = self.cores.len();
        let ceiling = shared.config.stall.ceiling.unwrap_or(8 * workers);
        let mut all = self.away.len();
        let mut computing = self.away.iter().filter(|a| a.kind == StallKind::Computing).count();
        for Suspected { worker, mut suspect, kind, .. } in suspects {
            let look = &mut self.cores[worker];
            let is_its = look.note(&mut suspect);
            let Some(kind) = kind.filter(|_| is_its) else { continue };
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
            let handle = self.handle.clone();
            stuck.push(Stuck { handle, worker, tenure, sequence, duration, kind, may_move, first });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stall::StallIn;

    #[test]
    fn a_place_is_reported_once_in_a_while() {
        let mut reported = HashMap::new();
        let mut stall = Stall {
            runtime: None,
            worker: 0,
            thread: 1,
            polled: StallIn::Task,
            task: None,
            name: None,
            spawned_at: Some(core::panic::Location::caller()),
            duration: Duration::from_millis(10),
            kind: StallKind::Blocked,
            stays: false,
            moved: true,
            stack: None,
        };
        assert!(is_due(&mut reported, &stall));
        assert!(!is_due(&mut reported, &stall));
        stall.kind = StallKind::Computing;
        assert!(is_due(&mut reported, &stall));
    }
}
