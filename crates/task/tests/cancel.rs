//! Tasks that are aborted, shut down, or whose Runnable is dropped.

mod common;

use common::{Dropped, Gate, Runtime, output, poll};
use shinkan_task::{Registry, RunQueue, Stage};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

/// A task that has been polled once and waits for ever, with what tells its drop.
fn sleeper(
    rt: &Runtime,
) -> (
    std::sync::Arc<Gate>,
    std::sync::Arc<std::sync::atomic::AtomicUsize>,
    shinkan_task::JoinHandle<()>,
) {
    let gate = Gate::new();
    let (dropped, guard) = Dropped::new();
    let handle = rt.spawn({
        let gate = gate.clone();
        async move {
            let _guard = guard;
            gate.wait().await;
        }
    });
    rt.run();
    (gate, dropped, handle)
}

#[test]
fn an_idle_task_is_scheduled_to_be_cancelled() {
    let rt = Runtime::new();
    let (_gate, dropped, handle) = sleeper(&rt);
    let abort = handle.abort_handle();
    thread::spawn(move || abort.abort()).join().expect("abort does not panic");
    // The future is dropped where it runs, not in the aborter.
    assert_eq!((dropped.load(SeqCst), rt.0.queued()), (0, 1));
    assert!(!handle.is_finished());
    handle.abort();
    assert_eq!(rt.run(), 1);
    assert_eq!(dropped.load(SeqCst), 1);
    let error = output(handle).expect_err("it was aborted");
    assert!(error.is_cancelled() && !error.is_panic());
    assert_eq!(error.to_string(), format!("task {} was cancelled", error.id()));
    assert_eq!(format!("{error:?}"), format!("JoinError::Cancelled(Id({}))", error.id()));
    let io = std::io::Error::from(error.try_into_panic().expect_err("no panic"));
    assert_eq!(
        (io.kind(), io.to_string()),
        (std::io::ErrorKind::Other, "task was cancelled".into())
    );
}

#[test]
fn a_queued_task_is_cancelled_without_a_poll() {
    let rt = Runtime::new();
    let handle = rt.spawn(async { panic!("polled") });
    handle.abort();
    assert_eq!(rt.run(), 1);
    let error = output::<shinkan_task::JoinHandle<()>>(handle).expect_err("it was aborted");
    assert!(error.is_cancelled());
}

#[test]
fn a_task_that_has_ended_is_not_cancelled_any_more() {
    let rt = Runtime::new();
    let handle = rt.spawn(async { 1 });
    rt.run();
    handle.abort();
    handle.abort_handle().abort();
    assert_eq!(rt.0.queued(), 0);
    assert_eq!(output(handle).expect("ended by itself"), 1);
}

#[test]
fn cancel_while_polling_elsewhere() {
    for ends in [false, true] {
        let rt = Runtime::new();
        let (started_tx, started) = mpsc::channel();
        let (go, go_rx) = mpsc::channel::<()>();
        let (dropped, guard) = Dropped::new();
        let mut handle = rt.spawn(async move {
            let _guard = guard;
            std::future::poll_fn(move |_| {
                started_tx.send(()).expect("the test waits");
                go_rx.recv().expect("the test says when");
                if ends { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        });
        let worker = rt.clone();
        let worker = thread::spawn(move || worker.run());
        started.recv().expect("it is polled");
        handle.abort();
        assert!(poll(&mut handle, Waker::noop()).is_pending());
        assert_eq!(dropped.load(SeqCst), 0);
        go.send(()).expect("the task waits");
        worker.join().expect("the worker lives");
        assert_eq!(dropped.load(SeqCst), 1);
        // A task that ends by itself in that poll keeps its output.
        assert_eq!(output(handle).is_ok(), ends);
        assert!(rt.0.registry.is_empty());
    }
}

#[test]
fn a_task_aborts_itself() {
    let rt = Runtime::new();
    let (tx, rx) = mpsc::channel::<shinkan_task::AbortHandle>();
    let handle = rt.spawn(async move {
        rx.recv().expect("its own handle").abort();
        std::future::pending::<()>().await
    });
    tx.send(handle.abort_handle()).expect("the task lives");
    rt.run();
    assert!(output(handle).expect_err("aborted").is_cancelled());
}

#[test]
fn abort_from_many_threads_at_every_moment() {
    for round in 0..300 {
        let rt = Runtime::new();
        let (dropped, guard) = Dropped::new();
        let handle = rt.spawn(async move {
            let _guard = guard;
            for _ in 0..round % 7 {
                let mut first = true;
                std::future::poll_fn(|cx| match std::mem::take(&mut first) {
                    true => {
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    }
                    false => Poll::Ready(()),
                })
                .await;
            }
        });
        thread::scope(|scope| {
            for _ in 0..2 {
                let abort = handle.abort_handle();
                scope.spawn(move || abort.abort());
            }
            rt.run();
        });
        rt.run();
        assert_eq!(dropped.load(SeqCst), 1);
        if let Err(error) = output(handle) {
            assert!(error.is_cancelled());
        }
        assert!(rt.0.registry.is_empty());
    }
}

#[test]
fn registry_shutdown_ends_idle_and_queued_tasks_here() {
    let rt = Runtime::new();
    let (gate, idle_dropped, idle) = sleeper(&rt);
    let (queued_dropped, guard) = Dropped::new();
    let queued = rt.spawn(async move {
        let _guard = guard;
    });
    let ended = rt.spawn(async { 3 });
    // The last one is run first, so that it ends before the others are shut down.
    let first = rt.0.pop().expect("two are queued");
    rt.step();
    assert_eq!(rt.0.registry.len(), 2);

    rt.0.registry.close_and_shutdown();
    assert!(rt.0.registry.is_empty());
    assert_eq!((idle_dropped.load(SeqCst), queued_dropped.load(SeqCst)), (1, 1));
    assert!(output(idle).expect_err("shut down").is_cancelled());
    assert!(output(queued).expect_err("shut down").is_cancelled());
    assert_eq!(output(ended).expect("ended by itself"), 3);
    // The Runnable of the queued one is void.
    first.run();
    gate.open().expect("its waker is left").wake();
    assert_eq!(rt.0.queued(), 0);

    let (late_dropped, guard) = Dropped::new();
    let late = rt.spawn(async move { drop(guard) });
    assert_eq!(late_dropped.load(SeqCst), 1);
    assert!(output(late).expect_err("refused").is_cancelled());
}

#[test]
fn a_void_runnable_may_be_dropped_or_outlive_all() {
    for drop_last in [false, true] {
        let rt = Runtime::new();
        let handle = rt.spawn(async {});
        let void = rt.0.pop().expect("queued");
        rt.0.registry.close_and_shutdown();
        if drop_last {
            drop(handle);
            drop(void);
        } else {
            drop(void);
            assert!(output(handle).expect_err("shut down").is_cancelled());
        }
    }
}

#[test]
fn registry_shutdown_while_polling_elsewhere() {
    let rt = Runtime::new();
    let (started_tx, started) = mpsc::channel();
    let (go, go_rx) = mpsc::channel::<()>();
    let (dropped, guard) = Dropped::new();
    let handle = rt.spawn(async move {
        let _guard = guard;
        std::future::poll_fn(move |cx| {
            cx.waker().wake_by_ref();
            started_tx.send(()).expect("the test waits");
            go_rx.recv().expect("the test says when");
            Poll::<()>::Pending
        })
        .await;
    });
    let worker = rt.clone();
    let worker = thread::spawn(move || worker.run());
    started.recv().expect("it is polled");
    rt.0.registry.close_and_shutdown();
    assert_eq!(dropped.load(SeqCst), 0);
    go.send(()).expect("the task waits");
    // One poll: it was woken, but it is not queued again.
    assert_eq!(worker.join().expect("the worker lives"), 1);
    assert_eq!(dropped.load(SeqCst), 1);
    assert!(output(handle).expect_err("shut down").is_cancelled());
}

#[test]
fn a_dropped_runnable_cancels_its_task() {
    let rt = Runtime::new();
    let (_gate, dropped, handle) = sleeper(&rt);
    handle.abort_handle().abort();
    drop(rt.0.pop().expect("queued"));
    assert_eq!(dropped.load(SeqCst), 1);
    assert!(output(handle).expect_err("dropped").is_cancelled());
    assert!(rt.0.registry.is_empty());

    let fresh = rt.spawn(async {});
    rt.0.pop().expect("queued").cancel();
    assert!(output(fresh).expect_err("dropped").is_cancelled());
}

#[test]
fn a_queue_keeps_the_order_and_cancels_what_is_left() {
    let rt = Runtime::new();
    let (mut queue, mut other) = (RunQueue::new(), RunQueue::new());
    let mut handles = Vec::new();
    for i in 0..6 {
        let (runnable, _, handle) = rt.spawn_parts(async {});
        handles.push(handle);
        if i < 3 { queue.push_back(runnable) } else { other.push_back(runnable) }
    }
    queue.append(&mut RunQueue::new());
    queue.append(&mut other);
    assert!(other.is_empty());
    RunQueue::new().append(&mut queue.pop_front().map_or_else(RunQueue::new, |first| {
        assert_eq!(first.id(), handles[0].id());
        let mut queue = RunQueue::new();
        queue.push_back(first);
        queue
    }));
    assert_eq!(queue.len(), 5);
    for handle in &handles[1..3] {
        let next = queue.pop_front().expect("five are left");
        assert_eq!(next.id(), handle.id());
        next.run();
    }
    let mut empty = RunQueue::new();
    empty.append(&mut queue);
    assert_eq!((empty.len(), queue.len()), (3, 0));
    drop(empty);
    let ended: Vec<_> = handles.into_iter().map(|handle| output(handle).is_ok()).collect();
    assert_eq!(ended, [false, true, true, false, false, false]);
}

#[test]
fn a_registry_leaves_the_tasks_of_another_alone() {
    let rt = Runtime::new();
    let other = Registry::new(3);
    let (runnable, task, _handle) = rt.spawn_parts(async {});
    let (other_runnable, other_task, _other_handle) = rt.spawn_parts(async {});
    assert!(other.remove(&task).is_none());
    rt.0.registry.insert(task).expect("open");
    other.insert(other_task).expect("open");
    let mut removed = 0;
    rt.0.registry.for_each(&mut |task| {
        removed += usize::from(other.remove(task).is_some());
        assert_eq!(task.stage(), Stage::Queued);
        assert!(format!("{task:?}").contains("Queued"));
    });
    assert_eq!((removed, other.len(), rt.0.registry.len()), (0, 1, 1));
    runnable.run();
    // The scheduler asks its own registry, which does not have it.
    other_runnable.run();
    assert_eq!((other.len(), rt.0.registry.len()), (1, 0));
}
