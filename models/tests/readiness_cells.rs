//! The cells in which the `poll_*` methods leave their wakers: one thread at a time moves one, and
//! whoever was told to wait is woken.
#![cfg(shinkan_loom)]

use loom::sync::Arc;
use loom::thread;
use shinkan_base::wakers::Wakers;
use shinkan_driver::{Direction, Driver, Interest, Ready, Source};
use shinkan_models::calls::Calls;
use std::task::{Context, Poll, Waker};

fn report(driver: &Driver, source: &Source) {
    let mut out = Wakers::new();
    driver.apply(source.token(), Ready::READABLE, &mut out);
    out.wake_all();
}

#[test]
fn a_task_that_comes_back_early_meets_no_waker_on_its_way() {
    loom::model(|| {
        let driver = Driver::sim(0);
        let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY).unwrap();
        let world = Arc::new((driver, source));
        let (driver, source) = (&world.0, &world.1);
        let poll =
            |waker: &Waker| source.poll_ready(&mut Context::from_waker(waker), Direction::Read);
        let (first, second) = (Calls::with_waker(), Calls::with_waker());
        assert!(poll(&first.1).is_pending());
        let kernel = thread::spawn({
            let world = world.clone();
            move || report(&world.0, &world.1)
        });
        // It finds nothing, clears, and waits again while the first waker is still carried away.
        let mut waits = false;
        if let Poll::Ready(event) = poll(&second.1) {
            source.clear(event.unwrap());
            waits = poll(&second.1).is_pending();
        }
        kernel.join().unwrap();
        if waits {
            report(driver, source);
            assert!(second.0.count() > 0, "it waits for what has come");
        }
    });
}

#[test]
fn of_two_that_report_at_once_one_carries_the_waker() {
    loom::model(|| {
        let driver = Driver::sim(0);
        let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY).unwrap();
        let world = Arc::new((driver, source));
        let (calls, waker) = Calls::with_waker();
        let mut cx = Context::from_waker(&waker);
        assert!(world.1.poll_ready(&mut cx, Direction::Read).is_pending());
        let other = thread::spawn({
            let world = world.clone();
            move || report(&world.0, &world.1)
        });
        let mut out = Wakers::new();
        world.0.shutdown(&mut out);
        out.wake_all();
        other.join().unwrap();
        assert!(calls.count() > 0);
        assert_eq!(calls.alive(), 1, "a waker of it is still somewhere");
    });
}

#[test]
fn of_two_that_poll_at_once_one_is_woken() {
    loom::model(|| {
        let driver = Driver::sim(0);
        let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY).unwrap();
        let source = Arc::new(source);
        let poll = |source: &Source, waker: &Waker| {
            let mut cx = Context::from_waker(waker);
            assert!(source.poll_ready(&mut cx, Direction::Read).is_pending());
        };
        let (first, second) = (Calls::with_waker(), Calls::with_waker());
        let other = thread::spawn({
            let (source, waker) = (source.clone(), second.1.clone());
            move || poll(&source, &waker)
        });
        poll(&source, &first.1);
        other.join().unwrap();
        report(&driver, &source);
        assert!(first.0.count() > 0 || second.0.count() > 0, "both wait for what has come");
    });
}
