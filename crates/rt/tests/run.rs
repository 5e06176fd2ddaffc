//! Tasks run, wake each other, move between threads, and end with their runtime.

use shinkan_rt::{Builder, Runtime, block_in_place, spawn, spawn_blocking, yield_now};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

fn multi(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
}

fn current() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn sleep(duration: Duration) {
    let place = std::panic::Location::caller();
    let mut timer = Box::pin(shinkan_rt::Timer::after(duration));
    poll_fn(|cx| timer.as_mut().poll_elapsed(cx, place)).await;
}

#[test]
fn a_hundred_thousand_tasks_are_joined() {
    for runtime in [multi(3), current()] {
        let sum = runtime.block_on(async {
            let tasks: Vec<_> = (0..100_000u64).map(|i| spawn(async move { i })).collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, (0..100_000).sum());
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    }
}

#[test]
fn idle_workers_steal() {
    let runtime = multi(2);
    runtime.block_on(async {
        spawn(async {
            // Both tasks block until the other runs: one worker alone would never end.
            let barrier = Arc::new(Barrier::new(2));
            let tasks: Vec<_> = (0..2)
                .map(|_| {
                    let barrier = barrier.clone();
                    spawn(async move {
                        barrier.wait();
                        std::thread::current().id()
                    })
                })
                .collect();
            let mut ids = Vec::new();
            for task in tasks {
                ids.push(task.await.unwrap());
            }
            assert_ne!(ids[0], ids[1]);
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_wake_up_from_another_thread_arrives() {
    for runtime in [multi(2), current()] {
        let (send, receive) = mpsc::channel::<Waker>();
        let rung = Arc::new(AtomicBool::new(false));
        let its = rung.clone();
        let thread = std::thread::spawn(move || {
            let waker = receive.recv().unwrap();
            its.store(true, Ordering::SeqCst);
            waker.wake();
        });
        runtime.block_on(async move {
            spawn(poll_fn(move |cx| {
                if rung.load(Ordering::SeqCst) {
                    return Poll::Ready(());
                }
                let _ = send.send(cx.waker().clone());
                Poll::Pending
            }))
            .await
            .unwrap();
        });
        thread.join().unwrap();
    }
}

#[test]
fn no_sleep_ends_early_and_all_end() {
    for runtime in [multi(2), current()] {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..2_000u64)
                .map(|i| {
                    spawn(async move {
                        let duration = Duration::from_micros(i * 7 % 20_000);
                        let start = Instant::now();
                        sleep(duration).await;
                        assert!(start.elapsed() >= duration);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            let start = Instant::now();
            sleep(Duration::from_millis(5)).await;
            assert!(start.elapsed() >= Duration::from_millis(5));
        });
    }
}

#[test]
fn blocking_closures_give_their_values_and_panics() {
    for runtime in [multi(2), current()] {
        runtime.block_on(async {
            assert_eq!(spawn_blocking(|| 7).await.unwrap(), 7);
            let error = spawn_blocking(|| panic!("planned")).await.unwrap_err();
            assert!(error.is_panic());
        });
    }
}

#[test]
fn block_in_place_leaves_the_only_core_to_others() {
    let runtime = multi(1);
    runtime.block_on(async {
        spawn(async {
            let (send, receive) = mpsc::channel();
            let other = spawn(async move { send.send(5).unwrap() });
            // The only worker's thread blocks until another task has run.
            assert_eq!(block_in_place(|| receive.recv().unwrap()), 5);
            other.await.unwrap();
            yield_now().await;
        })
        .await
        .unwrap();
    });
}

#[test]
fn block_on_inside_block_in_place() {
    let runtime = multi(1);
    let handle = runtime.handle().clone();
    let task = runtime.spawn(async move {
        block_in_place(|| handle.block_on(async { spawn(async { 3 }).await.unwrap() }))
    });
    assert_eq!(runtime.block_on(task).unwrap(), 3);
}

#[test]
fn a_runtime_drops_its_tasks_with_it() {
    struct Count(Arc<AtomicUsize>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    for runtime in [multi(3), current()] {
        let dropped = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..1_000)
            .map(|i| {
                let count = Count(dropped.clone());
                runtime.spawn(async move {
                    let _count = count;
                    match i % 3 {
                        0 => std::future::pending::<()>().await,
                        1 => sleep(Duration::from_secs(3_600)).await,
                        _ => loop {
                            yield_now().await;
                        },
                    }
                })
            })
            .collect();
        drop(runtime);
        assert_eq!(dropped.load(Ordering::SeqCst), 1_000);
        let other = current();
        for task in tasks {
            assert!(other.block_on(task).unwrap_err().is_cancelled());
        }
    }
}

#[test]
fn spawning_on_an_ended_runtime_cancels() {
    let runtime = multi(1);
    let handle = runtime.handle().clone();
    drop(runtime);
    let task = handle.spawn(async {});
    let blocking = handle.spawn_blocking(|| ());
    let other = current();
    assert!(other.block_on(task).unwrap_err().is_cancelled());
    assert!(other.block_on(blocking).unwrap_err().is_cancelled());
}

#[test]
fn two_threads_inside_block_on_of_a_current_thread_runtime() {
    let runtime = Arc::new(current());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let runtime = runtime.clone();
            std::thread::spawn(move || {
                runtime.block_on(async {
                    for _ in 0..100 {
                        spawn(async { yield_now().await }).await.unwrap();
                        sleep(Duration::from_micros(10)).await;
                    }
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Waits until no thread of this process has the name, so that a leak checker at the program's end
/// does not meet one that is just ending.
fn wait_for_the_end_of(name: &str) {
    let lives = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        tasks.flatten().any(|task| {
            let comm = std::fs::read_to_string(task.path().join("comm"));
            comm.is_ok_and(|comm| comm.trim_end() == name)
        })
    };
    while lives() {
        std::thread::yield_now();
    }
}

fn named(name: &str) -> Runtime {
    Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build().unwrap()
}

#[test]
fn shutdown_timeout_leaves_a_stuck_closure_behind() {
    let runtime = named("left behind");
    let (release, wait) = mpsc::channel::<()>();
    let (started, running) = mpsc::channel();
    runtime.spawn_blocking(move || {
        started.send(()).unwrap();
        let _ = wait.recv();
    });
    running.recv().unwrap();
    runtime.shutdown_timeout(Duration::from_millis(10));
    drop(release);
    wait_for_the_end_of("left behind");
}

/// Two tasks without an end, each of which wakes itself, or the other one.
async fn two_without_end(polls: Arc<AtomicUsize>, wakes_itself: bool) {
    let wakers = Arc::new([Mutex::new(None), Mutex::new(None)]);
    for own in 0..2 {
        let (polls, wakers) = (polls.clone(), wakers.clone());
        spawn(poll_fn(move |cx| {
            polls.fetch_add(1, Ordering::SeqCst);
            *wakers[own].lock().unwrap() = Some(cx.waker().clone());
            let wakes = if wakes_itself { own } else { 1 - own };
            let waker: Option<Waker> = wakers[wakes].lock().unwrap().take();
            waker.into_iter().for_each(Waker::wake);
            Poll::<()>::Pending
        }));
    }
}

#[test]
fn a_worker_whose_tasks_are_always_ready_ends_though_it_looks_at_nothing_else() {
    for (wakes_itself, lifo, waits) in
        [(true, true, true), (true, false, false), (false, true, false), (false, false, true)]
    {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).event_interval(u32::MAX).global_queue_interval(u32::MAX);
        if !lifo {
            builder.disable_lifo_slot();
        }
        let runtime = builder.enable_all().no_seizing().build().unwrap();
        let polls = Arc::new(AtomicUsize::new(0));
        runtime.spawn(two_without_end(polls.clone(), wakes_itself));
        while polls.load(Ordering::SeqCst) < 1_000 {
            std::thread::yield_now();
        }
        match waits {
            true => runtime.shutdown_timeout(Duration::MAX),
            false => drop(runtime),
        }
        assert_eq!(Arc::strong_count(&polls), 1, "the tasks are gone");
    }
}

#[test]
fn shutdown_background_inside_a_task() {
    let inner = named("background");
    let outer = current();
    outer.block_on(async move { inner.shutdown_background() });
    wait_for_the_end_of("background");
}

#[test]
fn a_lone_yielder_lets_timers_and_the_outside_in() {
    for runtime in [multi(1), current()] {
        let stop = Arc::new(AtomicBool::new(false));
        let its = stop.clone();
        runtime.block_on(async move {
            let spinner = spawn(async move {
                while !its.load(Ordering::SeqCst) {
                    yield_now().await;
                }
            });
            sleep(Duration::from_millis(2)).await;
            spawn_blocking(move || stop.store(true, Ordering::SeqCst)).await.unwrap();
            spinner.await.unwrap();
        });
    }
}

#[test]
fn the_time_that_a_worker_is_busy_is_counted_without_a_sleep() {
    for runtime in [multi(2), current()] {
        let metrics = runtime.metrics();
        runtime.block_on(async {
            spawn(async {
                let start = Instant::now();
                while start.elapsed() < Duration::from_micros(10) {}
            })
            .await
            .unwrap();
        });
        drop(runtime);
        for worker in 0..metrics.num_workers() {
            assert!(metrics.worker_total_busy_duration(worker) > Duration::ZERO);
        }
    }
}

#[test]
fn who_blocks_on_a_handle_may_block_in_place_since_it_drives_no_tasks() {
    for runtime in [multi(1), current()] {
        let handle = runtime.handle().clone();
        let nested = handle.block_on(async {
            block_in_place(|| {
                runtime.handle().block_on(async {
                    yield_now().await;
                    4
                })
            })
        });
        assert_eq!(nested, 4);
    }
}
