//! The pool of threads for closures that block, and the spare threads that take over cores.
//!
//! Called by `spawn_blocking`, by whoever gives a core away, and at the start for the workers. A
//! waiting thread is handed its job directly; a thread is never created under the pool's lock.
//! Ends when the runtime does: what has not started is cancelled, what runs is waited for.

use crate::clock::HoldsClock;
use crate::enter;
use crate::handle::Handle;
use crate::hooks::quietly;
use crate::letters::{Letter, Seat};
use crate::naming::{self, Naming};
use crate::spin::{Learned, Spinner};
use crate::threads::run_core;
use core::cell::Cell;
use core::ptr;
use core::time::Duration;
use shinkan_sys::park::Parker;
use shinkan_sys::threads;
use shinkan_task::Runnable;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub(crate) use crate::closure::{BlockingFuture, Unstarted};
pub(crate) use crate::letters::Spare;

pub(crate) type NameFn = Box<dyn Fn() -> String + Send + Sync>;
pub(crate) type ThreadHook = Arc<dyn Fn() + Send + Sync>;

/// What a thread of the pool is given to do.
pub(crate) enum Job {
    /// A closure, as a task that is polled once.
    Task(Runnable, Option<HoldsClock>),
    /// The same, which is also run where the runtime ends before a thread is free.
    Promised(Runnable, Option<HoldsClock>),
    /// A core to work with until it is taken or the runtime ends.
    Core(usize),
}

impl Job {
    /// Does it on this thread.
    pub(crate) fn run(self, handle: &Handle) {
        match self {
            // What holds the clock goes after the task's joiner was woken.
            Self::Task(task, _holds) | Self::Promised(task, _holds) => task.run(),
            Self::Core(index) => run_core(handle, index),
        }
    }

    /// It will not be done: its handle learns that it was cancelled.
    pub(crate) fn cancel(self) {
        if let Self::Task(task, _holds) | Self::Promised(task, _holds) = self {
            quietly(|| task.cancel());
        }
    }
}

/// Why a job was not taken.
pub(crate) enum Refused {
    /// The runtime ends.
    Closed(Job),
    /// No thread waits or will, and none can be started.
    NoThread(Job, io::Error),
}

pub(crate) struct PoolConfig {
    /// Threads for closures; those that hold cores come on top.
    pub(crate) max: usize,
    pub(crate) keep_alive: Duration,
    pub(crate) stack_size: Option<usize>,
    pub(crate) name: NameFn,
    pub(crate) on_start: Option<ThreadHook>,
    pub(crate) on_stop: Option<ThreadHook>,
}

pub(crate) struct Pool {
    config: PoolConfig,
    state: Mutex<State>,
    /// A thread ended.
    ended: Condvar,
    spinner: Spinner,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// The thread that waited last is handed work first: its stack is warm, the others may end.
    idle: Vec<Arc<Seat>>,
    threads: usize,
    /// Threads that hold a core, or were reserved for one: no threads for closures.
    cores: usize,
    /// Threads that are about to end and look at the queue no more.
    retired: usize,
    closed: bool,
    handles: Vec<JoinHandle<()>>,
    /// The thread that ended last by itself; the next one to end waits for it.
    last: Option<JoinHandle<()>>,
}

impl State {
    /// Threads that take closures, now or when they have done what they do.
    fn for_closures(&self) -> usize {
        self.threads - self.cores - self.retired
    }
}

thread_local! {
    /// The address of the pool whose thread this is.
    static POOL: Cell<usize> = const { Cell::new(0) };
    /// Whether it is one of the retired ones.
    static RETIRED: Cell<bool> = const { Cell::new(false) };
}

/// Calls a hook. Its panic costs no thread: the job or core that the thread was started for would
/// go with it.
fn call(hook: Option<&ThreadHook>) {
    if let Some(hook) = hook {
        quietly(|| hook());
    }
}

/// No user code runs under these locks, so a poisoned one is whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// With what a new thread starts.
enum First {
    Job(Job),
    Wait(std::sync::mpsc::SyncSender<Arc<Seat>>),
}

impl Pool {
    pub(crate) fn new(config: PoolConfig) -> Self {
        Self { config, state: Mutex::default(), ended: Condvar::new(), spinner: Spinner::new() }
    }

    /// Has `job` done by a waiting thread, a new one, or, where there are enough, the next that
    /// is free.
    pub(crate) fn submit(self: &Arc<Self>, handle: &Handle, job: Job) -> Result<(), Refused> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(Refused::Closed(job));
        }
        let is_core = matches!(job, Job::Core(_));
        if let Some(seat) = state.idle.pop() {
            state.cores += usize::from(is_core);
            drop(state);
            seat.give(job);
            return Ok(());
        }
        if !is_core && state.for_closures() >= self.config.max {
            state.queue.push_back(job);
            return Ok(());
        }
        state.cores += usize::from(is_core);
        state.threads += 1;
        drop(state);
        match self.start(handle, First::Job(job)) {
            Ok(()) => Ok(()),
            Err((First::Job(job), error)) => self.not_started(handle, job, error),
            Err((First::Wait(_), _)) => unreachable!("a job was given"),
        }
    }

    /// The operating system refused a thread: another one of the pool does the job later.
    fn not_started(&self, handle: &Handle, job: Job, error: io::Error) -> Result<(), Refused> {
        let is_core = matches!(job, Job::Core(_));
        self.uncount(handle, is_core);
        let mut state = lock(&self.state);
        if !is_core && state.for_closures() > 0 && !state.closed {
            if let Some(seat) = state.idle.pop() {
                drop(state);
                seat.give(job);
            } else {
                state.queue.push_back(job);
            }
            return Ok(());
        }
        Err(Refused::NoThread(job, error))
    }

    /// A thread that will do nothing but the job that the caller gives it next.
    pub(crate) fn reserve(self: &Arc<Self>, handle: &Handle) -> io::Result<Spare> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(io::Error::other("the runtime ends"));
        }
        // A core's from now on: a closure that is submitted meanwhile does not wait for it.
        state.cores += 1;
        if let Some(seat) = state.idle.pop() {
            return Ok(Spare::of(seat));
        }
        state.threads += 1;
        drop(state);
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        if let Err((_, error)) = self.start(handle, First::Wait(send)) {
            self.uncount(handle, true);
            return Err(error);
        }
        receive.recv().map(Spare::of).map_err(io::Error::other)
    }

    /// A thread that was counted did not start. Jobs may have been queued for it meanwhile: where
    /// no other is left for them, those that were promised are done here, and the rest cancelled.
    fn uncount(&self, handle: &Handle, is_core: bool) {
        let mut state = lock(&self.state);
        state.threads -= 1;
        state.cores -= usize::from(is_core);
        let stranded = match state.for_closures() {
            0 => core::mem::take(&mut state.queue),
            _ => VecDeque::new(),
        };
        drop(state);
        for job in stranded {
            match job {
                Job::Promised(..) => quietly(|| job.run(handle)),
                job => job.cancel(),
            }
        }
    }

    /// Starts a thread. What it was to start with comes back where that fails: it stands in a box
    /// of its own, since the closure of a thread that could not be started is gone.
    fn start(self: &Arc<Self>, handle: &Handle, first: First) -> Result<(), (First, io::Error)> {
        let naming = Naming::of(ptr::from_ref::<Self>(self).addr());
        let name = catch_unwind(AssertUnwindSafe(|| (self.config.name)()));
        drop(naming);
        let name = match name {
            Ok(name) => name,
            Err(panic) => {
                self.uncount(handle, matches!(first, First::Job(Job::Core(_)) | First::Wait(_)));
                drop(first);
                resume_unwind(panic);
            }
        };
        let first = Arc::new(Mutex::new(Some(first)));
        let (pool, its, for_it) = (self.clone(), handle.clone(), first.clone());
        let main = move || {
            let _ends = Ends(&pool);
            POOL.set(Arc::as_ptr(&pool).addr());
            let first = lock(&for_it).take();
            pool.thread(&its, first.expect("nobody else takes it"));
        };
        match threads::spawn(name, self.config.stack_size, main) {
            Ok(thread) => {
                lock(&self.state).handles.push(thread);
                Ok(())
            }
            Err(error) => {
                let first = lock(&first).take();
                Err((first.expect("the thread never ran"), error))
            }
        }
    }

    /// A thread's life.
    fn thread(&self, handle: &Handle, first: First) {
        let _within = enter::within(handle);
        let mut parker = Parker::new();
        let seat = Arc::new(Seat::new(&parker));
        let first = match first {
            First::Job(job) => Some(job),
            First::Wait(send) => {
                // The reserver waits for it.
                let _ = send.send(seat.clone());
                None
            }
        };
        call(self.config.on_start.as_ref());
        let mut learned = Learned::new();
        let mut job = first.or_else(|| self.reserved(&seat, &mut parker, &mut learned));
        while let Some(current) = job.take() {
            let was_core = matches!(current, Job::Core(_));
            // A closure's panic is caught in its task; what comes here is a waker's or a drop's.
            quietly(|| current.run(handle));
            job = self.next(&seat, &mut parker, &mut learned, was_core);
        }
        call(self.config.on_stop.as_ref());
    }

    /// The next job of a thread; nothing if it should end.
    fn next(
        &self,
        seat: &Arc<Seat>,
        parker: &mut Parker,
        learned: &mut Learned,
        was_core: bool,
    ) -> Option<Job> {
        lock(&self.state).cores -= usize::from(was_core);
        loop {
            let mut state = lock(&self.state);
            if let Some(job) = state.queue.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state.idle.push(seat.clone());
            drop(state);
            let begin = shinkan_sys::clock::now();
            // What it spun for is the first that the wait finds.
            learned.spin(&self.spinner, parker);
            let mut letter = seat.wait(parker, begin.checked_add(self.config.keep_alive));
            learned.waited(begin.elapsed());
            if matches!(letter, Letter::None) {
                if self.retire(seat) {
                    return None;
                }
                // Somebody took the seat off the list just now: its letter is on its way.
                letter = seat.wait(parker, None);
            }
            match letter {
                Letter::Job(job) => return Some(job),
                Letter::None => {}
                Letter::Rest => lock(&self.state).cores -= 1,
                Letter::End => return None,
            }
        }
    }

    /// The job of a thread that was started for a reserver.
    fn reserved(
        &self,
        seat: &Arc<Seat>,
        parker: &mut Parker,
        learned: &mut Learned,
    ) -> Option<Job> {
        match seat.wait(parker, None) {
            Letter::Job(job) => Some(job),
            Letter::None | Letter::Rest => self.next(seat, parker, learned, true),
            Letter::End => None,
        }
    }

    /// A thread has waited long enough: true if nobody is about to write to it.
    fn retire(&self, seat: &Arc<Seat>) -> bool {
        let mut state = lock(&self.state);
        let at = state.idle.iter().position(|other| Arc::ptr_eq(other, seat));
        let retires = at.map(|at| state.idle.remove(at)).is_some();
        if retires {
            state.retired += 1;
            RETIRED.set(true);
        }
        retires
    }

    fn count_end(&self) {
        let me = threads::id();
        let mut state = lock(&self.state);
        state.threads -= 1;
        state.retired -= usize::from(RETIRED.get());
        let mut before = None;
        if !state.closed
            && let Some(at) = state.handles.iter().position(|thread| thread.thread().id() == me)
        {
            let own = state.handles.swap_remove(at);
            before = state.last.replace(own);
        }
        drop(state);
        self.ended.notify_all();
        if let Some(before) = before {
            let _ = before.join();
        }
    }

    /// Takes no more jobs, cancels those that wait, and tells every waiting thread to end. What
    /// was promised stays in the queue: where there is one, every thread for closures is at work,
    /// and looks there before it ends.
    pub(crate) fn close(&self) {
        let (cancelled, idle) = {
            let mut state = lock(&self.state);
            state.closed = true;
            let queue = core::mem::take(&mut state.queue);
            let (promised, cancelled): (VecDeque<_>, VecDeque<_>) =
                queue.into_iter().partition(|job| matches!(job, Job::Promised(..)));
            state.queue = promised;
            (cancelled, core::mem::take(&mut state.idle))
        };
        idle.iter().for_each(|seat| seat.put(Letter::End));
        cancelled.into_iter().for_each(Job::cancel);
    }

    /// Waits until every thread has ended, at most for `patience`; false: some have not. A thread
    /// of the pool does not wait for itself, nor the function that names a thread for that thread:
    /// it starts when the function is done, finds the pool closed, and ends.
    pub(crate) fn join(&self, patience: Option<Duration>) -> bool {
        // A patience beyond the clock's range has no end.
        let until = patience.and_then(|patience| shinkan_sys::clock::now().checked_add(patience));
        let me = threads::id();
        // Not by the handles: that of a thread which has just started may not be there yet.
        let this = ptr::from_ref(self).addr();
        let own = usize::from(POOL.get() == this) + usize::from(naming::is_in(this));
        let mut state = lock(&self.state);
        while state.threads > own {
            state = match until {
                None => self.ended.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(shinkan_sys::clock::now());
                    if left.is_zero() {
                        return false;
                    }
                    let waited = self.ended.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let mut handles = core::mem::take(&mut state.handles);
        handles.extend(state.last.take());
        drop(state);
        for thread in handles {
            if thread.thread().id() != me {
                // It has left the runtime; what is left is the end of the thread itself.
                let _ = thread.join();
            }
        }
        true
    }

    /// Threads that run, of which so many wait for work, and the jobs that wait for a thread.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let state = lock(&self.state);
        (state.threads - state.cores.min(state.threads), state.idle.len(), state.queue.len())
    }
}

/// Counts a thread's end, also where one of its hooks panics.
struct Ends<'a>(&'a Pool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.count_end();
    }
}
