//! Tasks that stay on their thread, by situation.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::mpsc;

use shinkan::runtime::{Builder, LocalRuntime, Runtime};
use shinkan::sync::{Notify, oneshot};
use shinkan::task::{JoinSet, LocalSet, spawn_local, yield_now};
use shinkan::time::Duration;

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn tasks_share_what_is_not_send() {
    let log = Rc::new(RefCell::new(Vec::new()));
    LocalSet::new().block_on(&one_thread(), async {
        let tasks: Vec<_> = (0..3)
            .map(|n| {
                let log = log.clone();
                spawn_local(async move {
                    log.borrow_mut().push(n);
                    yield_now().await;
                    log.borrow_mut().push(n + 10);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(*log.borrow(), [0, 1, 2, 10, 11, 12]);
}

#[test]
fn a_wake_up_from_another_thread_polls_the_task_on_its_own() {
    let here = std::thread::current().id();
    LocalSet::new().block_on(&Runtime::new().unwrap(), async {
        for _ in 0..100 {
            let (sender, receiver) = oneshot::channel();
            let task = spawn_local(async move {
                receiver.await.unwrap();
                std::thread::current().id()
            });
            yield_now().await;
            let other = std::thread::spawn(move || sender.send(()).unwrap());
            assert_eq!(task.await.unwrap(), here);
            other.join().unwrap();
        }
    });
}

#[test]
fn the_set_ends_when_its_tasks_have() {
    let runtime = one_thread();
    let ran = Rc::new(Cell::new(0));
    let set = LocalSet::new();
    for _ in 0..200 {
        let ran = ran.clone();
        set.spawn_local(async move {
            yield_now().await;
            ran.set(ran.get() + 1);
        });
    }
    runtime.block_on(set);
    assert_eq!(ran.get(), 200);
}

#[test]
fn tasks_wait_while_the_set_is_not_polled() {
    let runtime = one_thread();
    let set = LocalSet::new();
    let ran = Rc::new(Cell::new(false));
    let task = {
        let (_inside, ran) = (set.enter(), ran.clone());
        spawn_local(async move { ran.set(true) })
    };
    runtime.block_on(yield_now());
    assert!(!ran.get());
    set.block_on(&runtime, task).unwrap();
    assert!(ran.get());
}

#[test]
fn dropping_the_set_drops_its_futures_here_and_now() {
    struct OnDrop(Rc<Cell<u32>>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
            // What is spawned from a drop is cancelled at once, and does no harm.
            drop(spawn_local(async {}));
        }
    }
    let dropped = Rc::new(Cell::new(0));
    let set = LocalSet::new();
    let held = OnDrop(dropped.clone());
    let waits = set.spawn_local(async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    let held = OnDrop(dropped.clone());
    let queued = set.spawn_local(async move { drop(held) });
    one_thread().block_on(set.run_until(yield_now()));
    let held = OnDrop(dropped.clone());
    let never_ran = set.spawn_local(async move { drop(held) });
    drop(set);
    assert_eq!(dropped.get(), 3);
    let runtime = one_thread();
    runtime.block_on(queued).unwrap();
    assert!(runtime.block_on(waits).unwrap_err().is_cancelled());
    assert!(runtime.block_on(never_ran).unwrap_err().is_cancelled());
}

#[test]
fn a_wake_up_after_the_set_is_gone_finds_nothing() {
    let notify = std::sync::Arc::new(Notify::new());
    let set = LocalSet::new();
    let waits = notify.clone();
    let task = set.spawn_local(async move { waits.notified().await });
    one_thread().block_on(set.run_until(yield_now()));
    // Wake-ups race with the end of the set.
    let (start, started) = mpsc::channel();
    let other = std::thread::spawn(move || {
        start.send(()).unwrap();
        notify.notify_waiters();
        notify.notify_one();
    });
    started.recv().unwrap();
    drop(set);
    other.join().unwrap();
    assert!(task.is_finished());
}

#[test]
fn the_others_of_the_runtime_have_their_turns() {
    let runtime = one_thread();
    let stop = Rc::new(Cell::new(false));
    let set = LocalSet::new();
    for _ in 0..100 {
        let stop = stop.clone();
        set.spawn_local(async move {
            while !stop.get() {
                yield_now().await;
            }
        });
    }
    set.block_on(&runtime, async {
        // A task of the runtime, beside a set that always has work.
        shinkan::spawn(async { yield_now().await }).await.unwrap();
        stop.set(true);
    });
    runtime.block_on(set);
}

#[test]
fn a_panic_of_a_task_is_an_error_of_its_handle() {
    LocalSet::new().block_on(&one_thread(), async {
        let error = spawn_local(async { panic!("on purpose") }).await.unwrap_err();
        assert!(error.is_panic());
        assert_eq!(spawn_local(async { 1 }).await.unwrap(), 1);
    });
}

#[test]
fn outside_a_set_the_panic_names_place_and_remedy() {
    let panic = std::panic::catch_unwind(|| {
        one_thread().block_on(async { drop(spawn_local(async {})) });
    })
    .unwrap_err();
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap();
    assert!(text.contains("`spawn_local`") && text.contains("LocalSet"), "{text}");
}

#[test]
fn a_local_runtime_needs_no_set() {
    let runtime = LocalRuntime::new().unwrap();
    let shared = Rc::new(Cell::new(0));
    let first = runtime.spawn_local({
        let shared = shared.clone();
        async move { shared.set(shared.get() + 1) }
    });
    let outside = {
        let (_inside, shared) = (runtime.enter(), shared.clone());
        spawn_local(async move { shared.set(shared.get() + 10) })
    };
    runtime.block_on(async {
        first.await.unwrap();
        outside.await.unwrap();
        let inside = shared.clone();
        spawn_local(async move { inside.set(inside.get() + 100) }).await.unwrap();
        // Also from a task that could move.
        shinkan::spawn(async { drop(spawn_local(async {})) }).await.unwrap();
    });
    assert_eq!(shared.get(), 111);
}

#[test]
fn members_of_a_set_share_what_is_not_send() {
    let runtime = one_thread();
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let shared = Rc::new(Cell::new(0));
        let mut set = JoinSet::new();
        for n in 1..=3 {
            let shared = shared.clone();
            set.spawn_local(async move { shared.set(shared.get() + n) });
        }
        while set.join_next().await.is_some() {}
        assert_eq!(shared.get(), 6);
    });
    assert_ne!(local.id(), LocalSet::new().id());
    assert_ne!(local.id(), runtime.handle().id());
}

#[test]
fn a_local_runtime_hands_out_work_and_ends_early() {
    let local = || Builder::new_current_thread().name("local").build_local(Default::default());
    let runtime = local().unwrap();
    assert_eq!(runtime.handle().name(), Some("local"));
    let elsewhere = runtime.spawn_blocking(|| std::thread::current().id());
    assert_ne!(runtime.block_on(elsewhere).unwrap(), std::thread::current().id());
    // What is spawned through the handle comes from another thread, and runs here.
    let handle = runtime.handle().clone();
    let task = std::thread::spawn(move || handle.spawn(async { std::thread::current().id() }));
    let here = runtime.block_on(task.join().unwrap()).unwrap();
    assert_eq!(here, std::thread::current().id());

    // A closure that hangs does not hold the end up, and local tasks are dropped by it.
    let at_once = |runtime: LocalRuntime| runtime.shutdown_timeout(Duration::ZERO);
    for end in [LocalRuntime::shutdown_background, at_once] {
        let runtime = local().unwrap();
        let (release, hangs) = mpsc::channel::<()>();
        let (start, started) = mpsc::channel();
        let closure = runtime.spawn_blocking(move || {
            start.send(()).unwrap();
            let _ = hangs.recv();
        });
        started.recv().unwrap();
        let held = Rc::new(());
        let task = held.clone();
        let task = runtime.spawn_local(async move { drop(task) });
        end(runtime);
        assert_eq!(Rc::strong_count(&held), 1);
        assert!(task.is_finished() && !closure.is_finished());
        drop(release);
    }
}
