//! Timers at the edges of their range, and under a clock that stands still.

use std::future::pending;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use shinkan::runtime::{Builder, Runtime};
use shinkan::time::{
    self, Duration, Instant, MissedTickBehavior, interval, interval_at, sleep, sleep_until,
    timeout, timeout_at,
};

fn paused() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn is_pending<F: Future>(future: F) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[test]
fn the_longest_duration_neither_overflows_nor_ends() {
    paused().block_on(async {
        assert!(is_pending(sleep(Duration::MAX)));
        assert!(is_pending(timeout(Duration::MAX, pending::<()>())));
        assert_eq!(timeout(Duration::MAX, async { 1 }).await, Ok(1));
        let mut ticks = interval(Duration::MAX);
        ticks.tick().await;
        assert!(is_pending(ticks.tick()));
        ticks.reset_after(Duration::MAX);
        assert!(is_pending(ticks.tick()));
        let mut far = pin!(sleep(Duration::ZERO));
        far.as_mut().reset(Instant::now() + Duration::from_secs(1 << 40));
        assert!(is_pending(far));
    });
}

#[test]
fn what_is_long_past_ends_at_once() {
    paused().block_on(async {
        time::advance(Duration::from_secs(3600)).await;
        let past = Instant::now() - Duration::from_secs(3600);
        let before = Instant::now();
        sleep_until(past).await;
        sleep(Duration::ZERO).await;
        assert!(timeout_at(past, pending::<()>()).await.is_err());
        assert_eq!(interval_at(past, Duration::from_secs(7200)).tick().await, past);
        assert_eq!(Instant::now(), before);
    });
}

#[test]
fn a_sleep_on_the_real_clock_is_never_too_short() {
    Runtime::new().unwrap().block_on(async {
        for micros in [0, 1, 999, 1_000, 1_001, 1_999, 2_500] {
            let duration = Duration::from_micros(micros);
            let start = std::time::Instant::now();
            sleep(duration).await;
            assert!(start.elapsed() >= duration);
        }
    });
}

#[test]
fn the_future_is_polled_before_its_limit() {
    paused().block_on(async {
        let past = Instant::now() - Duration::from_secs(1);
        assert_eq!(timeout_at(past, async { "ready" }).await, Ok("ready"));
    });
}

#[test]
fn a_limit_holds_for_a_future_that_uses_its_budget_up() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let greedy = async {
            loop {
                shinkan::task::coop::consume_budget().await;
            }
        };
        let limited: Result<(), _> = timeout(Duration::from_millis(5), greedy).await;
        assert_eq!(limited.unwrap_err().to_string(), "deadline has elapsed");
    });
}

#[test]
fn a_sleep_is_moved_while_a_task_waits_for_it() {
    paused().block_on(async {
        let start = Instant::now();
        let mut sleep = Box::pin(sleep(Duration::from_secs(3600)));
        let waker = std::future::poll_fn(|cx| {
            assert!(sleep.as_mut().poll(cx).is_pending());
            Poll::Ready(cx.waker().clone())
        })
        .await;
        drop(waker);
        sleep.as_mut().reset(start + Duration::from_secs(1));
        sleep.as_mut().await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        assert!(sleep.is_elapsed());
        sleep.as_mut().reset(start + Duration::from_secs(2));
        assert!(!sleep.is_elapsed());
        sleep.await;
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    });
}

#[test]
fn missed_ticks_come_as_asked() {
    let secs = Duration::from_secs;
    for (behavior, expected) in [
        (MissedTickBehavior::Burst, [35, 35, 40, 50]),
        (MissedTickBehavior::Delay, [35, 45, 55, 65]),
        (MissedTickBehavior::Skip, [35, 40, 50, 60]),
    ] {
        paused().block_on(async {
            let start = Instant::now();
            let mut ticks = interval(secs(10));
            ticks.set_missed_tick_behavior(behavior);
            ticks.tick().await;
            ticks.tick().await;
            time::advance(secs(25)).await;
            for seen in expected {
                ticks.tick().await;
                assert_eq!(start.elapsed().as_secs(), seen, "{behavior:?}");
            }
        });
    }
}

#[test]
fn timers_end_in_the_order_of_their_deadlines() {
    paused().block_on(async {
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut tasks = shinkan::task::JoinSet::new();
        for n in [9_u64, 3, 7_000_000, 1, 60_000, 5, 64, 4_096] {
            let sender = sender.clone();
            tasks.spawn(async move {
                sleep(Duration::from_millis(n)).await;
                sender.send(n).unwrap();
            });
        }
        tasks.join_all().await;
        drop(sender);
        let order: Vec<_> = receiver.iter().collect();
        assert_eq!(order, [1, 3, 5, 9, 64, 4_096, 60_000, 7_000_000]);
    });
}

#[test]
fn a_blocking_closure_is_not_overtaken_by_a_clock_that_stands_still() {
    paused().block_on(async {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let start = Instant::now();
        let blocking = shinkan::task::spawn_blocking(move || {
            let _ = wait.recv();
        });
        let limited = timeout(Duration::from_secs(3600), blocking);
        drop(release);
        limited.await.expect("the clock did not run away").unwrap();
        assert!(start.elapsed() < Duration::from_secs(3600));
    });
}

#[test]
fn a_sleep_that_outlives_its_runtime_is_dropped_without_harm() {
    let runtime = Runtime::new().unwrap();
    let mut sleep = {
        let _inside = runtime.enter();
        Box::pin(sleep(Duration::from_secs(3600)))
    };
    assert!(runtime.block_on(async { is_pending(sleep.as_mut()) }));
    drop(runtime);
    drop(sleep);
}
