//! The queue of a channel: messages over the edge of a block (two slots here), the waker, the end.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::thread;
use shinkan_sync::mpsc;

/// With all switches of threads the larger ones walk for hours.
fn check(switches: usize, f: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(switches);
    model.check(f);
}

#[test]
fn send_meets_recv() {
    check(2, || {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let thread = thread::spawn(move || {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        });
        assert_eq!(block_on(receiver.recv()), Some(1));
        assert_eq!(block_on(receiver.recv()), Some(2));
        assert_eq!(block_on(receiver.recv()), None);
        thread.join().unwrap();
    });
}

#[test]
fn two_senders_meet_at_the_edge_of_a_block() {
    check(1, || {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        sender.send(0).unwrap();
        sender.send(0).unwrap();
        let threads = [1, 2].map(|i| {
            let sender = sender.clone();
            thread::spawn(move || sender.send(i).unwrap())
        });
        drop(sender);
        let mut sum = 0;
        while let Some(i) = block_on(receiver.recv()) {
            sum += i;
        }
        assert_eq!(sum, 3);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_sender_waits_for_room() {
    check(2, || {
        let (sender, mut receiver) = mpsc::channel(1);
        let thread = thread::spawn(move || {
            block_on(sender.send(1)).unwrap();
            block_on(sender.send(2)).unwrap();
        });
        assert_eq!(block_on(receiver.recv()), Some(1));
        assert_eq!(block_on(receiver.recv()), Some(2));
        thread.join().unwrap();
    });
}

#[test]
fn an_unused_permit_ends_a_closed_channel() {
    check(3, || {
        let (sender, mut receiver) = mpsc::channel::<u32>(1);
        let _open = sender.clone();
        let permit = sender.try_reserve_owned().unwrap();
        let thread = thread::spawn(move || drop(permit));
        receiver.close();
        assert_eq!(block_on(receiver.recv()), None);
        thread.join().unwrap();
    });
}
