//! A timer whose worker loses its core: the monitor takes the core, the spare thread turns the
//! wheel, and the first thread, back from its poll, drops the timer.
#![cfg(shinkan_loom)]

use loom::sync::atomic::{Ordering, fence};
use loom::thread;
use shinkan_base::atomics::Arc;
use shinkan_base::place::PlaceWord;
use shinkan_base::wakers::Wakers;
use shinkan_models::calls::Calls;
use shinkan_models::leaked;
use shinkan_rt::handshake::Seat;
use shinkan_wheel::{Entry, Shard};

/// Whoever has the core fires the timer, or the drop has unlinked it; the waker is called once at
/// most, and nobody touches the entry after its drop.
#[test]
fn the_next_tenant_fires_while_the_last_one_drops() {
    loom::model(|| {
        let shard = leaked(Shard::new(0, thread::yield_now));
        let calls = Calls::new();
        let seat = Seat::new(false);
        seat.leave_to_poll(1, PlaceWord::NONE);
        let seat = Arc::new(seat);
        let mut entry = Box::pin(Entry::new());
        let poll = entry.as_mut().poll(&calls.waker(), &mut false, || (shard, 5));
        assert!(poll.is_pending());
        let monitor = {
            let seat = Arc::clone(&seat);
            thread::spawn(move || {
                if !seat.try_take(1, || fence(Ordering::SeqCst)) {
                    return false;
                }
                let mut out = Wakers::new();
                assert!(!shard.fire(9, &mut out));
                out.wake_all();
                true
            })
        };
        drop(entry);
        let kept = seat.enter();
        if kept {
            let mut out = Wakers::new();
            assert!(!shard.fire(9, &mut out));
            assert!(out.is_empty(), "a dropped timer fired");
        }
        let taken = monitor.join().unwrap();
        assert!(taken || kept, "nobody turns the wheel");
        assert!(!kept || !taken, "two tenants turn it");
        assert!(calls.count() <= 1);
        assert_eq!(calls.alive(), 0);
        assert_eq!(shard.next_deadline(), u64::MAX);
    });
}
