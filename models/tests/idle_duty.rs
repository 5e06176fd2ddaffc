//! A push that rings nobody, because a worker on duty comes back by itself: it is found. A thread that
//! sleeps for ever while work is queued is a deadlock, which loom reports.
#![cfg(shinkan_loom)]

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use shinkan_base::canary;
use shinkan_rt::idle::{Bell, Duty, Idle, Left};

/// Units of the bell.
#[derive(Default)]
struct Units {
    units: Mutex<u32>,
    changed: Condvar,
}

impl Units {
    fn wait(&self) {
        let mut units = self.units.lock().unwrap();
        while *units == 0 {
            units = self.changed.wait(units).unwrap();
        }
    }
}

impl Bell for Units {
    fn ring(&self) {
        *self.units.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    fn take(&self) -> bool {
        let mut units = self.units.lock().unwrap();
        let there = *units > 0;
        *units -= u32::from(there);
        there
    }
}

struct World {
    idle: Idle,
    duty: Duty,
    bell: Units,
    queue: AtomicUsize,
}

impl World {
    /// As in `schedule.rs`: a short queue is left to who is on duty.
    fn push(&self) {
        self.queue.store(1, Ordering::Release);
        if !self.duty.is_on() {
            self.idle.wake_one(&self.bell);
        }
    }

    fn finds(&self) -> bool {
        self.queue.load(Ordering::Acquire) == 1
    }

    /// A worker that naps so many times, and then sleeps until the bell rings; as in `worker.rs`.
    fn work(&self, mut naps: u32) {
        loop {
            if self.finds() && !canary("duty_no_look") {
                return;
            }
            self.idle.begin_sleep(false);
            if self.finds() && !canary("duty_no_look") {
                let _ = self.idle.leave(false, &self.bell);
                return;
            }
            let on_duty = naps > 0 && self.duty.begin();
            if naps > 0 {
                // Its time is over.
                naps -= 1;
            } else {
                if canary("duty_ends_late") {
                    self.duty.end();
                }
                self.bell.wait();
            }
            if on_duty && !canary("duty_ends_late") {
                self.duty.end();
            }
            if self.idle.leave(naps == 0, &self.bell) == Left::Woken {
                let _ = self.idle.found_work();
                assert!(self.finds(), "it was rung for nothing");
                return;
            }
        }
    }
}

fn of_naps(naps: u32) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.max_branches = 100_000;
    builder.check(move || {
        let world = Arc::new(World {
            idle: Idle::new(1),
            duty: Duty::new(),
            bell: Units::default(),
            queue: AtomicUsize::new(0),
        });
        let its = world.clone();
        let worker = thread::spawn(move || its.work(naps));
        world.push();
        worker.join().unwrap();
    });
}

impl World {
    /// A worker that naps on duty once, and then is stuck in a task of its own.
    fn nap_and_be_stuck(&self) {
        self.idle.begin_sleep(false);
        let found = self.finds();
        let on_duty = !found && self.duty.begin();
        if on_duty {
            // Its time is over.
            self.duty.end();
        }
        let woken = self.idle.leave(!found, &self.bell) == Left::Woken;
        if woken || found || on_duty && self.finds() && !canary("duty_no_handover") {
            // Who has found something, and was the last to search, wakes the next.
            if woken {
                let _ = self.idle.found_work();
            }
            self.idle.wake_one(&self.bell);
        }
    }
}

#[test]
fn who_was_on_duty_and_gets_work_of_its_own_wakes_another() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.max_branches = 100_000;
    builder.check(|| {
        let world = Arc::new(World {
            idle: Idle::new(2),
            duty: Duty::new(),
            bell: Units::default(),
            queue: AtomicUsize::new(0),
        });
        let (its, another) = (world.clone(), world.clone());
        let naps = thread::spawn(move || its.nap_and_be_stuck());
        let sleeps = thread::spawn(move || another.work(0));
        world.push();
        naps.join().unwrap();
        sleeps.join().unwrap();
    });
}

#[test]
fn a_quiet_push_is_found_after_the_nap() {
    of_naps(1);
}

#[test]
fn a_quiet_push_is_found_after_the_next_nap() {
    of_naps(2);
}
