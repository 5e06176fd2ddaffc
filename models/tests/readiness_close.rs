//! A descriptor that is closed, and its slot given out again, against an event that was harvested
//! for it before.
#![cfg(shinkan_loom)]

use loom::sync::Arc;
use loom::thread;
use shinkan_base::wakers::Wakers;
use shinkan_driver::{Direction, Driver, Interest, Ready, Token};
use shinkan_models::calls::Calls;
use std::future::Future;
use std::task::{Context, Waker};

/// An event that was harvested before, applied by another thread.
fn report(driver: &Arc<Driver>, token: Token) -> thread::JoinHandle<()> {
    let driver = driver.clone();
    thread::spawn(move || {
        let mut out = Wakers::new();
        driver.apply(token, Ready::READABLE, &mut out);
        out.wake_all();
    })
}

#[test]
fn a_late_event_reaches_no_next_owner() {
    loom::model(|| {
        let driver = Arc::new(Driver::sim(0));
        let interest = Interest::READABLE;
        let first = driver.io().register(0, interest, Ready::EMPTY).unwrap();
        let token = first.token();
        // Somebody waits, so that the late event goes for the waker.
        let mut nobody = Context::from_waker(Waker::noop());
        assert!(first.poll_ready(&mut nobody, Direction::Read).is_pending());
        let late = report(&driver, token);
        drop(first);
        let second = driver.io().register(0, interest, Ready::EMPTY).unwrap();
        let (calls, waker) = Calls::with_waker();
        let mut cx = Context::from_waker(&waker);
        assert!(second.poll_ready(&mut cx, Direction::Read).is_pending());
        late.join().unwrap();
        assert!(second.ready_event(interest).ready.is_empty());
        assert_eq!(calls.count(), 0, "the event of another woke the slot's next owner");
    });
}

#[test]
fn a_late_event_wakes_no_future_of_the_next_owner() {
    loom::model(|| {
        let driver = Arc::new(Driver::sim(0));
        let interest = Interest::READABLE;
        let first = driver.io().register(0, interest, Ready::EMPTY).unwrap();
        let (token, place) = (first.token(), std::panic::Location::caller());
        let kind = shinkan_base::wait::WaitKind::Read;
        let mut nobody = Context::from_waker(Waker::noop());
        let late = {
            // A future waits, so that the late event goes for the lock.
            let mut waits = std::pin::pin!(first.readiness(interest, kind, place));
            assert!(waits.as_mut().poll(&mut nobody).is_pending());
            report(&driver, token)
        };
        drop(first);
        let second = driver.io().register(0, interest, Ready::EMPTY).unwrap();
        let (calls, waker) = Calls::with_waker();
        let mut waits = std::pin::pin!(second.readiness(interest, kind, place));
        assert!(waits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        late.join().unwrap();
        assert_eq!(calls.count(), 0, "the event of another woke the slot's next owner");
    });
}

#[test]
fn a_waiter_that_leaves_takes_no_other_with_it() {
    loom::model(|| {
        let driver = Arc::new(Driver::sim(0));
        let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY).unwrap();
        let token = source.token();
        let place = std::panic::Location::caller();
        let kind = shinkan_base::wait::WaitKind::Read;
        let late = report(&driver, token);
        {
            let leaves = std::pin::pin!(source.readiness(Interest::READABLE, kind, place));
            let mut cx = Context::from_waker(Waker::noop());
            let _ = std::future::Future::poll(leaves, &mut cx);
        }
        loom::future::block_on(source.readiness(Interest::READABLE, kind, place)).unwrap();
        late.join().unwrap();
    });
}
