//! `Notify`: permits, order, cancel safety.

mod common;

use common::{panicking_waker, panics, task};
use shinkan_sync::Notify;
use std::future::Future;
use std::sync::Arc;
use std::task::Context;

#[test]
fn one_permit_is_stored_and_no_more() {
    let n = Notify::new();
    n.notify_one();
    n.notify_one();
    task(n.notified()).ready();
    task(n.notified()).is_pending();
}

#[test]
fn the_first_or_the_last_in_the_queue_is_woken() {
    let n = Notify::new();
    let (mut a, mut b, mut c) = (task(n.notified()), task(n.notified()), task(n.notified()));
    a.is_pending();
    b.is_pending();
    c.is_pending();
    n.notify_last();
    assert!(!a.is_woken() && !b.is_woken());
    c.woken_and_ready();
    n.notify_one();
    a.woken_and_ready();
    assert!(!b.is_woken());
    n.notify_one();
    b.woken_and_ready();
    task(n.notified()).is_pending();
}

#[test]
fn notify_waiters_wakes_all_and_stores_nothing() {
    let n = Arc::new(Notify::new());
    let mut polled = task(n.notified());
    polled.is_pending();
    let mut made_before = task(n.clone().notified_owned());
    n.notify_waiters();
    let mut made_after = task(n.notified());
    polled.woken_and_ready();
    made_before.ready();
    made_after.is_pending();
    n.notify_one();
    n.notify_waiters();
    made_after.woken_and_ready();
}

#[test]
fn notify_waiters_keeps_a_permit_that_was_stored() {
    let n = Notify::new();
    n.notify_one();
    n.notify_waiters();
    task(n.notified()).ready();
}

#[test]
fn a_future_that_ends_by_notify_waiters_leaves_the_permit() {
    let n = Notify::new();
    let mut before = task(n.notified());
    n.notify_one();
    n.notify_waiters();
    before.ready();
    task(n.notified()).ready();
}

#[test]
fn a_notification_of_a_dropped_future_goes_to_the_next() {
    let n = Notify::new();
    let (mut a, mut b) = (task(n.notified()), task(n.notified()));
    a.is_pending();
    b.is_pending();
    n.notify_one();
    drop(a);
    b.woken_and_ready();
    let mut c = task(n.notified());
    c.is_pending();
    n.notify_one();
    drop(c);
    task(n.notified()).ready();
}

#[test]
fn the_strategy_of_a_dropped_future_is_kept() {
    let n = Notify::new();
    let mut all: Vec<_> = (0..3).map(|_| task(n.notified())).collect();
    for t in &mut all {
        t.is_pending();
    }
    n.notify_last();
    drop(all.pop());
    assert!(all[1].is_woken() && !all[0].is_woken());
}

#[test]
fn enable_takes_a_place_in_the_queue() {
    let n = Notify::new();
    let mut a = task(n.notified());
    assert!(!a.pin().enable());
    assert!(!a.pin().enable());
    n.notify_one();
    assert!(a.pin().enable());
    a.ready();
    let mut b = task(n.notified());
    assert!(!b.pin().enable());
    b.is_pending();
    n.notify_one();
    b.woken_and_ready();
    b.ready();
}

#[test]
fn all_of_many_are_woken_though_one_waker_panics() {
    let n = Notify::new();
    let waker = panicking_waker();
    let mut bad = task(n.notified());
    assert!(bad.pin().poll(&mut Context::from_waker(&waker)).is_pending());
    let mut all: Vec<_> = (0..70).map(|_| task(n.notified())).collect();
    for t in &mut all {
        t.is_pending();
    }
    panics(|| n.notify_waiters());
    for t in &mut all {
        t.woken_and_ready();
    }
    bad.ready();
}

#[test]
fn an_owned_future_keeps_it_alive() {
    let n = Arc::new(Notify::new());
    let mut owned = task(n.clone().notified_owned());
    owned.is_pending();
    let weak = Arc::downgrade(&n);
    drop(n);
    weak.upgrade().unwrap().notify_one();
    owned.woken_and_ready();
    drop(owned);
    assert!(weak.upgrade().is_none());
}

#[test]
fn threads_play_ping_pong() {
    let (ping, pong) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (a, b) = (ping.clone(), pong.clone());
    let thread = std::thread::spawn(move || {
        for _ in 0..2_000 {
            futures::executor::block_on(a.notified());
            b.notify_one();
        }
    });
    for _ in 0..2_000 {
        ping.notify_one();
        futures::executor::block_on(pong.notified());
    }
    thread.join().unwrap();
}

#[test]
fn one_that_keeps_its_notify_takes_its_place_early() {
    let n = Arc::new(Notify::new());
    let mut first = task(n.clone().notified_owned());
    let mut second = task(n.clone().notified_owned());
    assert!(!second.pin().enable());
    n.notify_one();
    assert!(second.pin().enable());
    first.is_pending();
    second.ready();
}
