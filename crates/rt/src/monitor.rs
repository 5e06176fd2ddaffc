//! The thread that looks for workers that are stuck in user code. See `MONITOR.md` beside this file.
//!
//! One for the process, started with the first runtime of several workers. Called by the builder
//! (`watch`), by a runtime's end (`forget`), and by each worker that has slept (`note_work`). Never
//! touches a core, and calls user code (a hook, the name of a new thread) under no lock.

use crate::alarm::Alarm;
use crate::blocking::lock;
use crate::handle::Handle;
use crate::hooks::quietly;
use crate::seize::{self, Taken};
use crate::shared::Shared;
use crate::stall::{Stall, StallHook, StallKind};
use crate::stall_sink;
use crate::tenure::Tenure;
use crate::verdict::{Case, Sample};
use shinkan_base::atomics::Arc;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_sys::park::{Parker, Unparker};
use shinkan_sys::usage::{self, Threads};
use shinkan_sys::{clock, membarrier, threads};
use shinkan_task::id_from_u64;
use std::cell::OnceCell;
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

/// What the monitor knows of one core.
#[derive(Default)]
struct Look {
    tenure: Option<Arc<Tenure>>,
    sequence: u64,
    since: Option<Instant>,
    /// From when the sequence was seen for the second time.
    case: Option<Case>,
    /// This poll's core was asked for: it is not asked for twice.
    judged: bool,
    told: bool,
}

/// When all are looked at, and the process's threads then, for those who ask.
struct Moment {
    at: Instant,
    threads: OnceCell<Arc<Threads>>,
}

impl Moment {
    fn threads(&self) -> Arc<Threads> {
        self.threads.get_or_init(|| Arc::new(Threads::now())).clone()
    }
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
    if shared.config.stall.on
        && let Some(monitor) = MONITOR.get()
        && monitor.alarm.must_wake(|| membarrier::light_fence(shared.asymmetric))
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
    let cores = handle.shared().multi().slots.len();
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
    !shared.is_closed() && shared.idle().anybody_awake()
}

fn started() -> io::Result<&'static Monitor> {
    static STARTING: Mutex<()> = Mutex::new(());
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
            let Looked { works, pause, stuck } = self.look();
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
        lock(&self.list).runtimes.iter().any(|watched| works(watched.handle.shared()))
    }

    /// One look at every worker.
    fn look(&self) -> Looked {
        let now = Moment { at: clock::now(), threads: OnceCell::new() };
        let mut looked = Looked { works: false, pause: LONGEST_PAUSE, stuck: Vec::new() };
        let mut list = lock(&self.list);
        let List { runtimes, busy_with } = &mut *list;
        for watched in runtimes.iter_mut() {
            let shared = watched.handle.shared();
            let (id, threshold) = (shared.id, shared.config.stall.threshold);
            looked.pause = looked.pause.min(threshold / 2);
            watched.away.retain(|away| away.tenure.seat.sequence() == away.sequence);
            if !works(shared) {
                continue;
            }
            looked.works = true;
            let before = looked.stuck.len();
            watched.judge(&now, threshold, &mut looked.stuck);
            if looked.stuck.len() > before {
                busy_with.push(id);
            }
        }
        looked
    }

    /// Takes the cores of what is stuck, under no lock; then lets go of the runtimes, and only then
    /// reports: a hook that blocks, or a standard error that nobody reads, holds up no runtime's end.
    fn deal_with(&self, stuck: Vec<Stuck>, reported: &mut HashMap<Place, Instant>) {
        let mut told = Vec::new();
        {
            let _lets_go = LetsGo(self);
            for stuck in stuck {
                // The name of a new thread is the user's function, and may panic.
                quietly(|| told.extend(self.take(&stuck)));
            }
        }
        for Told { stall, hook, report } in told {
            if let Some(hook) = hook {
                quietly(|| hook(&stall));
            }
            if report && is_due(reported, &stall) {
                stall_sink::report(&stall);
            }
        }
    }

    /// Takes one core, if it may. What is to be told of it, the first time.
    fn take(&self, stuck: &Stuck) -> Option<Told> {
        let shared = stuck.handle.shared();
        let task = stuck.tenure.task();
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
            Taken::NoThread => self.ask_again(stuck, true),
        }
        if taken != Taken::Yes && stuck.tenure.seat.sequence() != stuck.sequence {
            // It came back meanwhile, and what was read of it may be another poll's.
            return None;
        }
        stuck.first.then(|| Told {
            stall: Stall {
                runtime: shared.config.name.clone(),
                worker: stuck.worker,
                thread: stuck.tenure.thread,
                task: task.and_then(|(id, _)| id_from_u64(id)),
                spawned_at: task.map(|(_, place)| place),
                duration: stuck.duration,
                kind: stuck.kind,
                moved: taken == Taken::Yes,
            },
            hook: shared.config.stall.hook.clone(),
            report: shared.config.stall.report,
        })
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

/// What the user is told of a stuck poll, without a hold on its runtime.
struct Told {
    stall: Stall,
    hook: Option<StallHook>,
    report: bool,
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
type Place = (Option<&'static core::panic::Location<'static>>, bool);

fn is_due(reported: &mut HashMap<Place, Instant>, stall: &Stall) -> bool {
    let now = clock::now();
    let place = (stall.spawned_at, stall.kind == StallKind::Blocked);
    match reported.get(&place) {
        Some(last) if now.saturating_duration_since(*last) < REPORT_EVERY => false,
        _ => reported.insert(place, now).is_none_or(|_| true),
    }
}

impl Watched {
    /// Adds those of its workers that are stuck to `stuck`.
    fn judge(&mut self, now: &Moment, threshold: Duration, stuck: &mut Vec<Stuck>) {
        let shared = self.handle.shared();
        let workers = self.cores.len();
        let ceiling = shared.config.stall.ceiling.unwrap_or(8 * workers);
        let mut all = self.away.len();
        let mut computing = self.away.iter().filter(|a| a.kind == StallKind::Computing).count();
        for (worker, look) in self.cores.iter_mut().enumerate() {
            let tenure = shared.multi().slots[worker].tenure();
            let Some((duration, kind)) = look.judge(&tenure, now, threshold) else { continue };
            let may_move = all < ceiling && (kind == StallKind::Blocked || computing < workers);
            all += usize::from(may_move);
            computing += usize::from(may_move && kind == StallKind::Computing);
            look.judged = may_move;
            let first = !core::mem::replace(&mut look.told, true);
            if !may_move && !first {
                continue;
            }
            let (handle, sequence) = (self.handle.clone(), look.sequence);
            stuck.push(Stuck { handle, worker, tenure, sequence, duration, kind, may_move, first });
        }
    }
}

impl Look {
    fn is_of(&self, tenure: &Arc<Tenure>, sequence: u64) -> bool {
        self.sequence == sequence
            && self.tenure.as_ref().is_some_and(|known| Arc::ptr_eq(known, tenure))
    }

    /// For how long the poll has been stuck, and in what; nothing if it is not, or was judged.
    fn judge(
        &mut self,
        tenure: &Arc<Tenure>,
        now: &Moment,
        threshold: Duration,
    ) -> Option<(Duration, StallKind)> {
        let sequence = tenure.seat.sequence();
        // Not where its core is on its way to another thread already.
        let in_user_code = !sequence.is_multiple_of(2) && !tenure.seat.is_gone();
        if !in_user_code || !self.is_of(tenure, sequence) {
            let tenure = in_user_code.then(|| tenure.clone());
            *self = Self { tenure, sequence, since: Some(now.at), ..Self::default() };
            return None;
        }
        if self.judged {
            return None;
        }
        let duration = now.at.saturating_duration_since(self.since?);
        let before = clock::now();
        let usage = usage::of_thread(tenure.thread)?;
        let sample = Sample { at: clock::now(), usage };
        let Some(case) = &mut self.case else {
            self.case = Some(Case::new(sample, || now.threads()));
            return None;
        };
        let kind = case.look(before, sample, || now.threads(), duration, threshold)?;
        Some((duration, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_reported_once_in_a_while() {
        let mut reported = HashMap::new();
        let mut stall = Stall {
            runtime: None,
            worker: 0,
            thread: 1,
            task: None,
            spawned_at: Some(core::panic::Location::caller()),
            duration: Duration::from_millis(10),
            kind: StallKind::Blocked,
            moved: true,
        };
        assert!(is_due(&mut reported, &stall));
        assert!(!is_due(&mut reported, &stall));
        stall.kind = StallKind::Computing;
        assert!(is_due(&mut reported, &stall));
    }
}
