//! A descriptor whose waiter changes: the task that polls last is the one that is woken, and one
//! that is registered while the runtime ends hears of the end.
#![cfg(shinkan_loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering::SeqCst};
use loom::thread;
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;
use shinkan_driver::{Direction, Driver, Interest, Ready, Token};
use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Wake, Waker};

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

fn flag() -> (std::sync::Arc<Flag>, Waker) {
    let flag = std::sync::Arc::new(Flag(AtomicBool::new(false)));
    (flag.clone(), Waker::from(flag))
}

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
        let (first, second) = (flag(), flag());
        let poll = |waker: &Waker| {
            source.poll_ready(&mut Context::from_waker(waker), Direction::Read).is_pending()
        };
        let waited = poll(&first.1);
        let waits = poll(&second.1);
        kernel.join().unwrap();
        assert!(!waits || second.0.0.load(SeqCst), "it waits for what has come");
        assert!(
            waits || !waited || first.0.0.load(SeqCst),
            "it was displaced by one that is ready"
        );
        assert_eq!(std::sync::Arc::strong_count(&first.0), 2, "its waker is still somewhere");
    });
}

#[test]
fn a_future_that_moves_to_another_task_is_woken_there() {
    loom::model(|| {
        let driver = Arc::new(Driver::sim(0));
        let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY).unwrap();
        let kernel = report(&driver, source.token());
        let (first, second) = (flag(), flag());
        let place = Location::caller();
        let mut future = pin!(source.readiness(Interest::READABLE, WaitKind::Read, place));
        let mut poll =
            |waker: &Waker| future.as_mut().poll(&mut Context::from_waker(waker)).is_pending();
        let waits = poll(&first.1) && poll(&second.1);
        kernel.join().unwrap();
        assert!(!waits || second.0.0.load(SeqCst), "it waits for what has come");
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
        let (flag, waker) = flag();
        let mut waits = false;
        let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY);
        if let Ok(source) = &source {
            let mut cx = Context::from_waker(&waker);
            waits = source.poll_ready(&mut cx, Direction::Read).is_pending();
        }
        end.join().unwrap();
        assert!(!waits || flag.0.load(SeqCst), "it waits for a runtime that has ended");
    });
}
