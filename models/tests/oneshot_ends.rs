//! The oneshot channel: its two sides end at once, in every way.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::thread;
use shinkan_sync::oneshot;

#[test]
fn send_meets_recv() {
    loom::model(|| {
        let (sender, receiver) = oneshot::channel();
        let thread = thread::spawn(move || sender.send(7));
        assert_eq!(block_on(receiver), Ok(7));
        assert_eq!(thread.join().unwrap(), Ok(()));
    });
}

#[test]
fn drop_of_the_sender_meets_recv() {
    loom::model(|| {
        let (sender, receiver) = oneshot::channel::<u32>();
        let thread = thread::spawn(move || drop(sender));
        assert!(block_on(receiver).is_err());
        thread.join().unwrap();
    });
}

#[test]
fn send_meets_drop_of_the_receiver() {
    loom::model(|| {
        // Not loom's: it only counts whether the value was dropped.
        let value = std::sync::Arc::new(());
        let (sender, receiver) = oneshot::channel();
        let its_value = value.clone();
        let thread = thread::spawn(move || drop(sender.send(its_value)));
        drop(receiver);
        thread.join().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&value), 1);
    });
}

#[test]
fn send_meets_close() {
    loom::model(|| {
        let (sender, mut receiver) = oneshot::channel();
        let thread = thread::spawn(move || sender.send(7).is_ok());
        receiver.close();
        let received = receiver.try_recv().is_ok();
        assert_eq!(thread.join().unwrap(), received, "a value is received or given back");
    });
}

#[test]
fn closed_meets_drop_of_the_receiver() {
    loom::model(|| {
        let (mut sender, receiver) = oneshot::channel::<u32>();
        let thread = thread::spawn(move || {
            block_on(sender.closed());
            assert_eq!(sender.send(7), Err(7));
        });
        drop(receiver);
        thread.join().unwrap();
    });
}
