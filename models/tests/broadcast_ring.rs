//! The broadcast channel: a message, or the end of a side, meets a task that begins to wait for it.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::thread;
use shinkan_sync::broadcast;
use shinkan_sync::broadcast::error::RecvError;

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
fn closed_meets_the_end_of_the_last_receiver() {
    loom::model(|| {
        let (sender, receiver) = broadcast::channel::<i32>(1);
        let watcher = thread::spawn(move || block_on(sender.closed()));
        drop(receiver);
        watcher.join().unwrap();
    });
}
