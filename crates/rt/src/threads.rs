//! Threads: loops of steps. A thread holds a core until the runtime ends or the core is taken.

use crate::core::{Inside, Worker};
use crate::enter;
use crate::handle::Handle;
use crate::hooks::quietly;
use crate::seated::Seated;
use crate::seed::Seeded;
use crate::shared::Shared;
use crate::worker::{Patience, Step, count_busy, step};
use shinkan_base::atomics::plain::Ordering;
use shinkan_base::wakers::Wakers;

/// Works with core `index` on this thread until the runtime ends or the core is taken.
pub(crate) fn run_core(handle: &Handle, index: usize) {
    let entry = enter::worker(handle);
    let _seeded = Seeded::worker(handle, index);
    let seated = Seated::Multi(Worker::take_over(handle.clone(), index));
    {
        let _sitting = seated.sit();
        let Seated::Multi(worker) = &seated else { unreachable!("just made") };
        let mut inside = worker.first();
        loop {
            match step(inside, Patience::Wait, u32::MAX) {
                Step::Ran(back) | Step::Slept(back) => inside = back,
                Step::Gone => break,
                Step::Stop(back) => {
                    finish(back);
                    break;
                }
            }
        }
    }
    drop(entry);
}

/// The runtime has ended: this worker's part in emptying it.
pub(crate) fn finish(mut inside: Inside<'_>) {
    let worker = inside.worker();
    let handle = worker.handle.clone();
    let shared = handle.shared();
    if inside.searching {
        inside.searching = false;
        let _ = shared.idle().found_work();
    }
    let now_ns = shared.driver.clock().ns();
    count_busy(&mut inside, now_ns);
    // Out of the core first: dropping futures is user code.
    let mut tasks = Vec::new();
    tasks.extend(worker.slot().lifo.take());
    while let Some(task) = inside.local.pop() {
        tasks.push(task);
    }
    while let Some(task) = inside.refused.pop_front() {
        tasks.push(task);
    }
    // What its last poll may still be told of has ended: no report takes what follows for it.
    worker.tenure.seat.note_return();
    inside.surrender();
    shut_down_tasks(shared, tasks);
    // The last core out empties what the others' wake-ups left behind.
    if shared.multi().cores_left.fetch_sub(1, Ordering::AcqRel) == 1 {
        end_resources(shared);
    }
}

/// Cancels `tasks`, then all that the registry knows. Each drop of a future may panic and may
/// wake others; neither stops the rest.
pub(crate) fn shut_down_tasks(shared: &Shared, tasks: Vec<shinkan_task::Runnable>) {
    for task in tasks {
        quietly(|| task.cancel());
    }
    quietly(|| shared.registry.close_and_shutdown());
    drain_inject(shared);
}

fn drain_inject(shared: &Shared) {
    while let Some(task) = shared.inject.pop() {
        quietly(|| task.cancel());
    }
}

/// Ends the driver and the timers, and wakes who still waits for them outside the tasks.
pub(crate) fn end_resources(shared: &Shared) {
    drain_inject(shared);
    let mut wakers = Wakers::new();
    loop {
        let more = shared.close_resources(&mut wakers);
        quietly(|| wakers.wake_all());
        if !more {
            break;
        }
    }
}
