//! The watch channel: versions, ends, closures that panic.

mod common;

use common::{panics, task};
use shinkan_sync::watch;
use std::sync::Arc;

#[test]
fn a_receiver_is_told_once_of_the_latest_value() {
    let (tx, mut rx) = watch::channel(0);
    assert!(!rx.has_changed().unwrap());
    let mut changed = task(rx.changed());
    changed.is_pending();
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    changed.woken_and_ready().unwrap();
    drop(changed);
    assert_eq!(*rx.borrow(), 2);
    task(rx.changed()).is_pending();
    assert!(!rx.borrow().has_changed());
}

#[test]
fn borrow_does_not_count_as_seen_and_borrow_and_update_does() {
    let (tx, mut rx) = watch::channel(0);
    tx.send(1).unwrap();
    assert!(rx.borrow().has_changed() && rx.has_changed().unwrap());
    assert!(rx.borrow_and_update().has_changed());
    assert!(!rx.borrow_and_update().has_changed());
    rx.mark_changed();
    assert!(rx.has_changed().unwrap());
    task(rx.changed()).ready().unwrap();
    tx.send(2).unwrap();
    rx.mark_unchanged();
    task(rx.changed()).is_pending();
    assert!(!tx.borrow().has_changed());
}

#[test]
fn a_dropped_changed_loses_no_change() {
    let (tx, mut rx) = watch::channel(0);
    let mut changed = task(rx.changed());
    changed.is_pending();
    tx.send(1).unwrap();
    drop(changed);
    task(rx.changed()).ready().unwrap();
}

#[test]
fn the_last_value_is_seen_before_the_end() {
    let (tx, mut rx) = watch::channel(0);
    let other = tx.clone();
    assert_eq!((tx.sender_count(), tx.same_channel(&other)), (2, true));
    let mut rx2 = rx.clone();
    assert!(rx2.same_channel(&rx));
    let mut waiting = task(rx2.changed());
    waiting.is_pending();
    drop(other);
    assert!(!waiting.is_woken());
    tx.send(1).unwrap();
    waiting.woken_and_ready().unwrap();
    drop(waiting);
    let mut waiting = task(rx2.changed());
    waiting.is_pending();
    drop(tx);
    assert!(waiting.woken_and_ready().is_err());
    assert!(rx.has_changed().is_err() && rx.is_closed());
    task(rx.changed()).ready().unwrap();
    assert!(task(rx.changed()).ready().is_err());
    assert_eq!(*rx.borrow(), 1);
}

#[test]
fn without_receivers_send_fails_and_send_replace_does_not() {
    let (tx, rx) = watch::channel(0);
    let mut closed = task(tx.closed());
    closed.is_pending();
    drop(rx.clone());
    assert!(!closed.is_woken());
    drop(rx);
    closed.woken_and_ready();
    assert!(tx.is_closed());
    assert_eq!(tx.send(1).unwrap_err().0, 1);
    assert_eq!(tx.send_replace(2), 0);
    let rx = tx.subscribe();
    assert_eq!((*rx.borrow(), tx.receiver_count()), (2, 1));
    assert!(!rx.has_changed().unwrap());
    task(tx.closed()).is_pending();
    let lone = watch::Sender::<i32>::default();
    assert!(lone.is_closed());
}

#[test]
fn modifying_tells_only_when_it_should() {
    let (tx, mut rx) = watch::channel(0);
    assert!(!tx.send_if_modified(|v| {
        *v = 1;
        false
    }));
    assert!(!rx.has_changed().unwrap());
    tx.send_modify(|v| *v += 1);
    assert_eq!(*rx.borrow_and_update(), 2);
    assert_eq!(panics(|| tx.send_modify(|_| panic!("no"))), "no");
    assert!(!rx.has_changed().unwrap());
    tx.send(5).unwrap();
    assert_eq!(*rx.borrow_and_update(), 5);
}

#[test]
fn wait_for_looks_at_the_current_value_first() {
    let (tx, mut rx) = watch::channel(1);
    assert_eq!(*task(rx.wait_for(|v| *v == 1)).ready().unwrap(), 1);
    let mut rx2 = rx.clone();
    let mut waiting = task(rx.wait_for(|v| *v > 2));
    waiting.is_pending();
    tx.send(2).unwrap();
    waiting.is_pending();
    tx.send(3).unwrap();
    assert!(waiting.is_woken());
    assert_eq!(*waiting.ready().unwrap(), 3);
    assert_eq!(panics(|| task(rx2.wait_for(|_| panic!("bad"))).poll().is_ready()), "bad");
    drop(waiting);
    drop(tx);
    assert!(task(rx2.wait_for(|v| *v == 9)).ready().is_err());
    assert_eq!(*task(rx2.wait_for(|v| *v == 3)).ready().unwrap(), 3);
}

#[test]
fn threads_always_see_a_newer_value() {
    let (tx, rx) = watch::channel(0);
    let tx = Arc::new(tx);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let mut rx = rx.clone();
            std::thread::spawn(move || {
                let mut last = 0;
                while futures::executor::block_on(rx.changed()).is_ok() {
                    let now = *rx.borrow_and_update();
                    assert!(now >= last);
                    last = now;
                }
                assert_eq!(last, 5_000);
            })
        })
        .collect();
    for i in 1..=5_000 {
        tx.send(i).unwrap();
    }
    drop(tx);
    for r in readers {
        r.join().unwrap();
    }
}
