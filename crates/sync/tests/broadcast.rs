//! The broadcast channel: every receiver gets every message, or learns how many it lost.

mod common;

use common::{panics, task};
use shinkan_context::budget::{self, Budget};
use shinkan_sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};
use std::sync::Arc;

#[test]
fn every_receiver_gets_every_message() {
    let (tx, mut a) = broadcast::channel(4);
    let mut b = tx.subscribe();
    let mut recv = task(a.recv());
    recv.is_pending();
    assert_eq!(tx.send(1).unwrap(), 2);
    assert_eq!(recv.woken_and_ready(), Ok(1));
    drop(recv);
    let mut late = tx.subscribe();
    tx.send(2).unwrap();
    assert_eq!((a.try_recv(), late.try_recv()), (Ok(2), Ok(2)));
    assert_eq!((b.len(), tx.len()), (2, 2));
    assert_eq!((b.try_recv(), b.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(b.try_recv(), Err(TryRecvError::Empty));
    assert!(tx.is_empty() && b.is_empty());
    assert!(a.same_channel(&b));
}

#[test]
fn a_slow_receiver_learns_how_many_it_lost() {
    let (tx, mut rx) = broadcast::channel(2);
    for i in 0..5 {
        tx.send(i).unwrap();
    }
    assert_eq!((rx.len(), tx.len()), (5, 2));
    assert_eq!(task(rx.recv()).ready(), Err(RecvError::Lagged(3)));
    assert_eq!(task(rx.recv()).ready(), Ok(3));
    tx.send(5).unwrap();
    tx.send(6).unwrap();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)));
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(5), Ok(6)));
}

#[test]
fn a_capacity_is_rounded_up_to_a_power_of_two() {
    let (tx, mut rx) = broadcast::channel(3);
    for i in 0..5 {
        tx.send(i).unwrap();
    }
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(1)));
    assert!(panics(|| broadcast::channel::<i32>(0)).contains("for 0 messages"));
}

#[test]
fn the_end_comes_after_what_is_left() {
    let (tx, mut rx) = broadcast::channel(4);
    let mut waiting = tx.subscribe();
    tx.send(1).unwrap();
    assert_eq!(waiting.try_recv(), Ok(1));
    let mut recv = task(waiting.recv());
    recv.is_pending();
    drop(tx.clone());
    assert!(!recv.is_woken());
    drop(tx);
    assert_eq!(recv.woken_and_ready(), Err(RecvError::Closed));
    assert!(rx.is_closed());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(task(rx.recv()).ready(), Err(RecvError::Closed));
}

#[test]
fn without_receivers_sending_fails_until_there_is_one() {
    let (tx, rx) = broadcast::channel(4);
    let mut closed = task(tx.closed());
    closed.is_pending();
    let again = rx.resubscribe();
    drop(rx);
    assert!(!closed.is_woken());
    drop(again);
    closed.woken_and_ready();
    assert_eq!(tx.send(7).unwrap_err().0, 7);
    let mut rx = tx.subscribe();
    assert_eq!(tx.receiver_count(), 1);
    tx.send(8).unwrap();
    assert_eq!(rx.try_recv(), Ok(8));
    let lone = broadcast::Sender::<i32>::new(1);
    assert_eq!(lone.receiver_count(), 0);
    task(lone.closed()).ready();
}

#[test]
fn a_dropped_recv_loses_nothing() {
    let (tx, mut rx) = broadcast::channel(4);
    let mut recv = task(rx.recv());
    recv.is_pending();
    tx.send(1).unwrap();
    drop(recv);
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn messages_are_dropped_when_the_last_receiver_has_had_them() {
    let value = Arc::new(());
    let (tx, mut a) = broadcast::channel(4);
    let b = tx.subscribe();
    for _ in 0..3 {
        tx.send(value.clone()).unwrap();
    }
    assert_eq!(Arc::strong_count(&value), 4);
    drop(a.try_recv().unwrap());
    drop(b);
    assert_eq!(Arc::strong_count(&value), 3);
    drop(a);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_message_whose_drop_panics_does_not_keep_the_others() {
    #[derive(Clone)]
    struct Bomb(#[allow(dead_code)] Arc<()>, bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.1, "bomb");
        }
    }
    let alive = Arc::new(());
    let (tx, rx) = broadcast::channel(4);
    for i in 0..4 {
        assert!(tx.send(Bomb(alive.clone(), i == 1)).is_ok());
    }
    assert_eq!(panics(|| drop(rx)), "bomb");
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn weak_senders_do_not_keep_it_open() {
    let (tx, mut rx) = broadcast::channel::<i32>(1);
    let weak = tx.downgrade();
    assert_eq!((tx.strong_count(), weak.weak_count(), rx.sender_weak_count()), (1, 1, 1));
    assert_eq!(tx.weak_count(), 1);
    assert!(weak.clone().upgrade().unwrap().same_channel(&tx));
    drop(tx);
    assert!(weak.upgrade().is_none());
    assert_eq!((weak.strong_count(), rx.sender_strong_count()), (0, 0));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn receiving_takes_budget() {
    let (tx, mut rx) = broadcast::channel(256);
    for i in 0..200 {
        tx.send(i).unwrap();
    }
    budget::with(Budget::initial(), || {
        for _ in 0..budget::INITIAL {
            task(rx.recv()).ready().unwrap();
        }
        task(rx.recv()).is_pending();
    });
}

#[test]
fn threads_receive_in_order() {
    let (tx, rx) = broadcast::channel(16);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let mut rx = rx.resubscribe();
            std::thread::spawn(move || {
                let (mut next, mut lost) = (0u64, 0);
                loop {
                    match rx.blocking_recv() {
                        Ok(i) => {
                            assert_eq!(i, next);
                            next = i + 1;
                        }
                        Err(RecvError::Lagged(n)) => {
                            lost += n;
                            next += n;
                        }
                        Err(RecvError::Closed) => return (next, lost),
                    }
                }
            })
        })
        .collect();
    drop(rx);
    for i in 0..20_000 {
        tx.send(i).unwrap();
    }
    drop(tx);
    for r in readers {
        assert_eq!(r.join().unwrap().0, 20_000);
    }
}

#[test]
fn a_clone_may_look_at_the_channel() {
    struct Curious(Option<broadcast::WeakSender<Curious>>);
    impl Clone for Curious {
        fn clone(&self) -> Self {
            let tx = self.0.as_ref().unwrap().upgrade().unwrap();
            assert_eq!((tx.len(), tx.receiver_count()), (1, 1));
            drop(tx.subscribe());
            Self(None)
        }
    }
    let (tx, mut rx) = broadcast::channel(2);
    assert!(tx.send(Curious(Some(tx.downgrade()))).is_ok());
    assert!(rx.try_recv().is_ok());
    assert!(tx.is_empty());
}

#[test]
fn all_that_wait_are_woken_though_some_have_left() {
    let (tx, rx) = broadcast::channel(2);
    let mut receivers: Vec<_> = (0..100).map(|_| rx.resubscribe()).collect();
    let mut waiting: Vec<_> = receivers.iter_mut().map(|rx| task(rx.recv())).collect();
    waiting.iter_mut().for_each(|recv| recv.is_pending());
    waiting.iter_mut().step_by(3).for_each(|recv| recv.cancel());
    tx.send(7).unwrap();
    for (nth, recv) in waiting.iter_mut().enumerate() {
        assert_eq!(recv.wakers(), 0);
        if nth % 3 != 0 {
            assert_eq!(recv.woken_and_ready(), Ok(7));
        }
    }
    drop(waiting);
    for mut left in receivers.into_iter().step_by(3) {
        assert_eq!(left.try_recv(), Ok(7));
    }
    drop(rx);
    assert!(tx.is_empty());
}
