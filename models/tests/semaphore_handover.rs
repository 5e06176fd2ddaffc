//! The batch semaphore: a permit that is released while a task asks for it, gives up, or is
//! refused.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use shinkan_models::guarded::Guarded;
use shinkan_sync::Semaphore;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

#[test]
fn acquire_meets_release() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let guarded = Arc::new(Guarded::new());
        let (its_semaphore, its_guarded) = (semaphore.clone(), guarded.clone());
        let taker = thread::spawn(move || {
            let permit = block_on(its_semaphore.acquire()).expect("nobody closes it");
            assert_eq!(its_guarded.add(), 2);
            permit.forget();
        });
        guarded.add();
        semaphore.add_permits(1);
        taker.join().unwrap();
        assert_eq!(semaphore.available_permits(), 0);
    });
}

#[test]
fn cancel_meets_release() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let its_semaphore = semaphore.clone();
        let taker = thread::spawn(move || {
            let mut acquire = pin!(its_semaphore.acquire());
            drop(acquire.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        });
        semaphore.add_permits(1);
        taker.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn close_meets_acquire() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let its_semaphore = semaphore.clone();
        let taker = thread::spawn(move || {
            assert!(block_on(its_semaphore.acquire_many(2)).is_err());
        });
        semaphore.close();
        taker.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn a_request_for_two_meets_two_releases() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let guarded = Arc::new(Guarded::new());
        let first = semaphore.try_acquire().expect("it is there");
        let (its_semaphore, its_guarded) = (semaphore.clone(), guarded.clone());
        let taker = thread::spawn(move || {
            let both = block_on(its_semaphore.acquire_many(2)).expect("nobody closes it");
            assert_eq!(its_guarded.add(), 2);
            drop(both);
        });
        // One permit more, but the first is still used.
        semaphore.add_permits(1);
        guarded.add();
        drop(first);
        taker.join().unwrap();
        assert_eq!(semaphore.available_permits(), 2);
    });
}
