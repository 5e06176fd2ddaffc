//! A descriptor whose waiter changes: the task that polls last is the one that is woken, and one
//! that is registered while the runtime ends hears of the end.
#![cfg(shinkan_loom)]

use loom::sync::Arc;
use loom::thread;
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;
use shinkan_driver::{Direction, Driver, Interest, Ready, Token};
use shinkan_models::calls::Calls;
use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Waker};

fn report(driver: &Arc<Driver>, token: Token) -> thread::JoinHandle<()> {
    let driver = driver.clone();
    thread::spawn(move || {
        let mut out = Wakers::new();
        driver.apply(token, Ready::READABLE, &mut out);
        out.wake_all();
    })
}

#[test]
fn the_task_that_polls_last_is_woken() {
    loom::model(|| {
        let driver = Arc::new(Driver::sim(0));
        let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY).unwrap();
        let kernel = report(&driver, source.token());
        let (first, second) = (Calls::with_waker(), Calls::with_waker());
        let poll = |waker: &Waker| {
            source.poll_ready(&mut Context::from_waker(waker), Direction::Read).is_pending()
        };
        let waited = poll(&first.1);
        let waits = poll(&second.1);
        kernel.join().unwrap();
        assert!(!waits || second.0.count() > 0, "it waits for what has come");
        assert!(waits || !waited || first.0.count() > 0, "it was displaced by one that is ready");
        assert_eq!(first.0.alive(), 1, "its waker is still somewhere");
    });
}

#[test]
fn a_future_that_moves_to_another_task_is_woken_there() {
    loom::model(|| {
        let driver = Arc::new(Driver::sim(0));
        let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY).unwrap();
        let kernel = report(&driver, source.token());
        let (first, second) = (Calls::with_waker(), Calls::with_waker());
        let place = Location::caller();
        let mut future = pin!(source.readiness(Interest::READABLE, WaitKind::Read, place));
        let mut poll =
            |waker: &Waker| future.as_mut().poll(&mut Context::from_waker(waker)).is_pending();
        let waits = poll(&first.1) && poll(&second.1);
        kernel.join().unwrap();
        assert!(!waits || second.0.count() > 0, "it waits for what has come");
    });
}

#[test]
fn what_is_registered_while_the_runtime_ends_hears_of_it() {
    loom::model(|| {
        let driver = Arc::new(Driver::sim(0));
        let end = thread::spawn({
            let driver = driver.clone();
            move || {
                let mut out = Wakers::new();
                driver.shutdown(&mut out);
                out.wake_all();
            }
        });
        let (calls, waker) = Calls::with_waker();
        let mut waits = false;
        let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY);
        if let Ok(source) = &source {
            let mut cx = Context::from_waker(&waker);
            waits = source.poll_ready(&mut cx, Direction::Read).is_pending();
        }
        end.join().unwrap();
        assert!(!waits || calls.count() > 0, "it waits for a runtime that has ended");
    });
}
