//! A runtime ends while a future registers its timer.
#![cfg(shinkan_loom)]

use loom::thread;
use shinkan_base::wakers::Wakers;
use shinkan_models::calls::Calls;
use shinkan_models::leaked;
use shinkan_wheel::{Closed, Entry, Shard};
use std::task::Poll;

fn close(shard: &Shard) {
    let mut out = Wakers::new();
    assert!(!shard.close(&mut out));
    out.wake_all();
}

/// It is refused, or it is woken and then refused; it does not wait for ever.
#[test]
fn a_registration_is_refused_or_woken() {
    loom::model(|| {
        let shard = leaked(Shard::new(0, thread::yield_now));
        let calls = Calls::new();
        let closing = thread::spawn(move || close(shard));
        let mut entry = Box::pin(Entry::new());
        let poll = entry.as_mut().poll(&calls.waker(), &mut false, || (shard, 5));
        closing.join().unwrap();
        assert_eq!(calls.count(), usize::from(poll.is_pending()));
        let poll = entry.as_mut().poll(&calls.waker(), &mut false, || unreachable!());
        assert_eq!(poll, Poll::Ready(Err(Closed)));
        drop(entry);
        assert_eq!((calls.alive(), shard.next_deadline()), (0, u64::MAX));
    });
}

/// An entry that is closed while its future drops it.
#[test]
fn nobody_touches_a_dropped_entry() {
    loom::model(|| {
        let shard = leaked(Shard::new(0, thread::yield_now));
        let calls = Calls::new();
        let mut entry = Box::pin(Entry::new());
        let poll = entry.as_mut().poll(&calls.waker(), &mut false, || (shard, 5));
        assert!(poll.is_pending());
        let closing = thread::spawn(move || close(shard));
        drop(entry);
        closing.join().unwrap();
        assert!(calls.count() <= 1);
        assert_eq!(calls.alive(), 0);
    });
}
