//! Every future of this crate that waits says in the wait record of its task what it waits for,
//! and where it was made.

mod common;

use common::{Task, task};
use shinkan_base::wait::{TaskFrame, Wait, WaitKind};
use shinkan_sync::{
    Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce, broadcast, mpsc, oneshot, watch,
};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};

/// Polls under a task's frame; what the record says.
fn waits<F: Future>(mut future: Task<F>) -> Wait {
    let frame = TaskFrame::new(1);
    let guard = shinkan_context::enter_frame(&frame);
    future.is_pending();
    drop(guard);
    let wait = frame.wait.read().expect("a leaf that waits leaves a record");
    assert!(wait.place.file().ends_with("leaves.rs"), "{wait:?}");
    assert_eq!(wait.leaves, 1, "{wait:?}");
    wait
}

macro_rules! leaf {
    ($kind:ident, $future:expr) => {
        // A match, so that temporaries in the expression live until its end.
        match waits(task($future)) {
            wait => {
                assert_eq!((wait.kind, wait.place.line()), (WaitKind::$kind, line!()));
                wait.resource
            }
        }
    };
}

#[test]
fn semaphore() {
    let s = Arc::new(Semaphore::new(0));
    let resource = leaf!(Semaphore, s.acquire());
    assert_eq!(resource, leaf!(Semaphore, s.acquire_many(2)));
    assert_eq!(resource, leaf!(Semaphore, s.clone().acquire_owned()));
    assert_eq!(resource, leaf!(Semaphore, s.clone().acquire_many_owned(2)));
    assert_ne!(resource, leaf!(Semaphore, Semaphore::new(0).acquire()));
}

#[test]
fn locks() {
    let lock = Arc::new(Mutex::new(0));
    let held = lock.try_lock().unwrap();
    assert_eq!(leaf!(Mutex, lock.lock()), leaf!(Mutex, lock.clone().lock_owned()));
    drop(held);
    let lock = Arc::new(RwLock::new(0));
    let held = lock.try_write().unwrap();
    let resource = leaf!(RwLockRead, lock.read());
    assert_eq!(resource, leaf!(RwLockRead, lock.clone().read_owned()));
    assert_eq!(resource, leaf!(RwLockWrite, lock.write()));
    assert_eq!(resource, leaf!(RwLockWrite, lock.clone().write_owned()));
    drop(held);
}

#[test]
fn notifications() {
    let n = Arc::new(Notify::new());
    assert_eq!(leaf!(Notify, n.notified()), leaf!(Notify, n.clone().notified_owned()));
    leaf!(Barrier, Barrier::new(2).wait());
    leaf!(OnceCell, SetOnce::<i32>::new().wait());
    let cell = OnceCell::<i32>::new();
    let mut filling = task(cell.get_or_init(std::future::pending));
    filling.is_pending();
    leaf!(OnceCell, cell.get_or_init(|| async { 1 }));
    leaf!(OnceCell, cell.get_or_try_init(|| async { Ok::<_, ()>(1) }));
}

#[test]
fn oneshot_channel() {
    let (mut tx, rx) = oneshot::channel::<i32>();
    leaf!(OneshotClosed, tx.closed());
    let frame = TaskFrame::new(1);
    let guard = shinkan_context::enter_frame(&frame);
    assert!(tx.poll_closed(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(guard);
    let closed = frame.wait.read().unwrap();
    // These two have no constructor of their own: their place is the channel's.
    let received = waits(task(rx));
    assert_eq!((closed.kind, received.kind), (WaitKind::OneshotClosed, WaitKind::OneshotRecv));
    assert_eq!((closed.resource, closed.place), (received.resource, received.place));
}

#[test]
fn mpsc_channels() {
    let (tx, mut rx) = mpsc::channel(1);
    let resource = leaf!(MpscRecv, rx.recv());
    assert_eq!(resource, leaf!(MpscRecv, rx.recv_many(&mut Vec::new(), 2)));
    leaf!(MpscClosed, tx.closed());
    tx.try_send(1).unwrap();
    leaf!(MpscSend, tx.send(2));
    leaf!(MpscSend, tx.reserve());
    leaf!(MpscSend, tx.reserve_many(1));
    leaf!(MpscSend, tx.clone().reserve_owned());
    let (tx, mut rx) = mpsc::unbounded_channel::<i32>();
    leaf!(MpscRecv, rx.recv());
    leaf!(MpscRecv, rx.recv_many(&mut Vec::new(), 2));
    leaf!(MpscClosed, tx.closed());
    let frame = TaskFrame::new(1);
    let guard = shinkan_context::enter_frame(&frame);
    assert!(rx.poll_recv(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(guard);
    assert_eq!(frame.wait.read().unwrap().kind, WaitKind::MpscRecv);
}

#[test]
fn broadcast_channel() {
    let (tx, mut rx) = broadcast::channel::<i32>(1);
    leaf!(BroadcastRecv, rx.recv());
    leaf!(BroadcastClosed, tx.closed());
}

#[test]
fn watch_channel() {
    let (tx, mut rx) = watch::channel(0);
    leaf!(WatchChanged, rx.changed());
    leaf!(WatchChanged, rx.wait_for(|v| *v == 1));
    leaf!(WatchClosed, tx.closed());
}

#[test]
fn a_task_without_budget_says_so() {
    use shinkan_context::budget::{self, Budget};
    let s = Semaphore::new(1);
    let _spend = budget::with(Budget::initial(), || {
        for _ in 0..budget::INITIAL {
            drop(task(s.acquire()).ready().unwrap());
        }
        leaf!(Budget, s.acquire())
    });
}

#[test]
fn a_future_that_is_ready_leaves_no_record() {
    let frame = TaskFrame::new(1);
    let _guard = shinkan_context::enter_frame(&frame);
    drop(task(Semaphore::new(1).acquire()).ready());
    assert!(frame.wait.read().is_none());
}
