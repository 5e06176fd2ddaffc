//! Faults: what the operating system refuses, what user code does wrong, and that the runtime and
//! all others go on.

use shinkan_rt::{Builder, Handle, Runtime, block_in_place, spawn, yield_now};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

fn multi(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
}

fn current() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().map(|text| text.to_string()).unwrap(),
    }
}

/// A stack that no address space holds: the system starts no such thread.
const TOO_LARGE: usize = 1 << 56;

#[test]
fn a_runtime_whose_workers_cannot_start_is_an_error() {
    let error = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(TOO_LARGE)
        .enable_all()
        .build()
        .unwrap_err();
    assert!(error.raw_os_error().is_some(), "{error}");
}

#[test]
fn a_blocking_closure_without_a_thread_is_the_callers_panic_and_the_runtime_goes_on() {
    let runtime =
        Builder::new_current_thread().thread_stack_size(TOO_LARGE).enable_all().build().unwrap();
    let refused = catch_unwind(AssertUnwindSafe(|| runtime.spawn_blocking(|| ())));
    assert!(message(refused.unwrap_err()).contains("`spawn_blocking`"));
    assert_eq!(runtime.block_on(async { spawn(async { 4 }).await.unwrap() }), 4);
}

#[test]
fn a_panic_in_a_task_hurts_nobody_else() {
    for runtime in [multi(1), current()] {
        runtime.block_on(async {
            let bad = spawn(async { panic!("planned") });
            let good = spawn(async { 1 });
            assert!(bad.await.unwrap_err().is_panic());
            assert_eq!(good.await.unwrap(), 1);
        });
    }
}

#[test]
fn a_panic_in_the_drop_of_a_future_hurts_nobody_else() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("planned: in a drop");
        }
    }
    for runtime in [multi(1), current()] {
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                runtime.spawn(async {
                    let _bomb = Bomb;
                    pending::<()>().await;
                })
            })
            .collect();
        runtime.block_on(async {
            yield_now().await;
            tasks[0].abort();
            spawn(async {}).await.unwrap();
        });
        // The others' futures panic while the runtime drops them.
        drop(runtime);
        let other = current();
        for task in tasks {
            assert!(other.block_on(task).is_err());
        }
    }
}

#[test]
fn a_panic_in_a_foreign_waker_leaves_the_worker_alive() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("planned: in a waker");
        }
    }
    for runtime in [multi(1), current()] {
        let handle = runtime.handle().clone();
        let place = std::panic::Location::caller();
        let mut timer = {
            let _within = handle.enter();
            Box::pin(shinkan_rt::Timer::after(Duration::from_millis(1)))
        };
        let bomb = Waker::from(Arc::new(Bomb));
        assert!(timer.as_mut().poll_elapsed(&mut Context::from_waker(&bomb), place).is_pending());
        runtime.block_on(async move {
            // Ends after the bomb went off in the driver's hands.
            poll_fn(|cx| timer.as_mut().poll_elapsed(cx, place)).await;
            let mut own = Box::pin(shinkan_rt::Timer::after(Duration::from_millis(2)));
            poll_fn(|cx| own.as_mut().poll_elapsed(cx, place)).await;
            assert_eq!(spawn(async { 2 }).await.unwrap(), 2);
        });
    }
}

#[test]
fn nested_block_on_names_call_and_remedy() {
    for runtime in [multi(1), current()] {
        let handle = runtime.handle().clone();
        let task = runtime.spawn(async move { handle.block_on(async {}) });
        let error = runtime.block_on(task).unwrap_err();
        let text = message(error.into_panic());
        assert!(text.contains("`block_on`") && text.contains("spawn_blocking"), "{text}");
    }
}

#[test]
fn calls_outside_a_runtime_name_the_remedy() {
    for panicked in [
        catch_unwind(|| drop(spawn(async {}))),
        catch_unwind(|| drop(Handle::current())),
        catch_unwind(|| drop(shinkan_rt::Timer::after(Duration::ZERO))),
    ] {
        let text = message(panicked.unwrap_err());
        assert!(text.contains("no reactor running") && text.contains("block_on"), "{text}");
        // Where one is entered all the same, the program has two runtimes.
        assert!(text.contains("two runtimes") && text.contains("cargo xtask doctor"), "{text}");
    }
    assert!(Handle::try_current().unwrap_err().is_missing_context());
}

#[test]
fn a_timer_needs_a_runtime_with_timers() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let _within = runtime.enter();
    let panicked = catch_unwind(|| drop(shinkan_rt::Timer::after(Duration::ZERO)));
    assert!(message(panicked.unwrap_err()).contains("enable_time"));
}

#[test]
fn zero_workers_and_zero_threads_are_refused() {
    let workers = catch_unwind(|| _ = Builder::new_multi_thread().worker_threads(0));
    assert!(message(workers.unwrap_err()).contains("worker_threads"));
    let threads = catch_unwind(|| _ = Builder::new_multi_thread().max_blocking_threads(0));
    assert!(message(threads.unwrap_err()).contains("max_blocking_threads"));
}

#[test]
fn block_in_place_on_one_thread_is_refused_with_the_remedy() {
    let runtime = current();
    let task = runtime.spawn(async { block_in_place(|| ()) });
    let text = message(runtime.block_on(task).unwrap_err().into_panic());
    assert!(text.contains("spawn_blocking"), "{text}");
}

#[test]
fn a_runtime_dropped_from_within_ends_with_a_panic_that_says_so() {
    for outer in [multi(1), current()] {
        let inner = multi(1);
        let task = inner.spawn(pending::<()>());
        let panicked = outer.block_on(async move {
            catch_unwind(AssertUnwindSafe(move || drop(inner))).unwrap_err()
        });
        let text = message(panicked);
        assert!(text.contains("shutdown_background"), "{text}");
        assert!(outer.block_on(task).unwrap_err().is_cancelled(), "it has ended all the same");
    }
}

#[test]
fn a_runtime_dropped_by_its_own_blocking_closure_ends() {
    let runtime = multi(1);
    let handle = runtime.handle().clone();
    let ended = Arc::new(AtomicUsize::new(0));
    let its = ended.clone();
    handle.spawn_blocking(move || {
        drop(runtime);
        its.store(1, Ordering::SeqCst);
    });
    while ended.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_runtime_dropped_by_the_function_that_names_its_threads_ends() {
    let mine = Arc::new(std::sync::Mutex::new(None::<Runtime>));
    let its = mine.clone();
    let name = move || {
        let runtime = its.lock().unwrap().take();
        drop(runtime);
        "named".into()
    };
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).no_seizing().thread_name_fn(name).build().unwrap();
    let handle = runtime.handle().clone();
    // Named by this thread.
    *mine.lock().unwrap() = Some(runtime);
    let closure = handle.spawn_blocking(|| {});
    assert!(mine.lock().unwrap().is_none(), "it was dropped");
    drop(closure);
    let cancelled = current().block_on(handle.spawn(async {}));
    assert!(cancelled.unwrap_err().is_cancelled(), "it has ended");
}

#[test]
fn timers_at_the_edges_of_their_range() {
    for runtime in [multi(1), current()] {
        runtime.block_on(async {
            let place = std::panic::Location::caller();
            let far =
                [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_millis(1 << 40)];
            for duration in far {
                let mut timer = Box::pin(shinkan_rt::Timer::after(duration));
                let first = poll_fn(|cx| Poll::Ready(timer.as_mut().poll_elapsed(cx, place))).await;
                assert!(first.is_pending());
                timer.as_mut().reset(Instant::now());
                poll_fn(|cx| timer.as_mut().poll_elapsed(cx, place)).await;
                assert!(timer.is_elapsed());
            }
            // A deadline before the runtime was built.
            let past = Instant::now() - Duration::from_millis(50);
            let mut timer = Box::pin(shinkan_rt::Timer::new(past));
            poll_fn(|cx| timer.as_mut().poll_elapsed(cx, place)).await;
        });
    }
}

#[test]
fn a_timer_that_outlives_its_runtime_says_so() {
    for runtime in [multi(1), current()] {
        let place = std::panic::Location::caller();
        let mut timer = {
            let _within = runtime.enter();
            Box::pin(shinkan_rt::Timer::after(Duration::from_secs(60)))
        };
        let mut cx = Context::from_waker(Waker::noop());
        assert!(timer.as_mut().poll_elapsed(&mut cx, place).is_pending());
        drop(runtime);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _ = timer.as_mut().poll_elapsed(&mut cx, place);
        }));
        assert!(message(panicked.unwrap_err()).contains("being shutdown"));
    }
}
