//! What instants, intervals and errors of time answer, on a clock that stands still.

use std::pin::pin;
use std::task::{Context, Waker};

use shinkan::runtime::{Builder, Runtime};
use shinkan::time::error::Error;
use shinkan::time::{Duration, Instant, MissedTickBehavior, advance, interval, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn paused() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn is_pending<F: Future>(future: F) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[test]
fn between_two_instants() {
    paused().block_on(async {
        let first = Instant::now();
        advance(SECOND).await;
        let second = Instant::now();
        assert_eq!(second.duration_since(first), SECOND);
        assert_eq!(second - first, SECOND);
        // Backwards there is nothing, and no panic.
        assert_eq!(first.duration_since(second), Duration::ZERO);
        assert_eq!(first.saturating_duration_since(second), Duration::ZERO);
        assert_eq!(first.checked_duration_since(second), None);
        assert_eq!(second.saturating_duration_since(first), SECOND);
        assert_eq!(first.elapsed(), SECOND);
        assert_eq!(first.checked_add(SECOND), Some(second));
        assert_eq!(second.checked_sub(SECOND), Some(first));
        assert_eq!(first.checked_add(Duration::MAX), None);
        assert_eq!(first.checked_sub(Duration::MAX), None);
        let mut moved = first;
        moved += SECOND;
        assert_eq!(moved, second);
        moved -= SECOND;
        assert_eq!((moved, Instant::from_std(first.into_std())), (first, first));
    });
}

#[test]
fn an_interval_whose_next_tick_is_moved() {
    paused().block_on(async {
        let start = Instant::now();
        let mut ticks = interval(SECOND);
        assert_eq!(ticks.missed_tick_behavior(), MissedTickBehavior::Burst);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        assert_eq!(ticks.missed_tick_behavior(), MissedTickBehavior::Skip);
        assert_eq!(ticks.period(), SECOND);
        ticks.tick().await;
        assert!(is_pending(ticks.tick()));
        ticks.reset_immediately();
        assert!(!is_pending(ticks.tick()));
        ticks.reset_at(start + 5 * SECOND);
        assert_eq!(ticks.tick().await, start + 5 * SECOND);
        assert_eq!(start.elapsed(), 5 * SECOND);
        // The others follow from there.
        assert_eq!(ticks.tick().await, start + 6 * SECOND);
        ticks.reset_after(SECOND / 2);
        assert_eq!(ticks.tick().await, start + 6 * SECOND + SECOND / 2);
        ticks.reset();
        assert_eq!(ticks.tick().await, start + 7 * SECOND + SECOND / 2);
    });
}

#[test]
fn a_sleep_that_is_moved() {
    paused().block_on(async {
        let start = Instant::now();
        let mut late = pin!(sleep(100 * SECOND));
        assert!(is_pending(late.as_mut()));
        assert!(!late.is_elapsed());
        late.as_mut().reset(start + SECOND);
        assert_eq!(late.deadline(), start + SECOND);
        late.as_mut().await;
        assert!(late.is_elapsed());
        assert_eq!(start.elapsed(), SECOND);
    });
}

#[test]
fn each_error_is_what_it_says() {
    let errors = [Error::shutdown(), Error::at_capacity(), Error::invalid()];
    let is = errors.each_ref().map(|e| (e.is_shutdown(), e.is_at_capacity(), e.is_invalid()));
    assert_eq!(is, [(true, false, false), (false, true, false), (false, false, true)]);
    for error in errors {
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn what_is_limited_is_lent_and_given_back() {
    paused().block_on(async {
        let mut limited = timeout(SECOND, std::future::ready(1));
        *limited.get_mut() = std::future::ready(2);
        assert_eq!(limited.get_ref().clone().await, 2);
        assert_eq!(limited.into_inner().await, 2);

        // Given back, it has no limit any more.
        let free = timeout(SECOND, sleep(2 * SECOND)).into_inner();
        free.await;
    });
}
