//! A timer fires while its future is dropped.
#![cfg(shinkan_loom)]

use loom::thread;
use shinkan_base::wakers::Wakers;
use shinkan_models::calls::Calls;
use shinkan_models::leaked;
use shinkan_wheel::{Entry, Shard};

/// The drop has unlinked when it returns, and nobody touches the entry after it; the waker is
/// called or dropped, once.
#[test]
fn nobody_touches_a_dropped_entry() {
    loom::model(|| {
        let shard = leaked(Shard::new(0, thread::yield_now));
        let calls = Calls::new();
        let mut entry = Box::pin(Entry::new());
        let poll = entry.as_mut().poll(&calls.waker(), &mut false, || (shard, 5));
        assert!(poll.is_pending());
        let firing = thread::spawn(move || {
            let mut out = Wakers::new();
            assert!(!shard.fire(9, &mut out));
            out.wake_all();
        });
        drop(entry);
        firing.join().unwrap();
        assert!(calls.count() <= 1);
        assert_eq!(calls.alive(), 0);
        assert_eq!(shard.next_deadline(), u64::MAX);
    });
}
