//! `OnceCell` and `SetOnce`: who fills the cell, who waits for it, and what they see.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use shinkan_models::guarded::Guarded;
use shinkan_sync::{OnceCell, SetOnce};
use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Waker};

#[test]
fn a_filled_cell_is_read() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let guarded = Arc::new(Guarded::new());
        let (its_cell, its_guarded) = (cell.clone(), guarded.clone());
        let reader = thread::spawn(move || {
            if its_cell.get() == Some(&1) {
                assert_eq!(its_guarded.look(), 1);
            }
        });
        guarded.add();
        assert!(cell.set(1).is_ok());
        reader.join().unwrap();
    });
}

#[test]
fn two_tasks_want_the_value() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let its_cell = cell.clone();
        let other = thread::spawn(move || *block_on(its_cell.get_or_init(|| async { 1 })));
        let here = *block_on(cell.get_or_init(|| async { 2 }));
        assert_eq!(here, other.join().unwrap());
    });
}

#[test]
fn a_filler_gives_up() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let its_cell = cell.clone();
        let quitter = thread::spawn(move || {
            let mut fill = pin!(its_cell.get_or_init(pending));
            let _ = fill.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        assert_eq!(*block_on(cell.get_or_init(|| async { 2 })), 2);
        quitter.join().unwrap();
    });
}

#[test]
fn set_meets_wait() {
    loom::model(|| {
        let cell = Arc::new(SetOnce::new());
        let guarded = Arc::new(Guarded::new());
        let (its_cell, its_guarded) = (cell.clone(), guarded.clone());
        let waiter = thread::spawn(move || {
            assert_eq!(*block_on(its_cell.wait()), 1);
            assert_eq!(its_guarded.add(), 2);
        });
        guarded.add();
        assert!(cell.set(1).is_ok());
        waiter.join().unwrap();
    });
}
