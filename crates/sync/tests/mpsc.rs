//! The channels: order, room, ends, cancel safety.

mod common;

use common::{panicking_waker, panics, task};
use shinkan_context::budget::{self, Budget};
use shinkan_sync::mpsc::{
    self,
    error::{TryRecvError, TrySendError},
};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[test]
fn messages_come_in_order_over_many_blocks() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    for i in 0..1_000 {
        tx.send(i).unwrap();
    }
    assert_eq!(rx.len(), 1_000);
    for i in 0..1_000 {
        assert_eq!(task(rx.recv()).ready(), Some(i));
        assert_eq!(rx.len(), 999 - i);
    }
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    for round in 0..200 {
        for i in 0..round {
            tx.send(i).unwrap();
        }
        for i in 0..round {
            assert_eq!(rx.try_recv(), Ok(i));
        }
    }
    drop(tx);
    assert_eq!(task(rx.recv()).ready(), None);
    assert_eq!(task(rx.recv()).ready(), None);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    assert!(rx.is_closed() && rx.is_empty());
}

#[test]
fn a_waiting_receiver_is_woken_by_each_message_and_by_the_end() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    for i in 0..100 {
        let mut recv = task(rx.recv());
        recv.is_pending();
        recv.is_pending();
        tx.send(i).unwrap();
        assert_eq!(recv.woken_and_ready(), Some(i));
    }
    let mut recv = task(rx.recv());
    recv.is_pending();
    drop(tx);
    assert_eq!(recv.woken_and_ready(), None);
}

#[test]
fn a_dropped_recv_loses_no_message() {
    let (tx, mut rx) = mpsc::channel(4);
    let mut recv = task(rx.recv());
    recv.is_pending();
    tx.try_send(1).unwrap();
    assert!(recv.is_woken());
    drop(recv);
    assert_eq!(rx.try_recv(), Ok(1));
    let mut recv = task(rx.recv());
    recv.is_pending();
    drop(recv);
    let mut recv = task(rx.recv());
    recv.is_pending();
    tx.try_send(2).unwrap();
    assert_eq!(recv.woken_and_ready(), Some(2));
}

#[test]
fn a_sender_waits_for_room_in_turn() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(0).unwrap();
    assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)));
    let (mut a, mut b) = (task(tx.send(1)), task(tx.send(2)));
    a.is_pending();
    b.is_pending();
    assert_eq!(rx.try_recv(), Ok(0));
    assert!(!b.is_woken());
    assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)), "the room is promised");
    a.woken_and_ready().unwrap();
    assert_eq!(rx.try_recv(), Ok(1));
    b.woken_and_ready().unwrap();
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!((tx.capacity(), tx.max_capacity()), (1, 1));
}

#[test]
fn a_dropped_send_passes_its_room_on() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(0).unwrap();
    let (mut a, mut b) = (task(tx.send(1)), task(tx.send(2)));
    a.is_pending();
    b.is_pending();
    assert_eq!(rx.try_recv(), Ok(0));
    drop(a);
    b.woken_and_ready().unwrap();
    assert_eq!(rx.try_recv(), Ok(2));
}

#[test]
fn permits_are_used_or_given_back() {
    let (tx, mut rx) = mpsc::channel(3);
    let permit = task(tx.reserve()).ready().unwrap();
    let two = tx.try_reserve_many(2).unwrap();
    assert_eq!(two.len(), 2);
    assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Full(()));
    assert_eq!(tx.try_reserve_many(4).unwrap_err(), TrySendError::Full(()));
    assert!(task(tx.reserve_many(4)).ready().is_err());
    for (i, permit) in two.enumerate() {
        permit.send(i);
    }
    drop(permit);
    assert_eq!(tx.capacity(), 1);
    let other = tx.clone();
    let owned = task(tx.reserve_owned()).ready().unwrap();
    assert!(owned.same_channel_as_sender(&other) && owned.same_channel(&owned));
    let tx = owned.send(7);
    let error = tx.try_reserve_owned().unwrap_err();
    let tx = match error {
        TrySendError::Full(tx) => tx,
        TrySendError::Closed(_) => panic!("it is open"),
    };
    let mut all = Vec::new();
    assert_eq!(task(rx.recv_many(&mut all, 0)).ready(), 0);
    assert_eq!(task(rx.recv_many(&mut all, 9)).ready(), 3);
    assert_eq!(all, [0, 1, 7]);
    let tx = tx.try_reserve_owned().unwrap().release();
    assert_eq!(tx.capacity(), 3);
    drop((tx, other));
    assert_eq!(task(rx.recv_many(&mut all, 9)).ready(), 0);
}

#[test]
fn a_closed_receiver_gets_what_was_promised_then_the_end() {
    let (tx, mut rx) = mpsc::channel(3);
    tx.try_send(1).unwrap();
    let permit = tx.try_reserve().unwrap();
    let unused = tx.try_reserve().unwrap();
    let mut waiting = task(tx.reserve());
    waiting.is_pending();
    let mut closed = task(tx.closed());
    closed.is_pending();
    rx.close();
    assert!(tx.is_closed());
    closed.woken_and_ready();
    assert!(waiting.woken_and_ready().is_err());
    assert_eq!(tx.try_send(9), Err(TrySendError::Closed(9)));
    assert_eq!(task(tx.send(9)).ready().unwrap_err().0, 9);
    assert_eq!(task(rx.recv()).ready(), Some(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    {
        let mut recv = task(rx.recv());
        recv.is_pending();
        permit.send(2);
        assert_eq!(recv.woken_and_ready(), Some(2));
    }
    let mut recv = task(rx.recv());
    recv.is_pending();
    drop(unused);
    assert_eq!(recv.woken_and_ready(), None);
    drop(recv);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    drop((waiting, closed));
    drop(tx);
    assert_eq!(task(rx.recv()).ready(), None);
}

#[test]
fn a_send_that_was_granted_before_the_close_wakes_the_receiver_when_it_goes() {
    for polled in [true, false] {
        let (tx, mut rx) = mpsc::channel(1);
        tx.try_send(0).unwrap();
        let mut send = task(tx.send(1));
        send.is_pending();
        assert_eq!(rx.try_recv(), Ok(0));
        assert!(send.is_woken());
        rx.close();
        let mut recv = task(rx.recv());
        recv.is_pending();
        if polled {
            assert_eq!(send.ready().unwrap_err().0, 1);
        } else {
            drop(send);
        }
        assert_eq!(recv.woken_and_ready(), None);
    }
}

#[test]
fn a_closed_unbounded_receiver_gets_the_rest() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    tx.send(1).unwrap();
    rx.close();
    assert!(tx.is_closed() && rx.is_closed());
    assert_eq!(tx.send(2).unwrap_err().0, 2);
    task(tx.closed()).ready();
    assert_eq!(task(rx.recv()).ready(), Some(1));
    assert_eq!(task(rx.recv()).ready(), None);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn dropping_the_receiver_drops_the_messages_and_wakes_the_senders() {
    let value = Arc::new(());
    let (tx, rx) = mpsc::channel(40);
    for _ in 0..39 {
        tx.try_send(value.clone()).unwrap();
    }
    let permit = tx.try_reserve().unwrap();
    let mut send = task(tx.send(value.clone()));
    send.is_pending();
    drop(rx);
    assert_eq!(Arc::strong_count(&value), 2);
    assert!(send.woken_and_ready().is_err());
    permit.send(value.clone());
    assert_eq!(Arc::strong_count(&value), 2, "it stays until the channel goes");
    drop(send);
    drop(tx);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn weak_senders_do_not_keep_it_open() {
    let (tx, mut rx) = mpsc::channel::<i32>(1);
    let weak = tx.downgrade();
    let weak2 = weak.clone();
    assert_eq!((tx.strong_count(), weak.weak_count(), rx.sender_weak_count()), (1, 2, 2));
    let again = weak.upgrade().unwrap();
    assert!(again.same_channel(&tx));
    assert_eq!(rx.sender_strong_count(), 2);
    drop((tx, again, weak2));
    assert!(weak.upgrade().is_none());
    assert_eq!((weak.strong_count(), weak.weak_count()), (0, 1));
    assert_eq!(task(rx.recv()).ready(), None);
    let (tx, _rx) = mpsc::unbounded_channel::<i32>();
    let weak = tx.downgrade();
    assert!(weak.clone().upgrade().unwrap().same_channel(&tx));
    drop(tx);
    assert!(weak.upgrade().is_none());
}

#[test]
fn another_task_may_take_over_poll_recv() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    let mut noop = Context::from_waker(std::task::Waker::noop());
    assert!(rx.poll_recv(&mut noop).is_pending());
    let mut recv = task(rx.recv());
    recv.is_pending();
    tx.send(1).unwrap();
    assert_eq!(recv.woken_and_ready(), Some(1));
    drop(recv);
    let mut all = Vec::new();
    assert!(rx.poll_recv_many(&mut noop, &mut all, 2).is_pending());
    tx.send(2).unwrap();
    assert_eq!(rx.poll_recv_many(&mut noop, &mut all, 2), Poll::Ready(1));
}

#[test]
fn wakers_are_dropped_with_the_receiver() {
    struct Held;
    impl std::task::Wake for Held {
        fn wake(self: Arc<Self>) {}
    }
    let held = Arc::new(Held);
    let waker = std::task::Waker::from(held.clone());
    let (_tx, mut rx) = mpsc::unbounded_channel::<i32>();
    assert!(rx.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(Arc::strong_count(&held), 3);
    drop(rx);
    assert_eq!(Arc::strong_count(&held), 2);
}

#[test]
fn a_waker_that_panics_does_not_lose_the_message() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    let waker = panicking_waker();
    assert!(rx.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    panics(|| tx.send(1));
    assert_eq!(rx.try_recv(), Ok(1));
    tx.send(2).unwrap();
    assert_eq!(task(rx.recv()).ready(), Some(2));
}

#[test]
fn a_value_whose_drop_panics_does_not_keep_the_others() {
    struct Bomb(#[allow(dead_code)] Arc<()>, bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.1, "bomb");
        }
    }
    let alive = Arc::new(());
    let (tx, rx) = mpsc::unbounded_channel();
    for i in 0..5 {
        assert!(tx.send(Bomb(alive.clone(), i == 1)).is_ok());
    }
    assert_eq!(panics(|| drop(rx)), "bomb");
    drop(tx);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn receiving_takes_budget() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    for i in 0..200 {
        tx.send(i).unwrap();
    }
    budget::with(Budget::initial(), || {
        for _ in 0..budget::INITIAL {
            task(rx.recv()).ready().unwrap();
        }
        let mut recv = task(rx.recv());
        recv.is_pending();
        assert!(recv.is_woken());
    });
}

#[test]
fn no_room_at_all_panics() {
    assert!(panics(|| mpsc::channel::<i32>(0)).contains("room for 0"));
}

#[test]
fn send_timeout_needs_no_clock_where_there_is_room() {
    let (tx, mut rx) = mpsc::channel(1);
    let second = std::time::Duration::from_secs(1);
    task(tx.send_timeout(1, second)).ready().unwrap();
    assert!(panics(|| task(tx.send_timeout(2, second)).poll()).contains("needs a clock"));
    assert_eq!(rx.try_recv(), Ok(1));
    drop(rx);
    assert_eq!(task(tx.send_timeout(3, second)).ready().unwrap_err().into_inner(), 3);
}

#[test]
fn many_threads_send_and_nothing_is_lost_or_reordered() {
    const THREADS: usize = 4;
    const EACH: usize = 20_000;
    let (tx, mut rx) = mpsc::channel(10);
    let (utx, mut urx) = mpsc::unbounded_channel();
    let senders: Vec<_> = (0..THREADS)
        .map(|t| {
            let (tx, utx) = (tx.clone(), utx.clone());
            std::thread::spawn(move || {
                for i in 0..EACH {
                    utx.send((t, i)).unwrap();
                    tx.blocking_send((t, i)).unwrap();
                }
            })
        })
        .collect();
    drop((tx, utx));
    let check = |got: Vec<(usize, usize)>| {
        assert_eq!(got.len(), THREADS * EACH);
        let mut next = [0; THREADS];
        for (t, i) in got {
            assert_eq!(next[t], i);
            next[t] += 1;
        }
    };
    let unbounded = std::thread::spawn(move || {
        let mut got = Vec::new();
        while urx.blocking_recv_many(&mut got, 7) > 0 {}
        got
    });
    let mut got = Vec::new();
    while let Some(m) = rx.blocking_recv() {
        got.push(m);
    }
    check(got);
    check(unbounded.join().unwrap());
    for t in senders {
        t.join().unwrap();
    }
}

#[test]
fn every_end_counts_the_senders() {
    let (tx, rx) = mpsc::channel(3);
    let weak = tx.downgrade();
    assert_eq!((tx.weak_count(), rx.max_capacity(), rx.is_empty()), (1, 3, true));
    tx.try_send(1).unwrap();
    drop(weak);
    assert_eq!((tx.strong_count(), tx.weak_count(), rx.is_empty()), (1, 0, false));

    let (tx, rx) = mpsc::unbounded_channel::<()>();
    let (other, weak) = (tx.clone(), tx.downgrade());
    let counts = [
        (tx.strong_count(), tx.weak_count()),
        (weak.strong_count(), weak.weak_count()),
        (rx.sender_strong_count(), rx.sender_weak_count()),
    ];
    assert_eq!(counts, [(2, 1); 3]);
    drop((tx, other));
    assert_eq!((weak.strong_count(), rx.sender_strong_count()), (0, 0));
    drop(weak);
    assert_eq!(rx.sender_weak_count(), 0);
}

#[test]
fn messages_by_polling() {
    let (tx, mut rx) = mpsc::channel(4);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(rx.poll_recv(&mut cx).is_pending());
    (0..4).for_each(|i| tx.try_send(i).unwrap());
    assert_eq!(rx.poll_recv(&mut cx), Poll::Ready(Some(0)));
    let mut got = Vec::new();
    assert_eq!(rx.poll_recv_many(&mut cx, &mut got, 2), Poll::Ready(2));
    assert_eq!(rx.poll_recv_many(&mut cx, &mut got, 2), Poll::Ready(1));
    assert_eq!(got, [1, 2, 3]);
    assert!(rx.poll_recv_many(&mut cx, &mut got, 2).is_pending());
    drop(tx);
    assert_eq!(rx.poll_recv_many(&mut cx, &mut got, 2), Poll::Ready(0));
    assert_eq!(rx.poll_recv(&mut cx), Poll::Ready(None));
}

#[test]
fn what_was_not_sent_comes_back() {
    let (tx, rx) = mpsc::channel(1);
    tx.try_send("first").unwrap();
    assert_eq!(tx.try_send("full").unwrap_err().into_inner(), "full");
    drop(rx);
    assert_eq!(tx.try_send("closed").unwrap_err().into_inner(), "closed");
}
