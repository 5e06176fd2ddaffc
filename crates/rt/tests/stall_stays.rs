//! Polls that are stuck where the others of their thread cannot move: they are reported.

mod support;

use shinkan_rt::local::{LocalSet, spawn_local};
use shinkan_rt::{Builder, Stall, StallIn, StallKind};
use std::panic::Location;
use std::sync::mpsc::{self, Receiver, Sender};
use support::watched;

fn told() -> (Sender<Stall>, Receiver<Stall>) {
    mpsc::channel()
}

fn current_thread(stalls: Sender<Stall>) -> Builder {
    let mut builder = Builder::new_current_thread();
    builder
        .enable_all()
        .name("alone")
        .stall_report(false)
        .stall_stacks(false)
        .on_stall(move |stall| drop(stalls.send(stall.clone())));
    builder
}

/// Blocks until the stall was told, and gives it.
fn stuck(stalled: &Receiver<Stall>) -> Stall {
    stalled.recv().unwrap()
}

#[track_caller]
fn was_spawned_at(stall: &Stall, line: u32) {
    let place: &Location<'_> = stall.spawned_at.unwrap_or_else(|| panic!("no place: {stall}"));
    assert_eq!((place.file(), place.line()), (file!(), line), "{stall}");
    assert!(stall.stays && !stall.moved && stall.kind == StallKind::Blocked, "{stall}");
    assert!(stall.to_string().contains("stay on it"), "{stall}");
}

#[test]
fn a_task_of_a_current_thread_runtime() {
    let (stalls, stalled) = told();
    let runtime = current_thread(stalls).build().unwrap();
    let (task, line) = (runtime.spawn(async move { stuck(&stalled) }), line!());
    let id = task.id();
    let stall = runtime.block_on(task).unwrap();
    was_spawned_at(&stall, line);
    assert_eq!((stall.polled, stall.task), (StallIn::Task, Some(id)));
    assert_eq!(stall.runtime.as_deref(), Some("alone"));
}

#[test]
fn the_future_of_block_on() {
    let (stalls, stalled) = told();
    let runtime = current_thread(stalls).build().unwrap();
    let (stall, line) = (runtime.block_on(async { stuck(&stalled) }), line!());
    was_spawned_at(&stall, line);
    assert_eq!((stall.polled, stall.task), (StallIn::BlockOn, None));
    assert!(stall.to_string().starts_with("the future of `block_on` at "), "{stall}");

    // And on another thread, of which the monitor has to learn.
    let (next, stall) = std::thread::scope(|scope| {
        let runtime = &runtime;
        let run = move || (line!(), runtime.block_on(async { stuck(&stalled) }));
        scope.spawn(run).join().unwrap()
    });
    was_spawned_at(&stall, next);
}

#[test]
fn a_second_wait_in_the_same_runtime_is_found_after_it_slept() {
    let (stalls, stalled) = told();
    let runtime = current_thread(stalls).build().unwrap();
    runtime.block_on(async {
        for _ in 0..2 {
            let later = shinkan_rt::now() + std::time::Duration::from_millis(2);
            let mut timer = Box::pin(shinkan_rt::Timer::new(later));
            std::future::poll_fn(|cx| timer.as_mut().poll_elapsed(cx, Location::caller())).await;
            assert_eq!(stuck(&stalled).polled, StallIn::BlockOn);
        }
    });
}

#[test]
fn a_local_task_on_a_current_thread_runtime_is_named_and_not_the_outer_one() {
    let (stalls, stalled) = told();
    let runtime = current_thread(stalls).build().unwrap();
    let set = LocalSet::new();
    let (spawn, wait) = mpsc::channel::<u32>();
    let (stall, id, outer) = set.block_on(&runtime, async {
        let task = spawn_local(async move {
            spawn.send(line!() - 1).unwrap();
            (stuck(&stalled), stalled)
        });
        let id = task.id();
        let (stall, stalled) = task.await.unwrap();
        // After it the outer one is itself again.
        (stall, id, stuck(&stalled))
    });
    was_spawned_at(&stall, wait.recv().unwrap());
    assert_eq!((stall.polled, stall.task), (StallIn::LocalTask, Some(id)));
    assert!(stall.to_string().starts_with("local task "), "{stall}");
    assert_eq!(outer.polled, StallIn::BlockOn);
}

#[test]
fn a_local_task_inside_block_on_of_a_runtime_with_workers() {
    let (runtime, stalled) = watched(1, |_| {});
    let set = LocalSet::new();
    let (task, line) = (set.spawn_local(async move { stuck(&stalled) }), line!());
    let id = task.id();
    let stall = set.block_on(&runtime, task).unwrap();
    was_spawned_at(&stall, line);
    assert_eq!((stall.polled, stall.task), (StallIn::LocalTask, Some(id)));
}

#[test]
fn a_runtime_without_a_monitor_tells_nothing() {
    let (stalls, stalled) = told();
    let runtime = current_thread(stalls).stall_monitor(false).build().unwrap();
    runtime.block_on(async { std::thread::sleep(std::time::Duration::from_millis(30)) });
    drop(runtime);
    assert!(stalled.recv().is_err(), "the hook is gone, and said nothing");
}
