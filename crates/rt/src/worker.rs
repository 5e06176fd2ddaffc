//! One step of a worker: find a task and poll it, and those behind it, or sleep in the driver. Owns no
//! thread: `threads.rs` loops steps, and a test steps three workers on one thread.
//!
//! The token [`Inside`] is passed along: each call of user code consumes it and gives it back, or
//! does not, because the core was taken meanwhile.

use crate::core::{Core, Inside, Slot};
use crate::hooks::quietly;
use crate::idle::Left;
use crate::monitor;
use crate::nap;
use crate::relief::Stuck;
use crate::shared::Shared;
use shinkan_base::atomics::{Arc, hint};
use shinkan_base::canary;
use shinkan_base::wakers::Wakers;
use shinkan_context::budget::{self, Budget};
use shinkan_driver::Turn;
use shinkan_task::Runnable;

/// Polls of tasks from the LIFO slot in a row; then the next one goes behind the others, so that
/// two tasks that wake each other do not keep the rest from running.
const LIFO_IN_A_ROW: u32 = 3;

/// Rounds of a spinning processor, of which each takes 10 to 40 ns.
const A_FEW_MICROSECONDS: u32 = 100;

/// With so many tasks in its queue a worker leaves further events where each worker finds them, in
/// the order in which they came. What it took, and had no room for, would come behind all that the
/// workers have and get from the sockets: the inject queue is looked at for one task at a time.
const SOCKETS_AHEAD: usize = 64;

/// But looks for so many, however long its queue, and for one in two steps that it took.
const SOCKETS_LEAST: usize = 8;

/// So much of a task is fetched while the one before it is polled: header, and a future of 900 bytes. One
/// of hyper's connection is as large, and reads its last line first: that tells where it waits.
const LINES_AHEAD: usize = 16;

/// What a step did.
pub(crate) enum Step<'a> {
    /// It polled tasks, or looked for one.
    Ran(Inside<'a>),
    /// It found nothing and waited.
    Slept(Inside<'a>),
    /// The core was taken from this thread.
    Gone,
    /// The runtime ends.
    Stop(Inside<'a>),
}

/// Whether a step without work may wait for some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Wait,
    /// Looks at the driver and comes back: others on this thread have work.
    Look,
}

/// Does one step, and up to `more` that only take the next task of the worker's own queue.
pub(crate) fn step(mut inside: Inside<'_>, patience: Patience, more: u32) -> Step<'_> {
    let shared = inside.worker().handle.shared();
    if shared.is_closed() {
        return Step::Stop(inside);
    }
    inside.tick = inside.tick.wrapping_add(1);
    let is_time = inside.tick.wrapping_sub(inside.looked) >= event_interval(shared, &inside);
    if is_time || only_yielded_are_next(&inside) && !finds_nothing(&mut inside) {
        match maintain(inside) {
            Some(back) => inside = back,
            None => return Step::Gone,
        }
    }
    let found = match next(shared, &mut inside) {
        Some(task) => Some(task),
        None => search(shared, &mut inside),
    };
    match found {
        Some(task) => run(inside, task, more).map_or(Step::Gone, Step::Ran),
        None => sleep(inside, patience).map_or(Step::Gone, Step::Slept),
    }
}

/// So many steps may follow this one until something else than the own queue is looked at.
#[inline]
fn steps_until_a_look(shared: &Shared, core: &Core) -> u32 {
    let until = |interval: u32, last: u32| {
        interval.saturating_sub(1).saturating_sub(core.tick.wrapping_sub(last))
    };
    until(event_interval(shared, core), core.looked)
        .min(until(inject_interval(shared, core), core.injected))
}

#[inline]
fn event_interval(shared: &Shared, core: &Core) -> u32 {
    shared.config.event_interval.unwrap_or_else(|| core.pace.event_interval())
}

#[inline]
fn inject_interval(shared: &Shared, core: &Core) -> u32 {
    shared.config.inject_interval.unwrap_or_else(|| core.pace.interval())
}

/// Whether all that may run now has yielded since the driver's last look. Sockets and timers come
/// first, or who yields in a loop, to let others in, would keep these waiting for a whole interval.
#[inline]
fn only_yielded_are_next(inside: &Inside<'_>) -> bool {
    let Some(from) = inside.yielded_from else { return false };
    let reached = inside.local.start().wrapping_sub(from).cast_signed() >= 0;
    reached && inside.worker().slot().lifo.is_empty()
}

/// Whether a look would find nothing, as it is known without one; then it counts as done.
// Not a part of each step, which would take more registers by it.
#[inline(never)]
fn finds_nothing(inside: &mut Inside<'_>) -> bool {
    let shared = inside.worker().handle.shared();
    let nothing = shared.driver.io().is_unused() && shared.nothing_is_due();
    if nothing {
        inside.yielded_from = None;
    }
    nothing
}

/// A task from the worker's own queue, or from outside where it is time to look there.
fn next(shared: &Shared, inside: &mut Inside<'_>) -> Option<Runnable> {
    let lifo = &inside.worker().slot().lifo;
    let core = &mut **inside;
    // Not by a remainder, for which the processor would divide at each step.
    if core.tick.wrapping_sub(core.injected) >= inject_interval(shared, core) {
        core.injected = core.tick;
        if let Some(task) = shared.inject.pop() {
            return Some(task);
        }
    }
    if let Some(task) = lifo.take() {
        return Some(task);
    }
    if let Some(task) = core.local.pop() {
        return Some(task);
    }
    from_inject(shared, core)
}

/// Takes this worker's share of the inject queue under one lock.
fn from_inject(shared: &Shared, core: &mut Core) -> Option<Runnable> {
    if shared.inject.is_empty() {
        return None;
    }
    let share = shared.inject.len() / shared.multi().slots.len() + 1;
    let local = &mut core.local;
    // An empty queue may be short of room: a thief that is still at work keeps what it has claimed
    // and what was popped behind that. The first task is not queued, so one more than fits.
    let most = share.min(crate::core::QUEUE / 2).min(local.room() + 1);
    shared.inject.pop_many(most, |task| {
        if local.push(task).is_err() {
            unreachable!("only as many are asked for as there is room, and thieves only make more");
        }
    })
}

/// Looks through the others' queues, from a random one on.
#[inline(never)]
fn search(shared: &Shared, inside: &mut Inside<'_>) -> Option<Runnable> {
    let slots = &shared.multi().slots;
    if slots.len() < 2 {
        return None;
    }
    if !inside.searching {
        if !shared.idle().try_search() {
            return None;
        }
        inside.searching = true;
    }
    let own = inside.worker().index;
    let start = inside.rng.below(slots.len() as u32) as usize;
    for at in 0..slots.len() {
        let victim = (start + at) % slots.len();
        if victim == own {
            continue;
        }
        if let Some(task) = slots[victim].stealer.steal_into(&mut inside.local) {
            slots[own].counters.add_steals(1 + inside.local.len() as u64);
            inside.cold = inside.local.len() as u32;
            return Some(task);
        }
    }
    from_inject(shared, inside).or_else(|| from_a_stuck_worker(slots, own, start))
}

/// The last pass: the task that another worker wants to run next, if that one has been polling the
/// same task for some microseconds. A fresh one stays where its waker's cache is: its worker is
/// about to get to it, and to carry it over takes longer.
fn from_a_stuck_worker(slots: &[Arc<Slot>], own: usize, start: usize) -> Option<Runnable> {
    let others = (0..slots.len()).map(|at| (start + at) % slots.len()).filter(|at| *at != own);
    // One of them, since we wait for it.
    let (victim, mark) = others
        .map(|at| &slots[at])
        .find_map(|victim| victim.lifo.mark().map(|mark| (victim, mark)))?;
    let polls = victim.polls();
    (0..A_FEW_MICROSECONDS).for_each(|_| hint::spin_loop());
    if victim.polls() != polls {
        return None;
    }
    let task = victim.lifo.take_marked(mark)?;
    slots[own].counters.add_steals(1);
    Some(task)
}

/// Polls a task, and what it puts into the LIFO slot, under one budget; then the next of the queue, as
/// a step of its own, up to `more` times.
fn run<'a>(mut inside: Inside<'a>, task: Runnable, more: u32) -> Option<Inside<'a>> {
    let worker = inside.worker();
    let shared = worker.handle.shared();
    if inside.searching {
        inside.searching = false;
        if shared.idle().found_work() {
            shared.idle().wake_one(&shared.driver);
        }
    }
    budget::replace(Budget::initial());
    let mut task = task;
    let mut in_a_row = 0;
    // Not known before there is a second task.
    let mut left = None;
    // The compiler would write the loop's body out four times where it is small enough.
    let most = core::hint::black_box(LIFO_IN_A_ROW);
    let back = loop {
        announce(shared, &mut inside);
        if inside.cold != 0 {
            fetch_ahead(&mut inside);
        }
        let measures = || &worker.slot().measures;
        let Some(back) = inside.poll(task, |task| shared.poll(task, measures)) else { break None };
        inside = back;
        // No task starts after the end, not even the one that was to run next.
        if shared.is_closed() {
            break Some(inside);
        }
        if let Some(next) = worker.slot().lifo.take() {
            if in_a_row != most && budget::has_remaining() {
                in_a_row += 1;
                task = next;
                continue;
            }
            if shared.push_queue(&mut inside, next, true) {
                shared.idle().wake_one(&shared.driver);
            }
        }
        // Who yielded waits for a look at the driver.
        if inside.local.is_empty() || only_yielded_are_next(&inside) {
            break Some(inside);
        }
        let steps = left.unwrap_or_else(|| more.min(steps_until_a_look(shared, &inside)));
        if steps == 0 {
            break Some(inside);
        }
        let Some(next) = inside.local.pop() else { break Some(inside) };
        left = Some(steps - 1);
        inside.tick = inside.tick.wrapping_add(1);
        budget::replace(Budget::initial());
        in_a_row = 0;
        task = next;
    };
    budget::replace(Budget::unlimited());
    back
}

/// A task was queued quietly, for this worker to run it next, and now another one comes first: it
/// may block the thread, so a thief must know of what is queued; unless one comes by itself.
#[inline]
fn announce(shared: &Shared, core: &mut Core) {
    if !core.local.is_empty() && shared.announces(core) {
        shared.idle().wake_one(&shared.driver);
    }
}

/// Has the next task's memory fetched while this one is polled. `driver/src/poll.rs` has what it saves.
// Not a part of the loop, whose registers it would take.
#[inline(never)]
fn fetch_ahead(core: &mut Core) {
    core.cold -= 1;
    core.local.prefetch_first::<LINES_AHEAD>();
}

/// Looks at the driver and the timers between two polls.
#[inline(never)]
fn maintain(mut inside: Inside<'_>) -> Option<Inside<'_>> {
    inside.yielded_from = None;
    let shared = inside.worker().handle.shared();
    let tick = inside.tick;
    let steps = tick.wrapping_sub(inside.looked);
    inside.looked = tick;
    inside.pace.goes_on(tick, || shared.driver.clock().ns());
    let mut wakers = Wakers::new();
    // The bell is for those who wait, so that there is nothing to ask while there are no descriptors.
    if !shared.driver.io().is_unused() {
        let least = SOCKETS_LEAST.max(steps as usize / 2);
        let room = SOCKETS_AHEAD.saturating_sub(inside.local.len()).max(least);
        let turned = shared.driver.turn(Turn::LookFor(room), &mut wakers);
        inside.worker().slot().measures.add_ready(turned.events);
    }
    relieve(shared, &mut inside);
    fire_and_wake(inside, &mut wakers)
}

/// Takes over what another worker does not get to.
fn relieve(shared: &Shared, inside: &mut Inside<'_>) {
    let slots = &shared.multi().slots;
    let own = inside.worker().index;
    let core = &mut **inside;
    let (before, own_ns) = (core.local.len(), core.pace.takes_ns(core.local.len()));
    let task = match core.relief.look(slots, own, own_ns, || shared.driver.clock().ns()) {
        None => return,
        Some(Stuck::Queue(at)) => slots[at].stealer.steal_into(&mut core.local),
        Some(Stuck::Lifo(at, mark)) => slots[at].lifo.take_marked(mark),
    };
    let Some(task) = task else { return };
    let taken = 1 + core.local.len().saturating_sub(before);
    core.relief.took(slots, own, taken as u32);
    slots[own].counters.add_steals(taken as u64);
    shared.push_queue(core, task, false);
    // They came in behind the worker's own, and a thief may have been told of none of them.
    shared.idle().wake_one(&shared.driver);
}

/// Fires what is due, a batch at a time, and wakes who waited, with those in `wakers`.
fn fire_and_wake<'a>(mut inside: Inside<'a>, wakers: &mut Wakers) -> Option<Inside<'a>> {
    let shared = inside.worker().handle.shared();
    loop {
        let more = shared.fire_due(wakers);
        inside = wake(inside, wakers)?;
        if !more {
            return Some(inside);
        }
    }
}

/// Waits for an event, a deadline or the bell.
#[inline(never)]
fn sleep<'a>(mut inside: Inside<'a>, patience: Patience) -> Option<Inside<'a>> {
    let worker = inside.worker();
    let shared = worker.handle.shared();
    if shared.hooks.before_park.is_some() {
        inside = inside.user(|| shared.hooks.park())?;
    }
    shared.idle().begin_sleep(inside.searching);
    inside.searching = false;
    // The last look: what was pushed before we counted as a sleeper woke nobody.
    let found = (shared.has_work() || !worker.slot().lifo.is_empty() || shared.is_closed())
        && !canary("idle_no_last_look");
    if found {
        inside.searching = shared.idle().leave(false, &shared.driver) == Left::Woken;
        monitor::note_work(shared);
        return Some(inside);
    }
    let until = shared.watch.begin(shared.next_deadline());
    let clock = shared.driver.clock();
    let now_ns = clock.ns();
    let limit = shared.until(until);
    let naps = patience == Patience::Wait && may_nap(&mut inside, now_ns);
    let on_duty = naps && shared.duty.begin();
    let mode = match patience {
        Patience::Wait if naps => {
            let nap = nap::lasts(on_duty, shared.idle().sleepers());
            Turn::Nap(limit.map_or(nap, |limit| limit.min(nap)))
        }
        Patience::Wait => Turn::Wait(limit),
        Patience::Look => Turn::Look,
    };
    if !naps {
        shared.arrivals.begin();
    }
    let polled = count_busy(&mut inside, now_ns);
    let tick = inside.tick;
    inside.pace.rests(tick, now_ns);
    let (counters, measures) = (&worker.slot().counters, &worker.slot().measures);
    measures.park(counters, polled);
    let mut wakers = Wakers::new();
    if !naps {
        inside.looked = tick;
    }
    let turned = shared.driver.turn(mode, &mut wakers);
    shared.watch.end(until);
    if !naps {
        shared.arrivals.end(turned.events);
    }
    if on_duty {
        shared.duty.end();
    }
    measures.add_ready(turned.events);
    // Kernels before 5.11 may have a nap time out, and not tell of the ring that ended it.
    let left = shared.idle().leave(turned.bell || naps, &shared.driver);
    inside.searching = left == Left::Woken;
    if on_duty && !inside.searching && shared.has_work() {
        // It may get work of its own before it comes to search.
        shared.idle().wake_one(&shared.driver);
    }
    monitor::note_work(shared);
    counters.inc_unparks();
    let now_ns = clock.ns();
    inside.awake_since_ns = now_ns;
    inside.pace.resumes(tick, now_ns);
    inside = fire_and_wake(inside, &mut wakers)?;
    if shared.hooks.after_unpark.is_some() {
        inside = inside.user(|| shared.hooks.unpark())?;
    }
    Some(inside)
}

/// Whether this worker need not watch the sockets too.
fn may_nap(inside: &mut Inside<'_>, now_ns: u64) -> bool {
    let shared = inside.worker().handle.shared();
    inside.napper.pays(now_ns, &shared.arrivals)
        && (shared.arrivals.anybody_watches() || shared.idle().anybody_awake())
}

/// Counts the time until now that the worker was awake. Whether it polled anything meanwhile.
pub(crate) fn count_busy(inside: &mut Inside<'_>, now_ns: u64) -> bool {
    let busy_ns = now_ns.saturating_sub(inside.awake_since_ns);
    inside.awake_since_ns = now_ns;
    let worker = inside.worker();
    let slot = worker.slot();
    slot.measures.rest(&slot.counters, slot.polls_with(&worker.tenure), busy_ns)
}

/// Queues the runtime's own tasks, and calls the other wakers, which may be anybody's code.
fn wake<'a>(mut inside: Inside<'a>, wakers: &mut Wakers) -> Option<Inside<'a>> {
    if wakers.is_empty() {
        return Some(inside);
    }
    let shared = inside.worker().handle.shared();
    if shared.queue_woken(&mut inside, wakers) {
        shared.idle().wake_one(&shared.driver);
    }
    if wakers.is_empty() {
        return Some(inside);
    }
    inside.user(|| {
        // A waker that panics has no caller to tell but us: the others were woken before the
        // panic came here, and the panic hook has printed it.
        quietly(|| wakers.wake_all());
    })
}
