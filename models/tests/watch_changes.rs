//! The watch channel: a change, or the end of a side, meets a task that begins to wait for it.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use shinkan_models::guarded::Guarded;
use shinkan_sync::watch;

#[test]
fn changed_meets_send() {
    loom::model(|| {
        let (sender, mut receiver) = watch::channel(0);
        let guarded = Arc::new(Guarded::new());
        let its_guarded = guarded.clone();
        let watcher = thread::spawn(move || {
            block_on(receiver.changed()).expect("the sender lives");
            assert_eq!(its_guarded.add(), 2);
            assert_eq!(*receiver.borrow_and_update(), 1);
        });
        guarded.add();
        sender.send_replace(1);
        watcher.join().unwrap();
    });
}

#[test]
fn changed_meets_the_end_of_the_last_sender() {
    loom::model(|| {
        let (sender, mut receiver) = watch::channel(0);
        let watcher = thread::spawn(move || {
            assert!(block_on(receiver.changed()).is_err());
        });
        drop(sender);
        watcher.join().unwrap();
    });
}

#[test]
fn closed_meets_the_end_of_the_last_receiver() {
    loom::model(|| {
        let (sender, receiver) = watch::channel(0);
        let watcher = thread::spawn(move || block_on(sender.closed()));
        drop(receiver);
        watcher.join().unwrap();
    });
}
