//! `Notify`: a notification meets a task that begins to wait, or gives up.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use shinkan_sync::Notify;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

#[test]
fn notified_meets_notify_one() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let done = Arc::new(AtomicBool::new(false));
        let (its_notify, its_done) = (notify.clone(), done.clone());
        let waiter = thread::spawn(move || {
            block_on(its_notify.notified());
            assert!(its_done.load(Ordering::Relaxed));
        });
        done.store(true, Ordering::Relaxed);
        notify.notify_one();
        waiter.join().unwrap();
    });
}

#[test]
fn cancel_meets_notify_one() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let its_notify = notify.clone();
        let waiter = thread::spawn(move || {
            let mut notified = pin!(its_notify.notified());
            notified.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        });
        notify.notify_one();
        let taken = waiter.join().unwrap();
        if !taken {
            block_on(notify.notified());
        }
    });
}

#[test]
fn notified_meets_notify_waiters() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let done = Arc::new(AtomicBool::new(false));
        let (its_notify, its_done) = (notify.clone(), done.clone());
        let waiter = thread::spawn(move || {
            let notified = its_notify.notified();
            if !its_done.load(Ordering::Relaxed) {
                block_on(notified);
                assert!(its_done.load(Ordering::Relaxed));
            }
        });
        done.store(true, Ordering::Relaxed);
        notify.notify_waiters();
        waiter.join().unwrap();
    });
}
