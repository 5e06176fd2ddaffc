//! Several workers on one thread, stepped in an order that a seed chooses.
//!
//! The runtime is the production one, over the driver's simulated backend; only the threads are
//! missing. It is how a test repeats a run: the same seed, the same trace.

use crate::builder::Builder;
use crate::core::{Inside, Worker};
use crate::enter;
use crate::handle::Handle;
use crate::seated::Seated;
use crate::seed::RngSeed;
use crate::threads;
use crate::worker::{Patience, Step, step};
use shinkan_base::rng::Rng;
use shinkan_driver::Driver;

/// Steps that a worker takes at most before another may be chosen.
const IN_A_ROW: u32 = 4;

/// Workers without threads. See the module.
#[derive(Debug)]
pub struct Stepper {
    handle: Handle,
    workers: Vec<Seated>,
    rng: Rng,
}

impl Stepper {
    /// `workers` workers over a simulated driver; every arbitrary choice is decided by `seed`.
    pub fn new(workers: usize, seed: u64) -> Self {
        crate::services::install();
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers).enable_all().rng_seed(RngSeed::from_u64(seed)).no_seizing();
        builder.stepped = true;
        let handle = builder.assemble(Driver::sim(seed));
        let seats = (0..workers).map(|index| Worker::take_over(handle.clone(), index));
        let workers: Vec<_> = seats.map(Seated::Multi).collect();
        // A tenure starts inside; between two steps a worker of ours is outside.
        for seated in &workers {
            drop(worker(seated).first());
        }
        Self { handle, workers, rng: Rng::new(seed) }
    }

    /// The runtime's handle, to spawn on.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The worker that the seed chooses to be stepped next.
    pub fn next_worker(&mut self) -> usize {
        self.rng.below(self.workers.len() as u32) as usize
    }

    /// Has worker `index` take one step, or a few in a row as the seed says. It waits (the clock goes
    /// on to the next deadline) only if no other has anything to do.
    ///
    /// # Panics
    /// If there is no such worker.
    pub fn step_worker(&mut self, index: usize) {
        let before = shinkan_context::seed_random(Some(Rng::new(self.rng.next_u64())));
        self.step_seeded(index);
        shinkan_context::seed_random(before);
    }

    fn step_seeded(&self, index: usize) {
        let _driving = enter::worker(&self.handle);
        let shared = self.handle.shared();
        let seated = &self.workers[index];
        let _sitting = seated.sit();
        let patience = if shared.has_work() || self.others_have_lifo(index) {
            Patience::Look
        } else {
            Patience::Wait
        };
        let inside = worker(seated).enter().expect("nobody seizes a stepped core");
        let more = shinkan_context::random_below(IN_A_ROW);
        match step(inside, patience, more) {
            Step::Ran(inside) | Step::Slept(inside) | Step::Stop(inside) => drop(inside),
            Step::Gone => unreachable!("nobody seizes a stepped core"),
        }
    }

    fn others_have_lifo(&self, index: usize) -> bool {
        let others = self.workers.iter().enumerate().filter(|(at, _)| *at != index);
        others.map(|(_, seated)| worker(seated).slot()).any(|slot| !slot.lifo.is_empty())
    }
}

fn worker(seated: &Seated) -> &Worker {
    match seated {
        Seated::Multi(worker) => worker,
        Seated::Current(_) => unreachable!("made by `new`"),
    }
}

impl Drop for Stepper {
    fn drop(&mut self) {
        self.handle.shared().close();
        for seated in &self.workers {
            let _driving = enter::worker(&self.handle);
            let _sitting = seated.sit();
            let inside: Option<Inside<'_>> = worker(seated).enter();
            if let Some(inside) = inside {
                threads::finish(inside);
            }
        }
        self.handle.shared().blocking.close();
        self.handle.shared().blocking.join(None);
    }
}
