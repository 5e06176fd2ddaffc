//! Sets of tasks: where members run, by which number they are known, and how they are ended.

use std::future::{pending, poll_fn};
use std::sync::mpsc;
use std::thread;

use shinkan::runtime::{Builder, Runtime};
use shinkan::task::{JoinSet, LocalSet};

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn members_are_known_by_number() {
    one_thread().block_on(async {
        let mut set = JoinSet::new();
        let first = set.spawn(async { "first" }).id();
        let (id, output) = poll_fn(|cx| set.poll_join_next_with_id(cx)).await.unwrap().unwrap();
        assert_eq!((id, output), (first, "first"));
        assert!(set.try_join_next_with_id().is_none());

        let aborted = set.spawn(async { pending().await }).id();
        set.abort_all();
        let error = poll_fn(|cx| set.poll_join_next_with_id(cx)).await.unwrap().unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.id(), aborted);
        assert!(poll_fn(|cx| set.poll_join_next_with_id(cx)).await.is_none());
    });
}

#[test]
fn what_has_ended_is_found_without_a_wait() {
    one_thread().block_on(async {
        let mut set = JoinSet::new();
        let id = set.spawn(async { 1 }).id();
        assert!(set.try_join_next_with_id().is_none(), "it has not run yet");
        shinkan::task::yield_now().await;
        assert_eq!(set.try_join_next_with_id().unwrap().unwrap(), (id, 1));
        assert!(set.is_empty());
    });
}

#[test]
fn all_that_are_aborted_are_joined() {
    one_thread().block_on(async {
        let mut set: JoinSet<()> = (0..8).map(|_| pending::<()>()).collect();
        assert_eq!(set.len(), 8);
        set.abort_all();
        // Aborted, but still members until they are joined.
        assert_eq!(set.len(), 8);
        while let Some(ended) = set.join_next().await {
            assert!(ended.unwrap_err().is_cancelled());
        }
    });
}

#[test]
fn a_closure_on_the_threads_of_another_runtime() {
    let other = one_thread();
    let handle = other.handle().clone();
    one_thread().block_on(async {
        let mut set = JoinSet::new();
        let (sender, receiver) = mpsc::channel();
        set.spawn_blocking_on(move || sender.send(thread::current().id()).unwrap(), &handle);
        set.join_next().await.unwrap().unwrap();
        assert_ne!(receiver.recv().unwrap(), thread::current().id());
    });
}

#[test]
fn a_member_on_a_set_of_local_tasks() {
    let local = LocalSet::new();
    let mut set = JoinSet::new();
    let here = thread::current().id();
    let not_send = std::rc::Rc::new(1);
    set.spawn_local_on(
        async move {
            assert_eq!(thread::current().id(), here);
            *not_send
        },
        &local,
    );
    let output = one_thread().block_on(local.run_until(async { set.join_next().await }));
    assert_eq!(output.unwrap().unwrap(), 1);
}

#[test]
fn a_built_member_runs_on_the_runtime_it_was_given() {
    let other = Builder::new_current_thread().name("other").build().unwrap();
    let mut set = JoinSet::new();
    let name = async { shinkan::runtime::Handle::current().name().map(String::from) };
    let task = set.build_task().name("member").spawn_on(name, other.handle()).unwrap();
    // Nobody runs the other one yet.
    one_thread().block_on(async { shinkan::task::yield_now().await });
    assert!(!task.is_finished());
    let name = other.block_on(set.join_next()).unwrap().unwrap();
    assert_eq!(name.as_deref(), Some("other"));
}
