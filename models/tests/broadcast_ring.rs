//! The broadcast channel: a message, or the end of a side, meets a task that begins to wait for it.
#![cfg(shinkan_loom)]

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};
use loom::future::block_on;
use loom::thread;
use shinkan_sync::broadcast;
use shinkan_sync::broadcast::error::{RecvError, TryRecvError};

#[test]
fn recv_meets_send() {
    loom::model(|| {
        let (sender, mut receiver) = broadcast::channel(1);
        let taker = thread::spawn(move || {
            assert_eq!(block_on(receiver.recv()), Ok(1));
        });
        sender.send(1).unwrap();
        taker.join().unwrap();
    });
}

#[test]
fn recv_meets_a_send_into_its_slot() {
    loom::model(|| {
        let (sender, mut receiver) = broadcast::channel(1);
        sender.send(1).unwrap();
        let taker = thread::spawn(move || {
            match block_on(receiver.recv()) {
                Ok(1) => {}
                Err(RecvError::Lagged(1)) => {}
                other => panic!("the first message was {other:?}"),
            }
            assert_eq!(block_on(receiver.recv()), Ok(2));
        });
        sender.send(2).unwrap();
        taker.join().unwrap();
        assert!(sender.is_empty());
    });
}

#[test]
fn recv_meets_the_end_of_the_last_sender() {
    loom::model(|| {
        let (sender, mut receiver) = broadcast::channel::<i32>(1);
        let taker = thread::spawn(move || {
            assert_eq!(block_on(receiver.recv()), Err(RecvError::Closed));
        });
        drop(sender);
        taker.join().unwrap();
    });
}

#[test]
fn a_look_meets_the_last_message_and_the_end() {
    loom::model(|| {
        let (sender, mut receiver) = broadcast::channel(1);
        let last = thread::spawn(move || {
            sender.send(1).unwrap();
        });
        loop {
            match receiver.try_recv() {
                Err(TryRecvError::Empty) => thread::yield_now(),
                first => break assert_eq!(first, Ok(1)),
            }
        }
        last.join().unwrap();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn a_recv_that_is_dropped_meets_send() {
    loom::model(|| {
        let (sender, mut receiver) = broadcast::channel(1);
        let leaver = thread::spawn(move || {
            let first = {
                let mut recv = pin!(receiver.recv());
                recv.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            };
            if first.is_pending() {
                assert_eq!(block_on(receiver.recv()), Ok(1));
            }
        });
        sender.send(1).unwrap();
        leaver.join().unwrap();
        assert!(sender.is_empty());
    });
}

#[test]
fn closed_meets_the_end_of_the_last_receiver() {
    loom::model(|| {
        let (sender, receiver) = broadcast::channel::<i32>(1);
        let watcher = thread::spawn(move || block_on(sender.closed()));
        drop(receiver);
        watcher.join().unwrap();
    });
}
