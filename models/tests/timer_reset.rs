//! A timer fires while its future resets it.
#![cfg(shinkan_loom)]

use loom::thread;
use shinkan_base::wakers::Wakers;
use shinkan_models::calls::Calls;
use shinkan_models::leaked;
use shinkan_wheel::{Entry, Shard};
use std::pin::Pin;
use std::task::Poll;

fn poll(
    entry: &mut Pin<Box<Entry>>,
    calls: &Calls,
    shard: &'static Shard,
    deadline: u64,
) -> Poll<Result<(), shinkan_wheel::Closed>> {
    entry.as_mut().poll(&calls.waker(), &mut false, || (shard, deadline))
}

fn fire(shard: &Shard, now: u64) {
    let mut out = Wakers::new();
    assert!(!shard.fire(now, &mut out));
    out.wake_all();
}

/// An entry that is registered for tick 5, and a thread that fires it.
fn start() -> (&'static Shard, Calls, Pin<Box<Entry>>, thread::JoinHandle<()>) {
    let shard = leaked(Shard::new(0, thread::yield_now));
    let calls = Calls::new();
    let mut entry = Box::pin(Entry::new());
    assert!(poll(&mut entry, &calls, shard, 5).is_pending());
    let firing = thread::spawn(move || fire(shard, 9));
    (shard, calls, entry, firing)
}

/// A reset and a new registration: its waker is called at the new deadline, the old one once at
/// most.
#[test]
fn a_reset_entry_fires_anew() {
    loom::model(|| {
        let (shard, old, mut entry, firing) = start();
        let new = Calls::new();
        entry.as_mut().reset();
        assert!(poll(&mut entry, &new, shard, 20).is_pending());
        firing.join().unwrap();
        assert!(old.count() <= 1);
        assert_eq!((old.alive(), new.alive(), new.count()), (0, 1, 0));
        assert_eq!(shard.next_deadline(), 20);
        fire(shard, 20);
        assert_eq!((new.alive(), new.count()), (0, 1));
        assert_eq!(poll(&mut entry, &new, shard, 30), Poll::Ready(Ok(())));
    });
}

/// A move to a later deadline, which takes no lock: the entry is late to it and fires, or fires at
/// the new deadline.
#[test]
fn a_moved_entry_fires_once() {
    loom::model(|| {
        let (shard, calls, mut entry, firing) = start();
        let _ = entry.as_mut().move_to(20);
        firing.join().unwrap();
        let fired = calls.count();
        assert!(fired <= 1);
        if fired == 1 {
            // Moved after it had fired: the next poll registers it.
            assert!(poll(&mut entry, &calls, shard, 20).is_pending());
        }
        assert_eq!((calls.alive(), shard.next_deadline() <= 20), (1, true));
        fire(shard, 20);
        assert_eq!((calls.alive(), calls.count()), (0, fired + 1));
        assert!(entry.is_fired());
    });
}

/// A move to an earlier deadline, under the lock.
#[test]
fn an_entry_moved_closer_fires_once() {
    loom::model(|| {
        let (shard, calls, mut entry, firing) = start();
        let _ = entry.as_mut().move_to(3);
        firing.join().unwrap();
        assert_eq!((calls.alive(), calls.count()), (0, 1));
        assert_eq!(shard.next_deadline(), u64::MAX);
    });
}

/// A poll for another task: that task is woken, or is told that the time is over.
#[test]
fn the_new_waker_is_called_or_the_poll_is_ready() {
    loom::model(|| {
        let (shard, old, mut entry, firing) = start();
        let new = Calls::new();
        let answer = poll(&mut entry, &new, shard, 20);
        firing.join().unwrap();
        match answer {
            Poll::Pending => assert_eq!((old.count(), new.count()), (0, 1)),
            Poll::Ready(answer) => {
                assert_eq!((answer, old.count(), new.count()), (Ok(()), 1, 0));
            }
        }
        assert_eq!((old.alive(), new.alive()), (0, 0));
    });
}
