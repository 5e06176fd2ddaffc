//! The thread that looks for workers that are stuck in user code. See `MONITOR.md` beside this file.
//!
//! One for the process, started with the first runtime of several workers. Called by the builder
//! (`watch`), by a runtime's end (`forget`), and by each worker that has slept (`note_work`). Never
//! touches a core, and calls user code (a hook, the name of a new thread) under no lock.

use crate::alarm::Alarm;
use crate::handle::Handle;
use crate::hooks::quietly;
use crate::seize;
use crate::shared::Shared;
use crate::stall::{Stall, StallKind};
use crate::tenure::Tenure;
use shinkan_base::atomics::Arc;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_sys::park::{Parker, Unparker};
use shinkan_sys::stdio::Output;
use shinkan_sys::usage::{self, Usage};
use shinkan_sys::{clock, membarrier, threads};
use shinkan_task::id_from_u64;
use std::collections::HashMap;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
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
    /// What its thread had used when the sequence was seen for the second time, and when that was.
    used: Option<(Instant, Usage)>,
    /// This poll's core was asked for: it is not asked for twice.
    judged: bool,
    told: bool,
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
    // A hook that ends its runtime is called by the monitor itself.
    if monitor.thread.load(Ordering::Relaxed) != threads::kernel_id() as u64 {
        while list.busy_with.contains(&id) {
            list = monitor.let_go.wait(list).unwrap_or_else(PoisonError::into_inner);
        }
    }
    drop(list);
    drop(watched);
}

fn lock(list: &Mutex<List>) -> MutexGuard<'_, List> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

fn started() -> io::Result<&'static Monitor> {
    static STARTING: Mutex<()> = Mutex::new(());
    let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
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
            if self.alarm.arm(membarrier::heavy, || !self.anybody_works()) {
                parker.park();
            }
        }
    }

    fn anybody_works(&self) -> bool {
        lock(&self.list)
            .runtimes
            .iter()
            .any(|watched| watched.handle.shared().idle().anybody_awake())
    }

    /// One look at every worker.
    fn look(&self) -> Looked {
        let now = clock::now();
        let mut looked = Looked { works: false, pause: LONGEST_PAUSE, stuck: Vec::new() };
        let mut list = lock(&self.list);
        let List { runtimes, busy_with } = &mut *list;
        for watched in runtimes.iter_mut() {
            let handle = watched.handle.clone();
            let shared = handle.shared();
            let threshold = shared.config.stall.threshold;
            looked.pause = looked.pause.min(threshold / 2);
            watched.away.retain(|away| away.tenure.seat.sequence() == away.sequence);
            if shared.is_closed() || !shared.idle().anybody_awake() {
                continue;
            }
            looked.works = true;
            let before = looked.stuck.len();
            watched.judge(now, threshold, &mut looked.stuck);
            if looked.stuck.len() > before {
                busy_with.push(shared.id);
            }
        }
        looked
    }

    /// Takes the cores of what is stuck, and reports. Under no lock.
    fn deal_with(&self, stuck: Vec<Stuck>, reported: &mut HashMap<Place, Instant>) {
        for stuck in stuck {
            let shared = stuck.handle.shared();
            let task = stuck.tenure.task();
            let moved = stuck.may_move
                && seize::take(&stuck.handle, stuck.worker, &stuck.tenure, stuck.sequence);
            if stuck.tenure.seat.sequence() != stuck.sequence && !moved {
                // It came back meanwhile, and what was read of it may be another poll's.
                continue;
            }
            if moved {
                self.note_away(&stuck);
            }
            if !stuck.first {
                continue;
            }
            let stall = Stall {
                runtime: shared.config.name.clone(),
                worker: stuck.worker,
                thread: stuck.tenure.thread,
                task: task.and_then(|(id, _)| id_from_u64(id)),
                spawned_at: task.map(|(_, place)| place),
                duration: stuck.duration,
                kind: stuck.kind,
                moved,
            };
            if let Some(hook) = &shared.config.stall.hook {
                quietly(|| hook(&stall));
            }
            if shared.config.stall.report && is_due(reported, &stall) {
                // Where nobody can read it, it is gone.
                let _ = Output::Stderr.write_all(format!("shinkan: {stall}\n").as_bytes());
            }
        }
        lock(&self.list).busy_with.clear();
        self.let_go.notify_all();
    }

    fn note_away(&self, stuck: &Stuck) {
        let id = stuck.handle.shared().id;
        let mut list = lock(&self.list);
        // Not where the runtime was forgotten meanwhile.
        if let Some(watched) = list.runtimes.iter_mut().find(|it| it.handle.shared().id == id) {
            let (tenure, sequence, kind) = (stuck.tenure.clone(), stuck.sequence, stuck.kind);
            watched.away.push(Away { tenure, sequence, kind });
        }
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
    fn judge(&mut self, now: Instant, threshold: Duration, stuck: &mut Vec<Stuck>) {
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
    /// For how long the poll has been stuck, and in what; nothing if it is not, or was judged.
    fn judge(
        &mut self,
        tenure: &Arc<Tenure>,
        now: Instant,
        threshold: Duration,
    ) -> Option<(Duration, StallKind)> {
        let sequence = tenure.seat.sequence();
        let same = self.tenure.as_ref().is_some_and(|known| Arc::ptr_eq(known, tenure))
            && self.sequence == sequence;
        if !same || sequence.is_multiple_of(2) {
            let tenure = (!sequence.is_multiple_of(2)).then(|| tenure.clone());
            *self =
                Self { tenure, sequence, since: Some(now), used: None, judged: false, told: false };
            return None;
        }
        if self.judged {
            return None;
        }
        let duration = now.saturating_duration_since(self.since?);
        let usage = usage::of_thread(tenure.thread)?;
        let Some((noted_at, noted)) = self.used else {
            self.used = Some((now, usage));
            return None;
        };
        if duration < threshold {
            return None;
        }
        let kind = kind(now.saturating_duration_since(noted_at), noted, usage, threshold)?;
        Some((duration, kind))
    }
}

/// What a thread did in `passed` time, from `before` to `after`; nothing where it was neither
/// blocked nor computing long enough.
fn kind(passed: Duration, before: Usage, after: Usage, threshold: Duration) -> Option<StallKind> {
    let on = Duration::from_nanos(after.cpu_ns.saturating_sub(before.cpu_ns));
    let kept = Duration::from_nanos(after.delay_ns.saturating_sub(before.delay_ns));
    if on >= threshold {
        return Some(StallKind::Computing);
    }
    let off = passed.saturating_sub(on).saturating_sub(kept);
    (!after.runnable && off > passed / 2).then_some(StallKind::Blocked)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const THRESHOLD: Duration = Duration::from_millis(10);

    fn after(passed_ms: u64, runnable: bool, cpu_ms: u64, delay_ms: u64) -> Option<StallKind> {
        let before = Usage { runnable: true, cpu_ns: 7 * MS, delay_ns: 3 * MS };
        let after = Usage {
            runnable,
            cpu_ns: before.cpu_ns + cpu_ms * MS,
            delay_ns: before.delay_ns + delay_ms * MS,
        };
        kind(Duration::from_millis(passed_ms), before, after, THRESHOLD)
    }

    #[test]
    fn who_waits_in_the_kernel_is_blocked() {
        assert_eq!(after(5, false, 0, 0), Some(StallKind::Blocked));
        assert_eq!(after(5, false, 1, 1), Some(StallKind::Blocked));
    }

    #[test]
    fn who_has_no_processor_is_not_stuck() {
        assert_eq!(
            after(500, true, 0, 0),
            None,
            "it would run: the wait is counted once it is over"
        );
        assert_eq!(
            after(500, false, 9, 480),
            None,
            "it has waited for a processor most of the time"
        );
    }

    #[test]
    fn who_has_used_a_threshold_of_time_computes() {
        assert_eq!(after(12, true, 9, 0), None);
        assert_eq!(after(12, true, 10, 0), Some(StallKind::Computing));
        assert_eq!(after(300, true, 10, 290), Some(StallKind::Computing));
    }

    #[test]
    fn a_place_is_reported_once_in_a_while() {
        let mut reported = HashMap::new();
        let mut stall = Stall {
            runtime: None,
            worker: 0,
            thread: 1,
            task: None,
            spawned_at: Some(core::panic::Location::caller()),
            duration: THRESHOLD,
            kind: StallKind::Blocked,
            moved: true,
        };
        assert!(is_due(&mut reported, &stall));
        assert!(!is_due(&mut reported, &stall));
        stall.kind = StallKind::Computing;
        assert!(is_due(&mut reported, &stall));
    }
}
