//! Builders name tasks, and spawn them where they say.

use shinkan::runtime::{Builder, LocalRuntime, Runtime};
use shinkan::task::{self, JoinSet, LocalSet};
use std::panic::Location;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

type Seen = Arc<Mutex<Vec<(Option<String>, &'static Location<'static>)>>>;

/// A runtime that notes of each spawn name and place.
fn noting() -> (Runtime, Seen) {
    let seen = Seen::default();
    let notes = seen.clone();
    let runtime = Builder::new_current_thread()
        .on_task_spawn(move |task| {
            notes.lock().unwrap().push((task.name().map(String::from), task.spawned_at()));
        })
        .build()
        .unwrap();
    (runtime, seen)
}

#[test]
fn tasks_have_the_name_and_the_place_of_the_call() {
    let (runtime, seen) = noting();
    let handle = runtime.handle().clone();
    let lines = runtime.block_on(async {
        let named = task::Builder::new().name("first");
        let lines = [line!() + 1, line!() + 2, line!() + 4];
        let first = named.spawn(async { 1 }).unwrap();
        let second = task::Builder::new().spawn_on(async { 2 }, &handle).unwrap();
        let mut set = JoinSet::new();
        let third = set.build_task().name("third").spawn(async { 3 }).unwrap();
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 2));
        let (id, output) = set.join_next_with_id().await.unwrap().unwrap();
        assert_eq!((id, output), (third.id(), 3));
        lines
    });
    let seen = seen.lock().unwrap();
    let names: Vec<_> = seen.iter().map(|(name, _)| name.as_deref()).collect();
    assert_eq!(names, [Some("first"), None, Some("third")]);
    let places: Vec<_> = seen.iter().map(|(_, place)| (place.file(), place.line())).collect();
    assert_eq!(places, lines.map(|line| (file!(), line)));
}

#[test]
fn local_tasks_are_built_in_sets_and_local_runtimes() {
    let runtime = Runtime::new().unwrap();
    let local = LocalSet::new();
    let data = Rc::new(7);
    let (inside, on) = (data.clone(), data.clone());
    let sum = local.block_on(&runtime, async {
        let builder = task::Builder::new().name("inside");
        let inside = builder.spawn_local(async move { *inside }).unwrap();
        let on = task::Builder::new().spawn_local_on(async move { *on }, &local).unwrap();
        let mut set = JoinSet::new();
        set.build_task().spawn_local(async move { *data }).unwrap();
        set.build_task().name("on").spawn_local_on(async { 1 }, &local).unwrap();
        let joined = set.join_all().await;
        inside.await.unwrap() + on.await.unwrap() + joined.into_iter().sum::<i32>()
    });
    assert_eq!(sum, 22);
    let runtime = LocalRuntime::new().unwrap();
    let task = async { task::Builder::new().spawn_local(async { 5 }).unwrap().await };
    let local = runtime.block_on(task);
    assert_eq!(local.unwrap(), 5);
}

#[test]
fn closures_that_block_are_built_too() {
    let runtime = Runtime::new().unwrap();
    let sum = runtime.block_on(async {
        let builder = task::Builder::new().name("blocks");
        let one = builder.spawn_blocking(|| 1).unwrap();
        let two = task::Builder::new().spawn_blocking_on(|| 2, runtime.handle()).unwrap();
        let mut set = JoinSet::new();
        set.build_task().spawn_blocking(|| 3).unwrap();
        set.build_task().name("on").spawn_blocking_on(|| 4, runtime.handle()).unwrap();
        let joined = set.join_all().await;
        one.await.unwrap() + two.await.unwrap() + joined.into_iter().sum::<i32>()
    });
    assert_eq!(sum, 10);
}

#[test]
fn a_builder_prints_what_it_was_told() {
    let text = format!("{:?}", task::Builder::new().name("here"));
    assert!(text.contains("here"), "{text}");
    let mut set = JoinSet::<()>::new();
    let text = format!("{:?}", set.build_task().name("there"));
    assert!(text.contains("there"), "{text}");
}
