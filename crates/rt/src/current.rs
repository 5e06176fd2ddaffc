//! The scheduler of one thread: whoever is inside `Runtime::block_on` drives all tasks.
//!
//! The queue belongs to that thread; others push into the inject queue and ring. If several
//! threads are inside `block_on` at once, one drives and the others wait for their own future; when
//! the driver leaves, it wakes them, and one goes on.

use crate::fate::SEALED;
use crate::handle::Handle;
use crate::hooks::{Hooks, quietly};
use crate::idle::Left;
use crate::measures::Measures;
use crate::monitor;
use crate::multi::{NO_TASK, Unpark, poll_main};
use crate::pace;
use crate::seated::Seated;
use crate::shared::{Flavor, Shared};
use crate::tenure::{InUser, Said, Tenure};
use crate::threads;
use core::cell::RefCell;
use core::future::Future;
use core::panic::Location;
use core::pin::{Pin, pin};
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use shinkan_base::atomics::Mutex;
use shinkan_base::atomics::plain::{AtomicBool, Ordering};
use shinkan_base::wait::TaskFrame;
use shinkan_base::wakers::Wakers;
use shinkan_context::budget::{self, Budget};
use shinkan_context::services::wake_all;
use shinkan_driver::Turn;
use shinkan_probe::Counters;
use shinkan_sys::park::{Parker, Unparker};
use shinkan_sys::threads as threads_of_the_system;
use shinkan_task::{Runnable, runnable_of};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Wake;
use std::thread::ThreadId;

/// The one core: there while nobody drives.
pub(crate) struct Current {
    core: Mutex<Option<Queue>>,
    /// Threads inside `block_on` that do not drive.
    waiting: Mutex<Vec<(ThreadId, Unparker)>>,
    /// Written by the thread that drives.
    pub(crate) counters: Counters,
    pub(crate) measures: Measures,
    /// Of the thread that drives, or drove last.
    tenure: Mutex<(Option<ThreadId>, SharedTenure)>,
}

type SharedTenure = shinkan_base::atomics::Arc<Tenure>;

#[derive(Debug, Default)]
pub(crate) struct Queue {
    tasks: VecDeque<Runnable>,
    /// Tasks that yielded: they wait until the driver, the timers and the main future had their
    /// look, or a task that yields in a loop would put these off by a whole round.
    yielded: VecDeque<Runnable>,
    tick: u32,
    /// When the thread last came back from waiting, or began to drive.
    awake_since_ns: Option<u64>,
}

/// The thread that drives.
#[derive(Debug)]
pub(crate) struct CurrentWorker {
    pub(crate) handle: Handle,
    queue: RefCell<Queue>,
    /// What the monitor sees of the thread.
    pub(crate) tenure: SharedTenure,
}

impl Current {
    pub(crate) fn new(measures: Measures) -> Self {
        Self {
            core: Mutex::new(Some(Queue::default())),
            waiting: Mutex::new(Vec::new()),
            counters: Counters::new(),
            measures,
            tenure: Mutex::new((None, SharedTenure::new(Tenure::over()))),
        }
    }

    /// Whether a thread drives the runtime.
    pub(crate) fn is_driven(&self) -> bool {
        self.core.lock().is_none()
    }

    /// What the monitor looks at.
    pub(crate) fn tenure(&self) -> SharedTenure {
        self.tenure.lock().1.clone()
    }

    /// The calling thread's: the same as before where it drove last, too.
    fn sit(&self) -> SharedTenure {
        let me = threads_of_the_system::id();
        let mut tenure = self.tenure.lock();
        if tenure.0 != Some(me) {
            // Its core is never taken, so its handshake needs no fence.
            *tenure = (Some(me), SharedTenure::new(Tenure::new(false)));
        }
        tenure.1.clone()
    }
}

impl CurrentWorker {
    /// Queues a task from this thread. No user code runs while the queue is borrowed.
    #[inline]
    pub(crate) fn push(&self, task: Runnable, behind: bool) {
        let mut queue = self.queue.borrow_mut();
        let queue = &mut *queue;
        let to = if behind { &mut queue.yielded } else { &mut queue.tasks };
        to.push_back(task);
        current(self.shared()).counters.inc_local_schedules();
    }

    /// Queues those of the wakers' tasks that are this runtime's and sleep.
    pub(crate) fn queue_woken(&self, wakers: &mut Wakers) {
        let shared = self.shared();
        let home = NonNull::from(shared).cast();
        let mut queue = self.queue.borrow_mut();
        let before = queue.tasks.len();
        wakers.sift(|waker| match runnable_of(waker, home) {
            Err(other) => Some(other),
            Ok(task) => {
                shared.note_queued(&task);
                queue.tasks.push_back(task);
                None
            }
        });
        let queued = queue.tasks.len() - before;
        current(shared).counters.add_local_schedules(queued as u64);
    }

    /// Lets the tasks that yielded back in. Whether there were any.
    fn readmit(&self) -> bool {
        let mut queue = self.queue.borrow_mut();
        let queue = &mut *queue;
        let any = !queue.yielded.is_empty();
        queue.tasks.append(&mut queue.yielded);
        any
    }

    fn shared(&self) -> &Shared {
        self.handle.shared()
    }

    fn next(&self) -> Option<Runnable> {
        let shared = self.shared();
        let mut queue = self.queue.borrow_mut();
        queue.tick = queue.tick.wrapping_add(1);
        if queue.tick.is_multiple_of(shared.config.inject_interval.unwrap_or(pace::DEFAULT))
            && let Some(task) = pop_inject(shared)
        {
            return Some(task);
        }
        queue.tasks.pop_front().or_else(|| pop_inject(shared))
    }
}

#[inline(always)]
fn current(shared: &Shared) -> &Current {
    match &shared.flavor {
        Flavor::Current(current) => current,
        Flavor::Multi(_) => unreachable!("this runtime has several workers"),
    }
}

/// A task from outside the thread that drives.
fn pop_inject(shared: &Shared) -> Option<Runnable> {
    let task = shared.inject.pop()?;
    current(shared).measures.add_from_elsewhere();
    Some(task)
}

/// Wakes the main future: the thread that drives looks at it in its next round.
struct MainWaker {
    woken: AtomicBool,
    handle: Handle,
}

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            let shared = self.handle.shared();
            shared.idle().wake_one(&shared.driver);
        }
    }
}

/// Polls `future` on this thread, and drives the runtime while no other thread does.
pub(crate) fn block_on<F: Future>(
    handle: &Handle,
    future: F,
    place: &'static Location<'static>,
) -> F::Output {
    let mut future = pin!(future);
    let here = current(handle.shared());
    loop {
        let queue = here.core.lock().take();
        if let Some(queue) = queue {
            return drive(handle, queue, future.as_mut(), place);
        }
        if let Some(output) = wait_for_core(here, future.as_mut()) {
            return output;
        }
    }
}

/// A thread on the list of those that wait for the core.
struct Waiting<'a>(&'a Current);

impl<'a> Waiting<'a> {
    fn new(here: &'a Current, unparker: Unparker) -> Self {
        here.waiting.lock().push((threads_of_the_system::id(), unparker));
        Self(here)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let me = threads_of_the_system::id();
        let mut waiting = self.0.waiting.lock();
        let at = waiting.iter().position(|(thread, _)| *thread == me);
        waiting.swap_remove(at.expect("put there by `new`"));
    }
}

/// Polls `future` until it is done or the core is free.
fn wait_for_core<F: Future>(here: &Current, mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut parker = Parker::new();
    let waker = Waker::from(Arc::new(Unpark(parker.unparker().clone())));
    let mut cx = Context::from_waker(&waker);
    let frame = TaskFrame::new(NO_TASK);
    let _waiting = Waiting::new(here, parker.unparker().clone());
    loop {
        if let Poll::Ready(output) = poll_main(&frame, || future.as_mut().poll(&mut cx)) {
            return Some(output);
        }
        // We are on the list: whoever puts the core back afterwards sees us.
        if here.core.lock().is_some() {
            return None;
        }
        parker.park();
    }
}

/// Puts the core back when the driving thread leaves, also by a panic.
struct PutBack<'a>(&'a Seated);

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        let Seated::Current(worker) = self.0 else { return };
        let here = current(worker.shared());
        count_busy(worker);
        *here.core.lock() = Some(worker.queue.take());
        // All of them: one may be about to leave, with its future done.
        here.waiting.lock().iter().for_each(|(_, next)| next.unpark());
    }
}

fn drive<F: Future>(
    handle: &Handle,
    mut queue: Queue,
    mut future: Pin<&mut F>,
    place: &'static Location<'static>,
) -> F::Output {
    queue.awake_since_ns = Some(handle.clock().ns());
    let tenure = current(handle.shared()).sit();
    let queue = RefCell::new(queue);
    let seated = Seated::Current(CurrentWorker { handle: handle.clone(), queue, tenure });
    monitor::note_work(handle.shared());
    current(handle.shared()).measures.take_over();
    let _put_back = PutBack(&seated);

    let _sitting = seated.sit();
    let Seated::Current(worker) = &seated else { unreachable!("just made") };
    let main = Arc::new(MainWaker { woken: AtomicBool::new(true), handle: handle.clone() });
    let waker = Waker::from(main.clone());
    let mut cx = Context::from_waker(&waker);
    let frame = TaskFrame::new(NO_TASK);
    loop {
        // Before the main future: what it awaits may have ended by that panic.
        assert!(!worker.shared().is_closed(), "{SEALED}");
        if main.woken.swap(false, Ordering::AcqRel)
            && let Poll::Ready(output) = {
                let _user = InUser::new(&worker.tenure, Said::main(place));
                poll_main(&frame, || future.as_mut().poll(&mut cx))
            }
        {
            return output;
        }
        match run_some(worker) {
            Ran::Some => look(worker),
            Ran::Nothing => sleep(worker, &main.woken),
        }
    }
}

enum Ran {
    Some,
    Nothing,
}

/// Polls up to one interval's number of tasks.
fn run_some(worker: &CurrentWorker) -> Ran {
    let shared = worker.shared();
    let here = current(shared);
    for _ in 0..shared.config.event_interval.unwrap_or(pace::EVENTS_DEFAULT) {
        let Some(task) = worker.next() else {
            return if worker.readmit() { Ran::Some } else { Ran::Nothing };
        };
        here.counters.inc_polls();
        let user = InUser::new(&worker.tenure, Said::task(&task));
        budget::with(Budget::initial(), || shared.poll(task, || &here.measures));
        drop(user);
        if shared.is_closed() {
            break;
        }
    }
    Ran::Some
}

/// Polls a task of the local runtime that this thread drives.
pub(crate) fn poll_local(shared: &Shared, task: Runnable) {
    let here = current(shared);
    here.counters.inc_polls();
    here.measures.add_from_elsewhere();
    shared.poll(task, || &here.measures);
}

/// Fires what is due, a batch at a time, and wakes who waited, with those in `wakers`.
pub(crate) fn fire_and_wake(shared: &Shared, mut wakers: Wakers) {
    loop {
        let more = shared.fire_due(&mut wakers);
        if !wakers.is_empty() {
            // A waker's panic has no caller to tell; the others were woken before it came here.
            quietly(|| wake_all(&mut wakers));
        }
        if !more {
            return;
        }
    }
}

/// Looks at the driver and the timers between two rounds.
fn look(worker: &CurrentWorker) {
    worker.readmit();
    let shared = worker.shared();
    let mut wakers = Wakers::new();
    // As in `worker::maintain`.
    if !shared.driver.io().is_unused() {
        let turned = shared.driver.turn(Turn::Look, &mut wakers);
        current(shared).measures.add_ready(turned.events);
    }
    wake_as_user(worker, wakers);
}

/// As [`fire_and_wake`], which calls wakers: they may be anybody's code.
fn wake_as_user(worker: &CurrentWorker, wakers: Wakers) {
    let _user = InUser::new(&worker.tenure, Said::CALLBACK);
    fire_and_wake(worker.shared(), wakers);
}

/// Counts the time since the thread began to drive, or last came back from waiting. Whether it
/// polled anything meanwhile.
fn count_busy(worker: &CurrentWorker) -> bool {
    let shared = worker.shared();
    let Some(since_ns) = worker.queue.borrow_mut().awake_since_ns.take() else { return false };
    let busy_ns = shared.driver.clock().ns().saturating_sub(since_ns);
    let here = current(shared);
    here.measures.rest(&here.counters, here.counters.polls(), busy_ns)
}

/// Waits for an event, a deadline or the bell.
fn sleep(worker: &CurrentWorker, woken: &AtomicBool) {
    let shared = worker.shared();
    let here = current(shared);
    as_hook(worker, |hooks| hooks.park());
    if worker.readmit() || !worker.queue.borrow().tasks.is_empty() {
        // The hook spawned something.
        return look(worker);
    }
    shared.idle().begin_sleep(false);
    let mut wakers = Wakers::new();
    let found = shared.has_work() || woken.load(Ordering::Acquire) || shared.is_closed();
    let rung = if found {
        let turned = shared.driver.turn(Turn::Look, &mut wakers);
        here.measures.add_ready(turned.events);
        false
    } else {
        let polled = count_busy(worker);
        here.measures.park(&here.counters, polled);
        let until = shared.watch.begin(shared.next_deadline());
        let turned = shared.driver.turn(Turn::Wait(shared.until(until)), &mut wakers);
        shared.watch.end(until);
        here.measures.add_ready(turned.events);
        here.counters.inc_unparks();
        worker.queue.borrow_mut().awake_since_ns = Some(shared.driver.clock().ns());
        turned.bell
    };
    if shared.idle().leave(rung, &shared.driver) == Left::Woken {
        let _ = shared.idle().found_work();
    }
    monitor::note_work(shared);
    wake_as_user(worker, wakers);
    as_hook(worker, |hooks| hooks.unpark());
}

fn as_hook(worker: &CurrentWorker, call: impl FnOnce(&Hooks)) {
    let _user = InUser::new(&worker.tenure, Said::CALLBACK);
    call(&worker.shared().hooks);
}

/// The runtime ends: nobody drives any more, for the `Runtime` is being dropped.
pub(crate) fn shut_down(handle: &Handle) {
    let shared = handle.shared();
    let queue = current(shared).core.lock().take().unwrap_or_default();
    let tenure = SharedTenure::new(Tenure::over());
    // Dropped futures that spawn or wake do so as on the thread that drove.
    let seated = Seated::Current(CurrentWorker {
        handle: handle.clone(),
        queue: RefCell::default(),
        tenure,
    });
    let _within = crate::enter::within(handle);
    let _sitting = seated.sit();
    let tasks = queue.tasks.into_iter().chain(queue.yielded).collect();
    threads::shut_down_tasks(shared, tasks);
    let Seated::Current(worker) = &seated else { unreachable!("just made") };
    loop {
        worker.readmit();
        let tasks = core::mem::take(&mut worker.queue.borrow_mut().tasks);
        if tasks.is_empty() {
            break;
        }
        threads::shut_down_tasks(shared, tasks.into());
    }
    threads::end_resources(shared);
}
