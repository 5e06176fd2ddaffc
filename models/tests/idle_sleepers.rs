//! The idle protocol: sleepers, one that only looks, pushes and an event. A thread that sleeps for
//! ever while work is queued is a deadlock, which loom reports.
#![cfg(shinkan_loom)]

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use shinkan_base::canary;
use shinkan_rt::idle::{Bell, Idle, Left};

/// The driver: a semaphore of bell units and edges of events, in which several threads wait.
#[derive(Default)]
struct Driver {
    state: Mutex<(u32, u32)>,
    changed: Condvar,
}

impl Driver {
    /// Waits for a unit or an edge. A unit is left for `take`; an edge goes to one waiter.
    fn wait(&self) -> (bool, bool) {
        let mut state = self.state.lock().unwrap();
        while *state == (0, 0) {
            state = self.changed.wait(state).unwrap();
        }
        let edge = state.1 > 0;
        state.1 -= u32::from(edge);
        (state.0 > 0, edge)
    }

    fn event(&self) {
        self.state.lock().unwrap().1 += 1;
        self.changed.notify_all();
    }
}

impl Bell for Driver {
    fn ring(&self) {
        self.state.lock().unwrap().0 += 1;
        self.changed.notify_all();
    }

    fn take(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        let there = state.0 > 0;
        state.0 -= u32::from(there);
        there
    }
}

struct World {
    idle: Idle,
    driver: Driver,
    queue: AtomicUsize,
    done: AtomicUsize,
    all: usize,
    ended: AtomicBool,
}

impl World {
    fn new(workers: u32, all: usize) -> Arc<Self> {
        Arc::new(Self {
            idle: Idle::new(workers),
            driver: Driver::default(),
            queue: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            all,
            ended: AtomicBool::new(false),
        })
    }

    fn push(&self) {
        self.queue.fetch_add(1, Ordering::Release);
        self.idle.wake_one(&self.driver);
    }

    fn pop(&self) -> bool {
        let take = |n: usize| n.checked_sub(1);
        self.queue.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// One task was run; the last one ends the world.
    fn ran(&self) {
        if self.done.fetch_add(1, Ordering::AcqRel) + 1 == self.all {
            self.ended.store(true, Ordering::Release);
            self.idle.wake_all(&self.driver);
        }
    }

    /// A worker's loop, as in `worker.rs`.
    fn work(&self) {
        let mut searching = false;
        loop {
            if self.ended.load(Ordering::Acquire) {
                if searching {
                    let _ = self.idle.found_work();
                }
                return;
            }
            if self.pop() {
                if core::mem::take(&mut searching) && self.idle.found_work() {
                    self.idle.wake_one(&self.driver);
                }
                self.ran();
                continue;
            }
            self.idle.begin_sleep(core::mem::take(&mut searching));
            let found =
                self.queue.load(Ordering::Acquire) > 0 || self.ended.load(Ordering::Acquire);
            let (rung, edge) = if found && !canary("idle_no_last_look") {
                (false, false)
            } else {
                self.driver.wait()
            };
            searching = self.idle.leave(rung, &self.driver) == Left::Woken;
            if edge {
                self.push();
            }
        }
    }
}

/// After all have left, the numbers are back at zero and no unit is left over.
fn at_rest(world: &World) {
    assert_eq!((world.idle.sleepers(), world.idle.searchers()), (0, 0));
    assert!(!world.driver.take(), "a unit is left that no sleeper took");
}

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.max_branches = 100_000;
    builder.check(f);
}

#[test]
fn one_sleeper_two_pushes() {
    model(|| {
        let world = World::new(1, 2);
        let its = world.clone();
        let worker = thread::spawn(move || its.work());
        world.push();
        world.push();
        worker.join().unwrap();
        at_rest(&world);
    });
}

#[test]
fn two_sleepers_one_push() {
    model(|| {
        let world = World::new(2, 1);
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let its = world.clone();
                thread::spawn(move || its.work())
            })
            .collect();
        world.push();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        at_rest(&world);
    });
}

#[test]
fn a_push_meets_an_event() {
    model(|| {
        let world = World::new(1, 2);
        let its = world.clone();
        let worker = thread::spawn(move || its.work());
        world.driver.event();
        world.push();
        worker.join().unwrap();
        at_rest(&world);
    });
}

#[test]
fn one_that_looks_takes_no_unit_from_one_that_sleeps() {
    model(|| {
        let world = World::new(2, 1);
        let its = world.clone();
        let worker = thread::spawn(move || its.work());
        world.push();
        // A busy worker's look: it sees the bell and leaves it.
        let seen = world.driver.state.lock().unwrap().0;
        assert!(seen <= 1);
        worker.join().unwrap();
        at_rest(&world);
    });
}

#[test]
fn two_sleepers_two_pushes_one_event_one_look() {
    model(|| {
        let world = World::new(2, 3);
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let its = world.clone();
                thread::spawn(move || its.work())
            })
            .collect();
        world.push();
        world.driver.event();
        let _seen = world.driver.state.lock().unwrap().0;
        world.push();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        at_rest(&world);
    });
}
