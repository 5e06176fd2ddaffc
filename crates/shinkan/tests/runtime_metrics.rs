//! What a runtime counts of sockets, of budgets and of its blocking pool.

use shinkan::io::{AsyncReadExt, AsyncWriteExt};
use shinkan::net::{TcpListener, TcpStream};
use shinkan::runtime::{Builder, HistogramConfiguration, HistogramScale, Runtime, RuntimeMetrics};
use shinkan::sync::Notify;
use shinkan::task::yield_now;
use std::future::pending;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

fn runtimes() -> [Runtime; 2] {
    let multi = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    [multi.unwrap(), Builder::new_current_thread().enable_all().build().unwrap()]
}

#[test]
fn descriptors_are_counted_as_they_come_and_go() {
    for runtime in runtimes() {
        let metrics = runtime.metrics();
        assert_eq!(metrics.io_driver_fd_registered_count(), 0);
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (near, far) = shinkan::join!(TcpStream::connect(address), listener.accept());
            let (mut near, (mut far, _)) = (near.unwrap(), far.unwrap());
            near.write_all(b"x").await.unwrap();
            assert_eq!(far.read_u8().await.unwrap(), b'x');
            assert_eq!(metrics.io_driver_fd_registered_count(), 3);
            assert_eq!(metrics.io_driver_fd_deregistered_count(), 0);
        });
        assert_eq!(metrics.io_driver_fd_deregistered_count(), 3);
        assert!(metrics.io_driver_ready_count() > 0);
    }
}

#[test]
fn a_poll_that_used_its_budget_up_is_counted_once_for_its_runtime() {
    let [runtime, other] = runtimes();
    runtime.block_on(async {
        let uses_up = || async {
            for _ in 0..200 {
                shinkan::task::coop::consume_budget().await;
            }
        };
        shinkan::join!(uses_up(), uses_up());
    });
    // 400 units, 128 a poll.
    assert_eq!(runtime.metrics().budget_forced_yield_count(), 3);
    assert_eq!(other.metrics().budget_forced_yield_count(), 0);
}

#[test]
fn closures_wait_for_the_only_thread() {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let metrics = runtime.metrics();
    let (release, released) = mpsc::channel::<()>();
    let first = runtime.spawn_blocking(move || released.recv());
    let second = runtime.spawn_blocking(|| {});
    assert_eq!((metrics.num_blocking_threads(), metrics.blocking_queue_depth()), (1, 1));
    release.send(()).unwrap();
    runtime.block_on(async {
        first.await.unwrap().unwrap();
        second.await.unwrap();
    });
    assert_eq!(metrics.blocking_queue_depth(), 0);
    drop(runtime);
    assert_eq!((metrics.num_blocking_threads(), metrics.num_idle_blocking_threads()), (0, 0));
}

#[test]
#[allow(deprecated, reason = "the old names are kept, and must do the same")]
fn the_older_methods_shape_the_buckets_of_poll_times() {
    let ns = Duration::from_nanos;
    let runtime = Builder::new_current_thread()
        .enable_metrics_poll_time_histogram()
        .metrics_poll_count_histogram_scale(HistogramScale::Log)
        .metrics_poll_count_histogram_resolution(ns(1_000))
        .metrics_poll_count_histogram_buckets(3)
        .build()
        .unwrap();
    let metrics = runtime.metrics();
    let buckets = 0..metrics.poll_time_histogram_num_buckets();
    let ranges = buckets.map(|bucket| metrics.poll_time_histogram_bucket_range(bucket));
    let asked = [ns(0)..ns(1_024), ns(1_024)..ns(2_048), ns(2_048)..ns(u64::MAX)];
    assert_eq!(ranges.collect::<Vec<_>>(), asked);
}

#[test]
fn the_buckets_of_times_in_the_queue_are_those_that_were_asked_for() {
    let ms = Duration::from_millis;
    let runtime = Builder::new_current_thread()
        .enable_metrics_schedule_latency_histogram()
        .metrics_schedule_latency_histogram_configuration(HistogramConfiguration::linear(ms(2), 3))
        .build()
        .unwrap();
    let metrics = runtime.metrics();
    let buckets = 0..metrics.schedule_latency_histogram_num_buckets();
    let ranges = buckets.map(|bucket| metrics.schedule_latency_histogram_bucket_range(bucket));
    let asked = [ms(0)..ms(2), ms(2)..ms(4), ms(4)..Duration::from_nanos(u64::MAX)];
    assert_eq!(ranges.collect::<Vec<_>>(), asked);
}

#[test]
fn a_sleep_that_no_task_came_before_is_counted() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let metrics = runtime.metrics();
    let woken = Arc::new(Notify::new());
    let (sleeper, waker) = (metrics.clone(), woken.clone());
    let other = thread::spawn(move || {
        while sleeper.worker_park_count(0) == 0 {
            thread::yield_now();
        }
        waker.notify_one();
    });
    runtime.block_on(woken.notified());
    other.join().unwrap();
    assert_eq!(metrics.worker_noop_count(0), metrics.worker_park_count(0));

    // A task runs before each sleep from here on, and wakes what is inside `block_on`.
    let before = metrics.worker_noop_count(0);
    runtime.block_on(async { shinkan::spawn(yield_now()).await.unwrap() });
    assert_eq!(metrics.worker_noop_count(0), before);
}

#[test]
fn what_a_worker_takes_from_another_is_counted() {
    let mut builder = Builder::new_multi_thread();
    // A core that is taken from the stuck worker would bring its tasks along.
    let runtime = builder.worker_threads(2).stall_monitor(false).no_seizing().build().unwrap();
    let metrics = runtime.metrics();
    let task = runtime.spawn(async {
        let (ran, runs) = mpsc::channel();
        for _ in 0..4 {
            let ran = ran.clone();
            shinkan::spawn(async move { ran.send(()).unwrap() });
        }
        // Stuck until somebody else has run them all.
        (0..4).for_each(|_| runs.recv().unwrap());
    });
    runtime.block_on(task).unwrap();
    let all = |of: fn(&RuntimeMetrics, usize) -> u64| {
        (0..2).map(|worker| of(&metrics, worker)).sum::<u64>()
    };
    let tasks = all(RuntimeMetrics::worker_steal_count);
    let times = all(RuntimeMetrics::worker_steal_operations);
    assert!(tasks >= 4 && (1..=tasks).contains(&times), "{tasks} tasks, {times} times");
}

#[test]
fn the_mean_of_polls_follows_on_workers_alone() {
    let [multi, current] = runtimes();
    let metrics = multi.metrics();
    let mean = || metrics.worker_mean_poll_time(0).max(metrics.worker_mean_poll_time(1));
    // It is brought up to date when a worker goes to sleep.
    while mean().is_zero() {
        multi.block_on(multi.spawn(yield_now())).unwrap();
    }
    current.block_on(current.spawn(yield_now())).unwrap();
    assert_eq!(current.metrics().worker_mean_poll_time(0), Duration::ZERO);
}

#[test]
#[allow(deprecated, reason = "the old names are kept, and must do the same")]
fn tasks_that_live_are_counted_under_both_names() {
    for runtime in runtimes() {
        let metrics = runtime.metrics();
        let task = runtime.spawn(pending::<()>());
        assert_eq!((metrics.active_tasks_count(), metrics.num_alive_tasks()), (1, 1));
        task.abort();
        runtime.block_on(task).unwrap_err();
        assert_eq!((metrics.active_tasks_count(), metrics.num_alive_tasks()), (0, 0));
    }
}
