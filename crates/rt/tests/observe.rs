//! Hooks, histograms and counters tell what happened; policies do what they say.

use shinkan_rt::local::{LocalOptions, LocalSet, spawn_local};
use shinkan_rt::{
    Builder, HistogramConfiguration, LogHistogram, RngSeed, Runtime, TaskMeta, UnhandledPanic,
    spawn, yield_now,
};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::time::Duration;

fn builders() -> [Builder; 2] {
    let mut multi = Builder::new_multi_thread();
    multi.worker_threads(2);
    [multi, Builder::new_current_thread()]
}

/// A hook that counts its calls.
fn counting(count: &Arc<AtomicUsize>) -> impl Fn(&TaskMeta<'_>) + Send + Sync + use<> {
    let count = count.clone();
    move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Clone, Default)]
struct Hooked {
    spawned: Arc<AtomicUsize>,
    before: Arc<AtomicUsize>,
    after: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

impl Hooked {
    fn on(&self, builder: &mut Builder) {
        builder
            .on_task_spawn(counting(&self.spawned))
            .on_before_task_poll(counting(&self.before))
            .on_after_task_poll(counting(&self.after))
            .on_task_terminate(counting(&self.ended));
    }

    fn counts(&self) -> [usize; 4] {
        let count = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        [count(&self.spawned), count(&self.before), count(&self.after), count(&self.ended)]
    }
}

async fn ends_in_all_ways() {
    spawn(yield_now()).await.unwrap();
    spawn(async { panic!("on purpose") }).await.unwrap_err();
    let waits = spawn(pending::<()>());
    waits.abort();
    waits.await.unwrap_err();
}

#[test]
fn hooks_see_each_spawn_poll_and_end() {
    for mut builder in builders() {
        let hooked = Hooked::default();
        hooked.on(&mut builder);
        let runtime = builder.build().unwrap();
        runtime.block_on(ends_in_all_ways());
        let left = runtime.spawn(pending::<()>());
        drop(runtime);
        drop(left);
        let [spawned, before, after, ended] = hooked.counts();
        assert_eq!((spawned, ended), (4, 4));
        assert_eq!(before, after);
        // Two polls of the first, one of the second; the others may be cancelled before a poll.
        assert!(before >= 3, "{before}");
    }
}

#[test]
fn hooks_of_a_local_runtime_see_its_local_tasks() {
    let hooked = Hooked::default();
    let mut builder = Builder::new_current_thread();
    hooked.on(&mut builder);
    let runtime = builder.build_local(LocalOptions::default()).unwrap();
    runtime.block_on(async { spawn_local(yield_now()).await.unwrap() });
    assert_eq!(hooked.counts(), [1, 2, 2, 1]);
    let metrics = runtime.metrics();
    assert_eq!((metrics.spawned_tasks_count(), metrics.worker_poll_count(0)), (1, 2));
    assert_eq!(metrics.num_alive_tasks(), 0);
    runtime.spawn_local(pending::<()>());
    assert_eq!(metrics.num_alive_tasks(), 1);
    drop(runtime);
    assert_eq!(hooked.counts()[3], 2);
}

#[test]
fn hooks_are_told_name_place_and_number() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let seen = seen.clone();
        move |task: &TaskMeta<'_>| {
            let name = task.name().map(String::from);
            seen.lock().unwrap().push((what, task.id(), task.spawned_at(), name));
        }
    };
    let runtime = Builder::new_current_thread()
        .on_task_spawn(note("spawn"))
        .on_before_task_poll(note("before"))
        .on_after_task_poll(note("after"))
        .on_task_terminate(note("end"))
        .build()
        .unwrap();
    let place = Location::caller();
    let task = runtime.handle().spawn_named_at(async {}, Some("worker bee"), place);
    let id = task.id();
    runtime.block_on(task).unwrap();
    let name = Some(String::from("worker bee"));
    let expected = ["spawn", "before", "end", "after"].map(|what| (what, id, place, name.clone()));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn panics_of_hooks_around_polls_change_nothing() {
    for mut builder in builders() {
        let runtime = builder
            .on_before_task_poll(|_| panic!("before"))
            .on_after_task_poll(|_| panic!("after"))
            .on_task_terminate(|_| panic!("end"))
            .build()
            .unwrap();
        assert_eq!(runtime.block_on(runtime.spawn(async { 7 })).unwrap(), 7);
    }
}

#[test]
fn the_time_in_the_queue_is_told() {
    for mut builder in builders() {
        let told = Arc::new(AtomicUsize::new(0));
        let count = told.clone();
        let runtime = builder
            .enable_metrics_schedule_latency_histogram()
            .on_task_spawn(|task| assert_eq!(task.schedule_latency(), None))
            .on_before_task_poll(move |task| {
                count.fetch_add(usize::from(task.schedule_latency().is_some()), Ordering::SeqCst);
            })
            .build()
            .unwrap();
        let metrics = runtime.metrics();
        runtime.block_on(async { spawn(yield_now()).await.unwrap() });
        drop(runtime);
        assert_eq!(told.load(Ordering::SeqCst), 2);
        let buckets = metrics.schedule_latency_histogram_num_buckets();
        let count =
            |worker, bucket| metrics.schedule_latency_histogram_bucket_count(worker, bucket);
        let workers = 0..metrics.num_workers();
        let all = workers.flat_map(|worker| (0..buckets).map(move |bucket| (worker, bucket)));
        assert_eq!(all.map(|(worker, bucket)| count(worker, bucket)).sum::<u64>(), 2);
    }
}

#[test]
fn without_being_asked_nothing_is_measured() {
    let runtime = Builder::new_current_thread()
        .metrics_poll_time_histogram_configuration(HistogramConfiguration::log(
            LogHistogram::default(),
        ))
        .on_before_task_poll(|task| assert_eq!(task.schedule_latency(), None))
        .build()
        .unwrap();
    runtime.block_on(runtime.spawn(async {})).unwrap();
    let metrics = runtime.metrics();
    assert!(
        !metrics.poll_time_histogram_enabled() && !metrics.schedule_latency_histogram_enabled()
    );
    assert_eq!(metrics.poll_time_histogram_num_buckets(), 0);
    assert_eq!(metrics.poll_time_histogram_bucket_range(3), Duration::ZERO..Duration::ZERO);
    assert_eq!(metrics.poll_time_histogram_bucket_count(0, 3), 0);
}

#[test]
fn numbers_of_workers_and_buckets_that_do_not_exist_are_refused() {
    let runtime = Builder::new_current_thread().enable_metrics_poll_time_histogram().build();
    let metrics = runtime.unwrap().metrics();
    let message = |f: &dyn Fn()| {
        let panic = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
        *panic.downcast::<String>().expect("a message")
    };
    let text = message(&|| {
        let _ = metrics.worker_poll_count(1);
    });
    assert!(text.contains("there is no worker 1"), "{text}");
    let text = message(&|| {
        let _ = metrics.worker_local_queue_depth(1);
    });
    assert!(text.contains("there is no worker 1"), "{text}");
    let text = message(&|| {
        let _ = metrics.poll_time_histogram_bucket_count(0, 10);
    });
    assert!(text.contains("there is no bucket 10"), "{text}");
    let text = message(&|| {
        let _ = metrics.poll_time_histogram_bucket_range(10);
    });
    assert!(text.contains("there is no bucket 10"), "{text}");
}

#[test]
fn counters_count() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let metrics = runtime.metrics();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..5).map(|_| spawn(async {})).collect();
        assert_eq!(metrics.worker_local_queue_depth(0), 5);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(metrics.worker_local_queue_depth(0), 0);
    });
    assert_eq!(metrics.worker_thread_id(0), Some(std::thread::current().id()));
    assert_eq!(metrics.spawned_tasks_count(), 5);
    assert_eq!((metrics.worker_poll_count(0), metrics.worker_local_schedule_count(0)), (5, 5));
    assert_eq!(metrics.remote_schedule_count(), 0);
    assert_eq!(metrics.worker_overflow_count(0), 0);
    let handle = runtime.handle().clone();
    let task = std::thread::spawn(move || handle.spawn(async {})).join().unwrap();
    runtime.block_on(task).unwrap();
    assert_eq!(metrics.remote_schedule_count(), 1);
}

#[test]
fn a_full_queue_is_counted_for_its_worker() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let metrics = runtime.metrics();
    let overflows = runtime.block_on(runtime.spawn(async move {
        let tasks: Vec<_> = (0..300).map(|_| spawn(async {})).collect();
        let overflows = metrics.worker_overflow_count(0);
        drop(tasks);
        overflows
    }));
    // Where the worker loses its core meanwhile, what it spawns goes elsewhere.
    let seized = runtime.metrics().seizure_count() > 0;
    assert!(overflows.unwrap() == 1 || seized);
}

/// Draws what a program may draw.
async fn drawn() -> Vec<u32> {
    (0..20).map(|_| shinkan_context::random_below(1_000)).collect()
}

#[test]
fn the_same_seed_draws_the_same_numbers() {
    let drawn_under = |seed: &[u8]| {
        let seed = RngSeed::from_bytes(seed);
        let runtime = Builder::new_current_thread().rng_seed(seed).build().unwrap();
        runtime.block_on(async { (drawn().await, spawn(drawn()).await.unwrap()) })
    };
    let before = drawn_under(b"one");
    assert_eq!(before, drawn_under(b"one"));
    assert_ne!(before, drawn_under(b"other"));
    assert_ne!(before.0, before.1);
}

#[test]
fn a_worker_draws_the_same_whoever_starts_first() {
    let drawn_by_worker = |main_first: bool| {
        let mut builder = Builder::new_multi_thread();
        let seed = RngSeed::from_bytes(b"one");
        let runtime = builder.worker_threads(1).no_seizing().rng_seed(seed).build().unwrap();
        if main_first {
            runtime.block_on(drawn());
        }
        runtime.block_on(runtime.spawn(drawn())).unwrap()
    };
    assert_eq!(drawn_by_worker(true), drawn_by_worker(false));
}

fn told_of_the_panic(f: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a message");
    assert!(text.starts_with("a spawned task panicked and the "), "{text}");
}

fn ending(mut builder: Builder) -> Runtime {
    builder.unhandled_panic(UnhandledPanic::ShutdownRuntime).build().unwrap()
}

#[test]
fn a_panic_ends_a_runtime_that_was_built_so() {
    for builder in builders() {
        let runtime = ending(builder);
        let dropped = Arc::new(AtomicBool::new(false));
        let bomb = OnDrop(dropped.clone());
        let (started, starts) = mpsc::channel();
        let other = runtime.spawn(async move {
            let _bomb = bomb;
            started.send(()).unwrap();
            pending::<()>().await
        });
        told_of_the_panic(|| {
            runtime.block_on(async {
                yield_now().await;
                let panics = spawn(async { panic!("on purpose") });
                let _ = panics.await;
                pending::<()>().await;
            })
        });
        told_of_the_panic(|| runtime.block_on(pending::<()>()));
        let late = runtime.spawn(async {});
        drop(runtime);
        assert!(dropped.load(Ordering::SeqCst) && other.is_finished() && late.is_finished());
        drop(starts);
    }
}

/// With one thread that runs tasks: what it queues stays in its order.
fn builders_of_one_thread() -> [Builder; 3] {
    let mut lifo = Builder::new_multi_thread();
    lifo.worker_threads(1).no_seizing();
    let mut fifo = Builder::new_multi_thread();
    fifo.worker_threads(1).no_seizing().disable_lifo_slot();
    [lifo, fifo, Builder::new_current_thread()]
}

#[test]
fn no_task_behind_the_one_that_panics_is_polled() {
    for builder in builders_of_one_thread() {
        let runtime = ending(builder);
        let polls = Arc::new(AtomicUsize::new(0));
        let (behind, queued) = mpsc::channel();
        let its = polls.clone();
        let panics = runtime.spawn(async move {
            for _ in 0..50 {
                let polls = its.clone();
                let counts = spawn(async move { polls.fetch_add(1, Ordering::SeqCst) });
                behind.send(counts).unwrap();
            }
            panic!("on purpose");
        });
        told_of_the_panic(|| runtime.block_on(pending::<()>()));
        drop(runtime);
        let outside = Builder::new_current_thread().build().unwrap();
        let mut cancelled = 0;
        for task in queued {
            cancelled += u32::from(outside.block_on(task).is_err_and(|error| error.is_cancelled()));
        }
        assert_eq!((polls.load(Ordering::SeqCst), cancelled), (0, 50));
        assert!(outside.block_on(panics).unwrap_err().is_panic());
    }
}

struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn threads_that_wait_beside_the_workers_are_told_of_the_panic() {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1);
    let runtime = ending(builder);
    let waiting = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                told_of_the_panic(|| {
                    runtime.block_on(poll_fn(|_| {
                        waiting.fetch_add(1, Ordering::SeqCst);
                        Poll::<()>::Pending
                    }))
                });
            });
        }
        while waiting.load(Ordering::SeqCst) < 3 {
            std::thread::yield_now();
        }
        runtime.spawn(async { panic!("on purpose") });
    });
}

#[test]
fn a_panic_ends_a_set_that_was_told_so() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut local = LocalSet::new();
    local.unhandled_panic(UnhandledPanic::ShutdownRuntime);
    let dropped = Arc::new(AtomicBool::new(false));
    let bomb = OnDrop(dropped.clone());
    told_of_the_panic(|| {
        local.block_on(&runtime, async {
            spawn_local(async move {
                let _bomb = bomb;
                pending::<()>().await
            });
            spawn_local(async { panic!("on purpose") });
            pending::<()>().await
        })
    });
    assert!(dropped.load(Ordering::SeqCst));
    assert!(local.spawn_local(async {}).is_finished());
    told_of_the_panic(|| local.block_on(&runtime, pending::<()>()));
}

#[test]
fn a_panic_ends_a_local_runtime_that_was_built_so() {
    let mut builder = Builder::new_current_thread();
    builder.unhandled_panic(UnhandledPanic::ShutdownRuntime);
    let runtime = builder.build_local(LocalOptions::default()).unwrap();
    told_of_the_panic(|| {
        runtime.block_on(async {
            spawn_local(async { panic!("on purpose") });
            pending::<()>().await
        })
    });
}
