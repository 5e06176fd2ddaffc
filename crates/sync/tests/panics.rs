//! User code that panics inside each primitive: wakers, drops, clones, closures. Afterwards the
//! state is consistent, and all others are woken.

mod common;

use common::cases::{Case, Lets, World, each};
use common::{panicking_waker, panics, task};
use shinkan_sync::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

/// A waker whose last clone panics when it is dropped before it was called.
fn waker_that_panics_when_dropped() -> Waker {
    #[derive(Default)]
    struct Panics(AtomicBool);
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    impl Drop for Panics {
        fn drop(&mut self) {
            assert!(*self.0.get_mut(), "this waker's drop panics");
        }
    }
    Waker::from(Arc::new(Panics::default()))
}

fn waker_that_panics_when_cloned() -> Waker {
    fn clone(_: *const ()) -> RawWaker {
        panic!("this waker's clone panics")
    }
    fn nothing(_: *const ()) {}
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, nothing);
    // SAFETY:
    // - the functions of the table ignore the pointer.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &TABLE)) }
}

/// Panics when it is dropped, if it is bad; counts either way.
struct Dropped<'a>(bool, &'a AtomicUsize);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
        assert!(!self.0, "this drop panics");
    }
}

impl Clone for Dropped<'_> {
    fn clone(&self) -> Self {
        Self(self.0, self.1)
    }
}

fn may_panic(f: impl FnOnce()) {
    drop(catch_unwind(AssertUnwindSafe(f)));
}

fn next_is_served(case: &Case, world: &World) {
    if case.stored {
        world.op().ready();
        world.end();
    } else {
        world.op().is_pending();
    }
}

#[test]
fn a_waker_panics_when_it_is_called() {
    each(|case| {
        let world = (case.world)();
        let mut op = world.op();
        assert!(op.poll_for(&panicking_waker()).is_pending());
        let mut others: Vec<_> =
            if case.lets == Lets::Alone { vec![] } else { vec![world.op(), world.op()] };
        others.iter_mut().for_each(|other| other.is_pending());
        panics(|| world.release());
        if case.lets == Lets::One {
            others.truncate(1);
        }
        if case.lets == Lets::All {
            others.iter_mut().for_each(|other| other.woken_and_ready());
            op.ready();
            return world.end();
        }
        assert!(others.iter().all(|other| !other.is_woken()));
        drop(op);
        match others.pop() {
            Some(mut next) => {
                next.woken_and_ready();
                world.end();
            }
            None => next_is_served(case, &world),
        }
    });
}

#[test]
fn a_waker_panics_when_it_is_called_and_the_operation_goes_on() {
    each(|case| {
        let world = (case.world)();
        let mut op = world.op();
        assert!(op.poll_for(&panicking_waker()).is_pending());
        panics(|| world.release());
        op.ready();
        world.end();
    });
}

#[test]
fn a_waker_panics_when_it_is_cloned() {
    each(|case| {
        let world = (case.world)();
        let mut op = world.op();
        panics(|| op.poll_for(&waker_that_panics_when_cloned()));
        drop(op);
        let mut next = world.op();
        next.is_pending();
        world.release();
        next.woken_and_ready();
        world.end();
    });
}

#[test]
fn a_waker_panics_when_it_is_cloned_to_replace_another() {
    each(|case| {
        for released in [false, true] {
            let world = (case.world)();
            let mut op = world.op();
            op.is_pending();
            // A waker that is replaced after the release need not be cloned.
            if released {
                world.release();
            }
            may_panic(|| {
                assert!(op.poll_for(&waker_that_panics_when_cloned()).is_ready() == released);
            });
            drop(op);
            if !released {
                world.release();
                next_is_served(case, &world);
            }
        }
    });
}

#[test]
fn a_waker_panics_when_it_is_dropped_with_the_operation() {
    each(|case| {
        let world = (case.world)();
        let mut op = world.op();
        assert!(op.poll_for(&waker_that_panics_when_dropped()).is_pending());
        let mut next = (case.lets != Lets::Alone).then(|| world.op());
        if let Some(next) = &mut next {
            next.is_pending();
        }
        may_panic(|| drop(op));
        may_panic(|| world.release());
        match &mut next {
            Some(next) => {
                next.woken_and_ready();
                world.end();
            }
            None => next_is_served(case, &world),
        }
    });
}

#[test]
fn a_waker_panics_when_it_is_dropped_for_another() {
    each(|case| {
        let world = (case.world)();
        let mut op = world.op();
        assert!(op.poll_for(&waker_that_panics_when_dropped()).is_pending());
        may_panic(|| op.is_pending());
        world.release();
        drop(op);
        next_is_served(case, &world);
    });
}

#[test]
fn a_waiter_that_collected_panics_when_it_is_dropped_and_the_next_is_woken() {
    let s = Semaphore::new(0);
    let (mut many, mut next) = (task(s.acquire_many(3)), task(s.acquire_many(2)));
    assert!(many.poll_for(&waker_that_panics_when_dropped()).is_pending());
    next.is_pending();
    s.add_permits(2);
    assert!(panics(|| many.cancel()).contains("drop panics"));
    drop(next.woken_and_ready());
    assert_eq!(s.available_permits(), 2);
    let lock = RwLock::new(());
    let reader = lock.try_read().unwrap();
    let (mut writer, mut next) = (task(lock.write()), task(lock.read()));
    assert!(writer.poll_for(&waker_that_panics_when_dropped()).is_pending());
    next.is_pending();
    assert!(panics(|| writer.cancel()).contains("drop panics"));
    drop((next.woken_and_ready(), reader));
    drop(lock.try_write().unwrap());
}

#[test]
fn a_closed_channel_ends_though_the_waker_of_a_dropped_send_panics() {
    let (tx, mut rx) = mpsc::channel::<()>(2);
    tx.try_send(()).unwrap();
    let mut reserve = task(tx.reserve_many(2));
    assert!(reserve.poll_for(&waker_that_panics_when_dropped()).is_pending());
    may_panic(|| rx.close());
    assert_eq!(task(rx.recv()).ready(), Some(()));
    let mut end = task(rx.recv());
    end.is_pending();
    may_panic(|| reserve.cancel());
    assert_eq!(end.woken_and_ready(), None);
}

#[test]
fn closing_wakes_all_though_a_sender_s_waker_panics() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(0).unwrap();
    let (mut a, mut b) = (task(tx.send(1)), task(tx.send(2)));
    let mut closed = task(tx.closed());
    assert!(a.poll_for(&panicking_waker()).is_pending());
    b.is_pending();
    closed.is_pending();
    panics(|| rx.close());
    assert!(b.woken_and_ready().is_err());
    closed.woken_and_ready();
    assert!(a.ready().is_err());
    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!(rx.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
}

#[test]
fn a_receiver_that_goes_while_a_sender_s_waker_panics_drops_each_message_once() {
    let drops = AtomicUsize::new(0);
    let (tx, mut rx) = mpsc::channel(40);
    (0..40).for_each(|_| assert!(tx.try_send(Dropped(false, &drops)).is_ok()));
    // More than a block of messages was received, so blocks were used again.
    for n in 1..=70 {
        drop(rx.try_recv().unwrap());
        assert_eq!(drops.load(Ordering::Relaxed), n);
        assert!(tx.try_send(Dropped(false, &drops)).is_ok());
    }
    let mut send = task(tx.send(Dropped(false, &drops)));
    let mut closed = task(tx.closed());
    assert!(send.poll_for(&panicking_waker()).is_pending());
    closed.is_pending();
    panics(|| drop(rx));
    closed.woken_and_ready();
    assert!(send.ready().is_err());
    drop(closed);
    drop(send);
    drop(tx);
    assert_eq!(drops.load(Ordering::Relaxed), 111);
}

#[test]
fn a_receiver_that_waits_goes_though_its_waker_panics() {
    let drops = AtomicUsize::new(0);
    let (tx, mut rx) = mpsc::unbounded_channel();
    assert!(tx.send(Dropped(false, &drops)).is_ok());
    drop(rx.try_recv());
    assert!(task(rx.recv()).poll_for(&waker_that_panics_when_dropped()).is_pending());
    may_panic(|| drop(rx));
    assert!(tx.send(Dropped(false, &drops)).is_err());
    drop(tx);
    assert_eq!(drops.load(Ordering::Relaxed), 2);
}

#[test]
fn a_message_whose_drop_panics_keeps_no_other_in_a_channel_without_receiver() {
    let drops = AtomicUsize::new(0);
    let (tx, rx) = mpsc::channel(3);
    let permits: Vec<_> = tx.try_reserve_many(3).unwrap().collect();
    drop(rx);
    for (i, permit) in permits.into_iter().enumerate() {
        permit.send(Dropped(i == 0, &drops));
    }
    panics(|| drop(tx));
    assert_eq!(drops.load(Ordering::Relaxed), 3);
}

#[test]
fn a_sender_that_ends_the_channel_panics_by_the_receiver_s_waker() {
    let (tx, mut rx) = mpsc::channel::<()>(1);
    let mut recv = task(rx.recv());
    assert!(recv.poll_for(&panicking_waker()).is_pending());
    panics(|| drop(tx));
    assert_eq!(recv.ready(), None);
    let (tx, mut rx) = oneshot::channel::<i32>();
    assert!(task(&mut rx).poll_for(&panicking_waker()).is_pending());
    panics(|| drop(tx));
    assert!(task(rx).ready().is_err());
}

#[test]
fn a_guard_that_is_dropped_by_a_panic_unlocks_and_wakes_the_next() {
    let lock = Mutex::new(1);
    let mut next = task(lock.lock());
    let panic = panics(|| {
        let mut guard = lock.try_lock().unwrap();
        next.is_pending();
        *guard = 2;
        panic!("with the lock");
    });
    assert_eq!(panic, "with the lock");
    assert_eq!(*next.woken_and_ready(), 2);
    let lock = RwLock::new(1);
    let (mut read, mut write) = (task(lock.read()), task(lock.write()));
    panics(|| {
        let _guard = lock.try_write().unwrap();
        read.is_pending();
        write.is_pending();
        panic!("with the lock");
    });
    drop(read.woken_and_ready());
    drop(write.woken_and_ready());
    let s = Semaphore::new(2);
    let mut next = task(s.acquire_many(2));
    panics(|| {
        let _permit = s.try_acquire().unwrap();
        next.is_pending();
        panic!("with a permit");
    });
    drop(next.woken_and_ready());
    assert_eq!(s.available_permits(), 2);
}

#[test]
fn a_downgrade_wakes_a_reader_whose_waker_panics_and_loses_no_permit() {
    let lock = Arc::new(RwLock::new(()));
    let wait = || {
        let mut read = task(lock.read());
        (lock.clone(), move || assert!(read.poll_for(&panicking_waker()).is_pending()))
    };
    for how in 0..6 {
        let (_, mut is_pending) = wait();
        if how % 2 == 0 {
            let writer = lock.try_write().unwrap();
            is_pending();
            panics(|| match how {
                0 => drop(writer.downgrade()),
                2 => drop(RwLockWriteGuard::downgrade_map(writer, |v| v)),
                _ => drop(RwLockWriteGuard::try_downgrade_map(writer, |v| Some(v)).unwrap()),
            });
        } else {
            let writer = lock.clone().try_write_owned().unwrap();
            is_pending();
            panics(|| match how {
                1 => drop(writer.downgrade()),
                3 => drop(OwnedRwLockWriteGuard::downgrade_map(writer, |v| v)),
                _ => drop(OwnedRwLockWriteGuard::try_downgrade_map(writer, |v| Some(v)).unwrap()),
            });
        }
        drop(is_pending);
        drop(lock.try_write().expect("all permits are back"));
    }
}

#[test]
fn a_closure_that_narrows_a_guard_panics_and_the_lock_is_free() {
    let lock = Arc::new(RwLock::new(1));
    panics(|| RwLockWriteGuard::map(lock.try_write().unwrap(), |_| -> &mut i32 { panic!() }));
    panics(|| RwLockWriteGuard::downgrade_map(lock.try_write().unwrap(), |_| -> &i32 { panic!() }));
    panics(|| RwLockReadGuard::map(lock.try_read().unwrap(), |_| -> &i32 { panic!() }));
    let owned = || lock.clone().try_write_owned().unwrap();
    panics(|| OwnedRwLockWriteGuard::map(owned(), |_| -> &mut i32 { panic!() }));
    panics(|| OwnedRwLockWriteGuard::downgrade_map(owned(), |_| -> &i32 { panic!() }));
    drop(owned());
}

#[test]
fn too_many_permits_wake_whom_they_serve_or_nobody() {
    let s = Semaphore::new(0);
    let mut wait = task(s.acquire());
    wait.is_pending();
    panics(|| s.add_permits(Semaphore::MAX_PERMITS + 2));
    if !wait.is_woken() {
        wait.is_pending();
        s.add_permits(1);
    }
    drop(wait.woken_and_ready());
    assert_eq!(s.available_permits(), 1);
}

#[test]
fn a_broadcast_message_whose_clone_panics_counts_as_received() {
    struct Bad<'a>(i32, Dropped<'a>);
    impl Clone for Bad<'_> {
        fn clone(&self) -> Self {
            assert!(self.0 != 0, "this clone panics");
            Self(self.0, self.1.clone())
        }
    }
    let drops = AtomicUsize::new(0);
    let (tx, mut a) = broadcast::channel(4);
    let mut b = tx.subscribe();
    assert!(tx.send(Bad(0, Dropped(false, &drops))).is_ok());
    assert!(tx.send(Bad(1, Dropped(false, &drops))).is_ok());
    assert!(panics(|| a.try_recv()).contains("clone panics"));
    assert_eq!((tx.len(), drops.load(Ordering::Relaxed)), (2, 0));
    assert!(panics(|| task(b.recv()).poll()).contains("clone panics"));
    assert_eq!((tx.len(), drops.load(Ordering::Relaxed)), (1, 1));
    assert!(a.try_recv().is_ok_and(|bad| bad.0 == 1));
    assert!(task(b.recv()).ready().is_ok_and(|bad| bad.0 == 1));
    assert!(tx.is_empty());
}

#[test]
fn an_overwritten_message_whose_drop_panics_keeps_the_new_one() {
    let drops = AtomicUsize::new(0);
    let (tx, mut rx) = broadcast::channel(1);
    assert!(tx.send(Dropped(true, &drops)).is_ok());
    panics(|| tx.send(Dropped(false, &drops)).is_ok());
    assert!(matches!(rx.try_recv(), Err(broadcast::error::TryRecvError::Lagged(1))));
    assert!(rx.try_recv().is_ok());
    assert!(tx.is_empty());
}

#[test]
fn the_last_receiver_s_drop_panics_and_the_sender_is_told() {
    let drops = AtomicUsize::new(0);
    let (tx, rx) = broadcast::channel(4);
    (0..3).for_each(|i| assert!(tx.send(Dropped(i == 0, &drops)).is_ok()));
    let mut closed = task(tx.closed());
    closed.is_pending();
    panics(|| drop(rx));
    closed.woken_and_ready();
    assert_eq!((tx.len(), drops.load(Ordering::Relaxed)), (0, 3));
}

#[test]
fn a_closure_that_panics_changes_no_version_and_poisons_nothing() {
    let (tx, mut rx) = watch::channel(1);
    let mut other = rx.clone();
    let mut changed = task(other.changed());
    changed.is_pending();
    panics(|| {
        tx.send_modify(|v| {
            *v = 2;
            panic!("in send_modify")
        })
    });
    panics(|| tx.send_if_modified(|_| panic!("in send_if_modified")));
    assert!(!changed.is_woken());
    assert!(!rx.has_changed().unwrap());
    assert_eq!((*tx.borrow(), *rx.borrow()), (2, 2));
    assert!(panics(|| task(rx.wait_for(|_| panic!("in wait_for"))).poll()).contains("wait_for"));
    tx.send(3).unwrap();
    changed.woken_and_ready().unwrap();
    task(rx.changed()).ready().unwrap();
    assert_eq!(*rx.borrow_and_update(), 3);
}

#[test]
fn a_watched_value_whose_drop_panics_is_replaced_and_told() {
    let drops = AtomicUsize::new(0);
    let (tx, mut rx) = watch::channel(Dropped(true, &drops));
    let mut changed = task(rx.changed());
    changed.is_pending();
    panics(|| tx.send(Dropped(false, &drops)).is_ok());
    changed.woken_and_ready().unwrap();
    drop(changed);
    assert!(!rx.borrow().0);
    drop(rx);
    drop(tx);
    assert_eq!(drops.load(Ordering::Relaxed), 2);
}

#[test]
fn a_filler_that_panics_lets_the_next_fill_the_cell() {
    let cell = OnceCell::new();
    let mut first = task(cell.get_or_init(|| async { panic!("in the future") }));
    let mut second = task(cell.get_or_init(|| -> std::future::Ready<i32> { panic!("in f") }));
    let mut failing = task(cell.get_or_try_init(|| async { Err::<i32, _>(()) }));
    let mut last = task(cell.get_or_init(|| async { 4 }));
    let mut filler = task(cell.get_or_init(std::future::pending));
    filler.is_pending();
    first.is_pending();
    second.is_pending();
    failing.is_pending();
    last.is_pending();
    drop(filler);
    assert!(first.is_woken() && !second.is_woken());
    panics(|| first.poll());
    assert!(second.is_woken() && !failing.is_woken());
    panics(|| second.poll());
    failing.woken_and_ready().unwrap_err();
    assert_eq!(last.woken_and_ready(), &4);
}

#[test]
fn the_last_to_arrive_panics_by_a_waker_and_all_others_are_let_through() {
    let barrier = Barrier::new(3);
    let (mut a, mut b) = (task(barrier.wait()), task(barrier.wait()));
    assert!(a.poll_for(&panicking_waker()).is_pending());
    b.is_pending();
    let mut last = task(barrier.wait());
    panics(|| last.poll());
    drop(last);
    assert!(!b.woken_and_ready().is_leader());
    assert!(!a.ready().is_leader());
    task(barrier.wait()).is_pending();
}
