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
use crate::look::{self, Moment};
use crate::reporter::{self, Poll, Report};
use crate::seize::{self, Taken};
use crate::shared::Shared;
use crate::stall::{Stall, StallKind};
use crate::watched::{Deed, Stuck, Suspected, Watched, stays};
use shinkan_base::atomics::plain::{AtomicBool, AtomicU64, Ordering};
use shinkan_sys::park::{Parker, Unparker};
use shinkan_sys::{clock, membarrier, process, threads};
use shinkan_task::{TaskRef, id_from_u64};
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
    /// The process in which its thread runs. In a child of fork(2) there is none, and its lists are as
    /// it left them, perhaps locked.
    process: u32,
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
    let Some(monitor) = started()? else { return Ok(()) };
    lock(&monitor.list).runtimes.push(Watched::new(handle));
    note_work(handle.shared());
    Ok(())
}

/// Looks at this runtime no more. When it returns, the monitor holds nothing of it.
pub(crate) fn forget(handle: &Handle) {
    let Some(monitor) = MONITOR.get().filter(|monitor| monitor.is_here()) else { return };
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

/// The kernel's number of the monitor's thread; 0 before it runs.
pub(crate) fn thread() -> i32 {
    MONITOR.get().map_or(0, |monitor| monitor.thread.load(Ordering::Relaxed) as i32)
}

/// Makes sure that there is a monitor. False in a child of fork(2) that was without from the start.
///
/// # Errors
/// The operating system has no thread to give.
pub(crate) fn start() -> io::Result<bool> {
    started().map(|monitor| monitor.is_some())
}

/// Whether there is a monitor in this process.
pub(crate) fn is_here() -> bool {
    MONITOR.get().is_some_and(Monitor::is_here)
}

fn started() -> io::Result<Option<&'static Monitor>> {
    static STARTING: Mutex<()> = Mutex::new(());
    let known = || MONITOR.get().map(|monitor| Some(monitor).filter(|monitor| monitor.is_here()));
    if let Some(monitor) = known() {
        return Ok(monitor);
    }
    let _one = lock(&STARTING);
    if let Some(monitor) = known() {
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
        process: process::own_id(),
        alarm: Alarm::new(),
        unparker,
        thread: AtomicU64::new(0),
        list: Mutex::default(),
        let_go: Condvar::new(),
    });
    monitor.unparker.unpark();
    Ok(Some(monitor))
}

impl Monitor {
    fn is_here(&self) -> bool {
        self.process == process::own_id()
    }

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
            if let Some(error) = now.silence() {
                tell_silence(&error);
            }
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
        guests::anybody_works() || lock(&self.list).runtimes.iter().any(Watched::works)
    }

    /// One look at every worker.
    fn look(&self, now: &Moment) -> Looked {
        let mut looked = Looked { works: false, pause: LONGEST_PAUSE, stuck: Vec::new() };
        let (mut suspects, mut owes_a_word) = (Vec::new(), false);
        for watched in &mut lock(&self.list).runtimes {
            watched.welcome_back();
            let shared = watched.handle.shared();
            looked.pause = looked.pause.min(look::pause(shared.config.stall.threshold));
            owes_a_word |= watched.owes_a_word();
            suspects.extend(watched.moved(now.at));
            if watched.works() {
                looked.works = true;
                suspects.extend(watched.suspects(now.at));
            }
        }
        // Under no lock: it takes as long as the process has threads.
        for suspected in &mut suspects {
            suspected.found = suspected.suspect.judge(now);
        }
        looked.works |= owes_a_word;
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
                // So may what its runtime's hooks own, where that has ended.
                quietly(|| {
                    let stuck = stuck;
                    told.extend(self.take(&stuck, reported));
                });
            }
        }
        told.into_iter().for_each(|report| quietly(|| reporter::tell(report)));
    }

    /// Takes one core, if it may. What is to be told of it, the first time.
    fn take(&self, stuck: &Stuck, reported: &mut HashMap<Place, Instant>) -> Option<Report> {
        let shared = stuck.handle.shared();
        let said = stuck.tenure.said();
        let taken = match stuck.deed {
            Deed::Move => seize::take(&stuck.handle, stuck.worker, &stuck.tenure, stuck.sequence),
            Deed::Stay | Deed::Moved => Taken::NoThread,
        };
        match taken {
            Taken::Yes => self.note_away(stuck),
            Taken::NotNow => {
                self.ask_again(stuck, false);
                return None;
            }
            Taken::NoThread if stuck.deed == Deed::Move => self.ask_again(stuck, true),
            Taken::NoThread => {}
        }
        let seat = &stuck.tenure.seat;
        // It gave its core away itself: it means to block, and has said so.
        let gave = stuck.deed != Deed::Moved && seat.is_gone();
        let is_over = seat.sequence() != stuck.sequence || seat.has_returned();
        if taken != Taken::Yes && (is_over || gave) {
            // It came back meanwhile, and what was read of it may be another poll's.
            return None;
        }
        if !stuck.tell {
            return None;
        }
        let (polled, task, place) = said.polled();
        let task = task.and_then(id_from_u64);
        let tagged = task.filter(|_| said.is_tagged()).and_then(|task| shared.registry.find(task));
        let mut stall = Stall {
            runtime: shared.config.name.clone(),
            worker: stuck.worker,
            thread: stuck.tenure.thread,
            polled,
            task,
            name: None,
            spawned_at: place.or_else(|| tagged.as_ref().map(TaskRef::place)),
            duration: stuck.duration,
            kind: stuck.kind,
            stays: stays(shared),
            moved: taken == Taken::Yes || stuck.deed == Deed::Moved,
            stack: None,
        };
        let is_due = is_due(reported, &stall);
        if is_due {
            stall.name = tagged.as_ref().and_then(TaskRef::name).map(str::to_owned);
        }
        let poll = Poll { tenure: stuck.tenure.clone(), sequence: stuck.sequence };
        Some(Report { stall, config: shared.config.stall.clone(), is_due, poll })
    }

    /// The core was not taken: the next look asks for it again.
    fn ask_again(&self, stuck: &Stuck, told: bool) {
        if let Some(watched) = lock(&self.list).of(stuck.handle.shared().id) {
            watched.ask_again(stuck, told);
        }
    }

    fn note_away(&self, stuck: &Stuck) {
        if let Some(watched) = lock(&self.list).of(stuck.handle.shared().id) {
            watched.note_away(stuck);
        }
    }
}

/// Says, once a process, that polls cannot be judged.
fn tell_silence(error: &io::Error) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if TOLD.swap(true, Ordering::Relaxed) {
        return;
    }
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "mount proc(5) on /proc",
        io::ErrorKind::Unsupported => "take a kernel that was built with scheduler statistics",
        _ => "that takes two descriptors at a time: close some, or raise the limit (`ulimit -n`)",
    };
    reporter::warn(format!(
        "shinkan: stuck polls are not found while the kernel's word on threads cannot be read: \
         {error}. Remedy: {remedy}; or have none looked for, with `SHINKAN_STALL=off`\n"
    ));
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
