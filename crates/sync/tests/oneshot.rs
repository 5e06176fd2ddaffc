//! The oneshot channel: every order in which its two sides can end.

mod common;

use common::{panicking_waker, panics, task};
use shinkan_sync::oneshot::{self, error::TryRecvError};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;

#[test]
fn a_value_sent_before_or_after_the_first_poll_arrives() {
    let (tx, rx) = oneshot::channel();
    tx.send(1).unwrap();
    assert_eq!(task(rx).ready(), Ok(1));
    let (tx, rx) = oneshot::channel();
    let mut rx = task(rx);
    rx.is_pending();
    tx.send(2).unwrap();
    assert_eq!(rx.woken_and_ready(), Ok(2));
    assert!(rx.pin().is_terminated());
}

#[test]
fn dropping_the_sender_ends_the_wait() {
    let (tx, rx) = oneshot::channel::<i32>();
    let mut rx = task(rx);
    rx.is_pending();
    drop(tx);
    assert!(rx.woken_and_ready().is_err());
}

#[test]
fn dropping_the_receiver_gives_the_value_back_and_wakes_the_sender() {
    let (mut tx, rx) = oneshot::channel();
    {
        let mut closed = task(tx.closed());
        closed.is_pending();
        drop(rx);
        closed.woken_and_ready();
    }
    assert!(tx.is_closed());
    assert_eq!(tx.send(7), Err(7));
}

#[test]
fn values_in_flight_are_dropped_with_the_receiver() {
    let value = Arc::new(());
    let (tx, rx) = oneshot::channel();
    tx.send(value.clone()).unwrap();
    assert_eq!(Arc::strong_count(&value), 2);
    drop(rx);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn close_keeps_a_value_that_was_sent() {
    let (tx, mut rx) = oneshot::channel();
    tx.send(1).unwrap();
    rx.close();
    assert!(!rx.is_empty());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert!(rx.is_empty() && rx.is_terminated());
}

#[test]
fn close_while_waiting_ends_both_sides() {
    let (mut tx, rx) = oneshot::channel::<i32>();
    let mut rx = task(rx);
    rx.is_pending();
    let mut closed = task(tx.closed());
    closed.is_pending();
    rx.pin().get_mut().close();
    closed.woken_and_ready();
    assert!(rx.ready().is_err());
    drop(closed);
    assert_eq!(tx.send(1), Err(1));
}

#[test]
fn try_recv_tells_empty_from_closed() {
    let (tx, mut rx) = oneshot::channel::<i32>();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    drop(tx);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn another_task_may_take_over_the_wait() {
    let (mut tx, mut rx) = oneshot::channel::<i32>();
    {
        let mut first = task(&mut rx);
        first.is_pending();
        let noop = std::task::Waker::noop();
        assert!(first.pin().poll(&mut Context::from_waker(noop)).is_pending());
    }
    let mut second = task(rx);
    second.is_pending();
    {
        let noop = std::task::Waker::noop();
        assert!(tx.poll_closed(&mut Context::from_waker(noop)).is_pending());
        let mut closed = task(tx.closed());
        closed.is_pending();
        closed.is_pending();
    }
    tx.send(1).unwrap();
    assert_eq!(second.woken_and_ready(), Ok(1));
}

#[test]
fn wakers_that_were_left_are_dropped() {
    struct Held;
    impl std::task::Wake for Held {
        fn wake(self: Arc<Self>) {}
    }
    let held = Arc::new(Held);
    let waker = std::task::Waker::from(held.clone());
    for order in 0..4 {
        let (mut tx, mut rx) = oneshot::channel::<i32>();
        assert!(Pin::new(&mut rx).poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(tx.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        match order {
            0 => drop((tx, rx)),
            1 => drop((rx, tx)),
            2 => {
                rx.close();
                drop((tx, rx));
            }
            _ => {
                tx.send(1).unwrap();
                drop(rx);
            }
        }
        assert_eq!(Arc::strong_count(&held), 2, "order {order}");
    }
}

#[test]
fn a_receiver_polled_after_its_end_panics() {
    let (tx, rx) = oneshot::channel();
    tx.send(1).unwrap();
    let mut rx = task(rx);
    rx.ready().unwrap();
    assert!(panics(|| rx.poll()).contains("after it had ended"));
}

#[test]
fn a_waker_that_panics_leaves_the_value_in_place() {
    let (tx, mut rx) = oneshot::channel();
    let waker = panicking_waker();
    assert!(Pin::new(&mut rx).poll(&mut Context::from_waker(&waker)).is_pending());
    panics(|| tx.send(1));
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn a_value_whose_drop_panics_does_not_harm_the_channel() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("bomb");
        }
    }
    let (tx, rx) = oneshot::channel();
    assert!(tx.send(Bomb).is_ok());
    assert_eq!(panics(|| drop(rx)), "bomb");
}

#[test]
fn threads_meet_in_every_order() {
    for round in 0..2_000 {
        let (tx, rx) = oneshot::channel();
        std::thread::scope(|scope| {
            let sender = scope.spawn(move || tx.send(round));
            let got = (round % 3 != 0).then(|| rx.blocking_recv());
            let sent = sender.join().unwrap();
            if let Some(got) = got {
                assert_eq!(got, Ok(round));
                assert!(sent.is_ok());
            }
        });
    }
}
