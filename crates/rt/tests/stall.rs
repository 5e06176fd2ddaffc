//! Polls that are stuck, and that the others go on. Each test would hang where they do not, or waits
//! for what the monitor says.

mod support;

use shinkan_rt::{Builder, Runtime, StallIn, StallKind};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use support::watched;

/// Computes until told to stop.
fn spin(stop: &AtomicBool) {
    let mut x = 1_u64;
    while !stop.load(Ordering::Relaxed) {
        x = std::hint::black_box(x.wrapping_mul(3));
    }
}

#[test]
fn tasks_that_block_every_worker_do_not_stop_the_one_that_ends_them() {
    let (runtime, stalled) = watched(2, |_| {});
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    // The second one waits for the lock, the first in the channel: both are stuck in the kernel.
    let stuck: Vec<_> = (0..2)
        .map(|_| {
            let released = released.clone();
            runtime.spawn(async move { released.lock().unwrap().recv().unwrap() })
        })
        .collect();
    let first = stalled.recv().unwrap();
    let second = stalled.recv().unwrap();
    let ends = runtime.spawn(async move {
        shinkan_rt::yield_now().await;
        for _ in 0..2 {
            release.send(()).unwrap();
        }
    });
    runtime.block_on(async {
        ends.await.unwrap();
        for task in stuck {
            task.await.unwrap();
        }
    });
    assert_ne!(first.task, second.task);
    for stall in [first, second] {
        assert!(stall.moved && stall.kind == StallKind::Blocked, "{stall}");
        assert!(stall.duration >= Duration::from_millis(10), "{stall}");
    }
}

#[test]
fn a_task_that_computes_without_end_does_not_stop_the_one_that_ends_it() {
    let (runtime, stalled) = watched(1, |_| {});
    let stop = Arc::new(AtomicBool::new(false));
    let its = stop.clone();
    let computes = runtime.spawn(async move { spin(&its) });
    let ends = runtime.spawn(async move { stop.store(true, Ordering::Relaxed) });
    runtime.block_on(async {
        ends.await.unwrap();
        computes.await.unwrap();
    });
    assert_eq!(stalled.recv().unwrap().kind, StallKind::Computing);
}

#[test]
fn the_report_says_which_task_and_where_it_was_spawned() {
    let (runtime, stalled) = watched(1, |_| {});
    let (release, released) = mpsc::channel::<()>();
    let (task, line) = (runtime.spawn(async move { released.recv() }), line!());
    let stall = stalled.recv().unwrap();
    assert_eq!(stall.task, Some(task.id()));
    let place: &Location<'_> = stall.spawned_at.unwrap();
    assert_eq!((place.file(), place.line()), (file!(), line));
    assert_eq!((stall.runtime.as_deref(), stall.worker), (Some("watched"), 0));
    let text = stall.to_string();
    let start = format!("task {}, spawned at {place}, has blocked worker 0", task.id());
    assert!(text.starts_with(&start) && text.contains("`spawn_blocking`"), "{text}");
    release.send(()).unwrap();
    runtime.block_on(task).unwrap().unwrap();
}

#[test]
fn a_task_with_a_name_is_told_with_its_place_each_time_and_its_name_when_it_is_due() {
    let (runtime, stalled) = watched(1, |_| {});
    let place = Location::caller();
    for nth in 0..2 {
        let (release, released) = mpsc::channel::<()>();
        let future = async move { released.recv() };
        let task = runtime.handle().spawn_named_at(future, Some("slow"), place);
        let stall = stalled.recv().unwrap();
        assert_eq!((stall.polled, stall.task), (StallIn::Task, Some(task.id())));
        assert_eq!(stall.spawned_at, Some(place));
        assert_eq!(stall.name.as_deref(), (nth == 0).then_some("slow"));
        release.send(()).unwrap();
        runtime.block_on(task).unwrap().unwrap();
    }
}

#[test]
fn a_task_whose_end_is_stuck_is_told_with_its_place() {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let (runtime, stalled) = watched(1, |builder| {
        builder.on_task_terminate(move |_| {
            let _ = released.lock().unwrap().recv();
        });
    });
    let (task, line) = (runtime.spawn(async {}), line!());
    let stall = stalled.recv().unwrap();
    assert_eq!((stall.polled, stall.task), (StallIn::Task, Some(task.id())));
    assert_eq!(stall.spawned_at.map(Location::line), Some(line));
    drop(release);
    runtime.block_on(task).unwrap();
}

#[test]
fn a_poll_that_keeps_waking_others_is_found() {
    let (runtime, stalled) = watched(1, |_| {});
    let stop = Arc::new(AtomicBool::new(false));
    let its_stop = stop.clone();
    // Often inside: each spawn queues a task.
    let wakes = runtime.spawn(async move {
        let mut spawned = 0;
        while !its_stop.load(Ordering::Relaxed) {
            if spawned < 200_000 {
                drop(shinkan_rt::spawn(async {}));
                spawned += 1;
            }
        }
    });
    assert_eq!(stalled.recv().unwrap().task, Some(wakes.id()));
    stop.store(true, Ordering::Relaxed);
    runtime.block_on(wakes).unwrap();
}

#[test]
fn a_waker_that_is_stuck_is_no_task() {
    struct Stuck(Mutex<mpsc::Receiver<()>>);
    impl std::task::Wake for Stuck {
        fn wake(self: Arc<Self>) {
            self.0.lock().unwrap().recv().unwrap();
        }
    }
    let (runtime, stalled) = watched(1, |_| {});
    let (release, released) = mpsc::channel::<()>();
    let waker = std::task::Waker::from(Arc::new(Stuck(Mutex::new(released))));
    let _entered = runtime.enter();
    let mut cx = std::task::Context::from_waker(&waker);
    let mut after = Duration::from_millis(2);
    let _timer = loop {
        let mut timer = Box::pin(shinkan_rt::Timer::new(shinkan_rt::now() + after));
        if timer.as_mut().poll_elapsed(&mut cx, Location::caller()).is_pending() {
            break timer;
        }
        after *= 2;
    };
    let stall = stalled.recv().unwrap();
    assert_eq!((stall.task, stall.spawned_at, stall.moved), (None, None, true), "{stall}");
    release.send(()).unwrap();
    runtime.block_on(runtime.spawn(async {})).unwrap();
}

#[test]
fn a_ceiling_of_none_leaves_the_core_where_it_is_and_says_so() {
    let (runtime, stalled) = watched(1, |builder| {
        builder.stall_threads(0);
    });
    let (release, released) = mpsc::channel::<()>();
    let task = runtime.spawn(async move { released.recv() });
    let stall = stalled.recv().unwrap();
    assert!(!stall.moved, "{stall}");
    assert_eq!(runtime.metrics().seizure_count(), 0);
    release.send(()).unwrap();
    runtime.block_on(task).unwrap().unwrap();
}

#[test]
fn a_ceiling_that_is_reached_is_held_and_moves_on_when_a_thread_comes_back() {
    let (runtime, _stalled) = watched(1, |builder| {
        builder.stall_threads(2);
    });
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (begun, ended, released) = (begun.clone(), ended.clone(), released.clone());
            runtime.spawn(async move {
                begun.fetch_add(1, Ordering::SeqCst);
                let _ = released.lock().unwrap().recv();
                ended.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    // Two that are stuck elsewhere, and a third that keeps its worker.
    for out in 0..12 {
        while begun.load(Ordering::SeqCst) < 12.min(out + 3) {
            std::thread::yield_now();
        }
        assert!(begun.load(Ordering::SeqCst) <= out + 3, "too many threads are stuck at once");
        release.send(()).unwrap();
        while ended.load(Ordering::SeqCst) <= out {
            std::thread::yield_now();
        }
    }
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_runtime_that_ends_while_a_poll_is_stuck_waits_for_it() {
    let (runtime, stalled) = watched(2, |_| {});
    let (release, released) = mpsc::channel::<()>();
    let ended = Arc::new(AtomicBool::new(false));
    let its = ended.clone();
    runtime.spawn(async move {
        released.recv().unwrap();
        its.store(true, Ordering::SeqCst);
    });
    assert!(stalled.recv().unwrap().moved);
    let helper = std::thread::spawn(move || release.send(()).unwrap());
    drop(runtime);
    assert!(ended.load(Ordering::SeqCst));
    helper.join().unwrap();
}

#[test]
fn a_hook_may_end_the_runtime() {
    let slot: Arc<Mutex<Option<Runtime>>> = Arc::default();
    let (its, (told, tells)) = (slot.clone(), mpsc::channel());
    let (release, released) = mpsc::channel::<()>();
    let release = Mutex::new(Some(release));
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).no_seizing().stall_report(false).on_stall(move |_| {
        if let Some(runtime) = its.lock().unwrap().take() {
            runtime.shutdown_background();
        }
        drop(release.lock().unwrap().take());
        let _ = told.send(());
    });
    *slot.lock().unwrap() = Some(builder.build().unwrap());
    let task = slot.lock().unwrap().as_ref().unwrap().spawn(async move {
        let _ = released.recv();
    });
    tells.recv().unwrap();
    while !task.is_finished() {
        std::thread::yield_now();
    }
}

#[test]
fn polls_that_end_in_time_are_not_touched() {
    let (runtime, stalled) = watched(2, |builder| {
        builder.stall_threshold(Duration::from_secs(5));
    });
    runtime.block_on(async {
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                shinkan_rt::spawn(async {
                    for _ in 0..100 {
                        shinkan_rt::yield_now().await;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(runtime.metrics().seizure_count(), 0);
    drop(runtime);
    assert!(stalled.recv().is_err(), "the hook is gone, and said nothing");
}

#[test]
#[should_panic(expected = "at least 1 ms")]
fn a_threshold_of_nothing_is_refused() {
    Builder::new_multi_thread().stall_threshold(Duration::ZERO);
}

#[test]
fn a_name_that_panics_ends_neither_the_monitor_nor_the_runtime() {
    let panics = Arc::new(AtomicBool::new(false));
    let (its, tried) = (panics.clone(), Arc::new(AtomicUsize::new(0)));
    let tries = tried.clone();
    let (runtime, stalled) = watched(1, |builder| {
        builder.thread_name_fn(move || {
            if its.load(Ordering::SeqCst) {
                tries.fetch_add(1, Ordering::SeqCst);
                panic!("no name for a thread");
            }
            "named".into()
        });
    });
    panics.store(true, Ordering::SeqCst);
    let (release, released) = mpsc::channel::<()>();
    let task = runtime.spawn(async move { released.recv() });
    while tried.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    release.send(()).unwrap();
    runtime.block_on(task).unwrap().unwrap();
    drop(runtime);
    assert!(stalled.recv().is_err(), "nothing was moved");

    let (another, stalled) = watched(1, |_| {});
    let (release, released) = mpsc::channel::<()>();
    let task = another.spawn(async move { released.recv() });
    assert!(stalled.recv().unwrap().moved, "the monitor lives");
    release.send(()).unwrap();
    another.block_on(task).unwrap().unwrap();
}

#[test]
fn a_name_that_drops_its_runtime_hangs_neither_the_monitor_nor_the_runtime() {
    let mine = Arc::new(Mutex::new(None::<Runtime>));
    let (release, released) = mpsc::channel::<()>();
    let (its, release) = (mine.clone(), Mutex::new(Some(release)));
    let (runtime, stalled) = watched(1, |builder| {
        builder.thread_name_fn(move || {
            let runtime = its.lock().unwrap().take();
            if runtime.is_some() {
                // The end waits for the one poll.
                drop(release.lock().unwrap().take());
            }
            drop(runtime);
            "named".into()
        });
    });
    let handle = runtime.handle().clone();
    *mine.lock().unwrap() = Some(runtime);
    let task = handle.spawn(async move { released.recv() });
    while !task.is_finished() {
        std::thread::yield_now();
    }
    drop((task, handle));
    assert!(stalled.recv().is_err(), "nothing was moved, and the runtime is gone");

    let (another, stalled) = watched(1, |_| {});
    let (release, released) = mpsc::channel::<()>();
    let task = another.spawn(async move { released.recv() });
    assert!(stalled.recv().unwrap().moved, "the monitor lives");
    drop(release);
    assert!(another.block_on(task).unwrap().is_err());
}

#[test]
fn a_runtime_that_ends_does_not_wait_for_a_hook_that_hangs() {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let (told, tells) = mpsc::channel();
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).no_seizing().stall_report(false).on_stall(move |_| {
        let _ = told.send(());
        let _ = released.lock().unwrap().recv();
    });
    let runtime = builder.build().unwrap();
    let (end, ends) = mpsc::channel::<()>();
    runtime.spawn(async move { ends.recv() });
    tells.recv().unwrap();
    drop(end);
    drop(runtime);
    drop(release);
}

#[test]
fn a_poll_that_computes_and_then_blocks_moves_on_though_another_computes_for_long() {
    let (runtime, stalled) = watched(1, |_| {});
    let stop = Arc::new(AtomicBool::new(false));
    let its = stop.clone();
    let computes = runtime.spawn(async move { spin(&its) });
    assert_eq!(stalled.recv().unwrap().kind, StallKind::Computing);
    let (release, released) = mpsc::channel::<()>();
    let both = runtime.spawn(async move {
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(60) {
            std::hint::spin_loop();
        }
        released.recv()
    });
    // One computes and may be all that may: the second moves on once it blocks.
    runtime.block_on(runtime.spawn(async move { release.send(()) })).unwrap().unwrap();
    stop.store(true, Ordering::Relaxed);
    runtime.block_on(async { (computes.await.unwrap(), both.await.unwrap().unwrap()) });
}
