//! Every operation of this crate that waits, as a row of a table: how to make it wait, what lets
//! it go on, and what must be true when it has.

#![allow(dead_code, reason = "each test file uses a part")]

use super::task;
use ::futures::FutureExt;
use shinkan_sync::*;
use std::future::{Future, pending};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex as Lock, MutexGuard as LockGuard};
use std::time::Duration;

pub(crate) type Op = Pin<Box<dyn Future<Output = ()>>>;

/// What a release does to those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lets {
    /// The first goes on; if it goes away instead, the next does.
    One,
    /// All go on.
    All,
    /// Only one can wait at a time: the method borrows exclusively.
    Alone,
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) lets: Lets,
    /// Whether a release is kept for who comes later, if nobody waits.
    pub(crate) stored: bool,
    pub(crate) world: fn() -> World,
}

/// Something to wait for. The operation would wait, until `release` was called once.
pub(crate) struct World {
    op: Box<dyn Fn() -> Op>,
    release: Box<dyn Fn() + Send + Sync>,
    end: Box<dyn Fn()>,
}

impl World {
    pub(crate) fn op(&self) -> super::Task<Op> {
        task((self.op)())
    }

    pub(crate) fn release(&self) {
        (self.release)();
    }

    pub(crate) fn releaser(&self) -> &(dyn Fn() + Send + Sync) {
        &*self.release
    }

    /// One operation has ended after the release, and nothing is missing.
    pub(crate) fn end(&self) {
        (self.end)();
    }
}

fn world<S: Send + Sync + 'static, F: Future<Output = ()> + 'static>(
    state: S,
    op: fn(Arc<S>) -> F,
    release: fn(&S),
    end: fn(&S),
) -> World {
    let state = Arc::new(state);
    let (a, b) = (state.clone(), state.clone());
    World {
        op: Box::new(move || Box::pin(op(a.clone()))),
        release: Box::new(move || release(&b)),
        end: Box::new(move || end(&state)),
    }
}

/// What is dropped to let others go on.
struct Held<G>(Lock<Option<G>>);

impl<G> Held<G> {
    fn new(held: G) -> Self {
        Self(Lock::new(Some(held)))
    }

    fn free(&self) {
        drop(self.take());
    }

    fn take(&self) -> G {
        lock(&self.0).take().expect("released once")
    }

    /// It is back when the loan is dropped, also with the future that has it.
    fn lend(self: &Arc<Self>) -> Lent<G> {
        Lent { value: Some(self.take()), home: self.clone() }
    }
}

/// What is held, and of what.
type Holding<G, L> = Arc<(Held<G>, Arc<L>)>;

/// A waker that panicked under it changed nothing.
fn lock<T>(lock: &Lock<T>) -> LockGuard<'_, T> {
    lock.lock().unwrap_or_else(|poison| poison.into_inner())
}

struct Lent<G> {
    value: Option<G>,
    home: Arc<Held<G>>,
}

impl<G> Deref for Lent<G> {
    type Target = G;
    fn deref(&self) -> &G {
        self.value.as_ref().unwrap()
    }
}

impl<G> DerefMut for Lent<G> {
    fn deref_mut(&mut self) -> &mut G {
        self.value.as_mut().unwrap()
    }
}

impl<G> Drop for Lent<G> {
    fn drop(&mut self) {
        *lock(&self.home.0) = self.value.take();
    }
}

fn lent<G>(value: G) -> Arc<Held<G>> {
    Arc::new(Held::new(value))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (lets, rows) in [(Lets::One, one()), (Lets::All, everybody()), (Lets::Alone, alone())] {
        all.extend(rows.into_iter().map(|(name, world)| {
            let stored = !name.contains("notify_waiters");
            Case { name, lets, stored, world }
        }));
    }
    all
}

/// Runs a situation for every row; a failure's output ends with the row's name.
pub(crate) fn each(situation: impl Fn(&Case)) {
    for case in cases() {
        println!("{}", case.name);
        situation(&case);
    }
}

type Row = (&'static str, fn() -> World);

fn one() -> Vec<Row> {
    vec![
        ("Mutex::lock", || mutex(|s| async move { drop(s.1.lock().await) })),
        ("Mutex::lock_owned", || mutex(|s| async move { drop(s.1.clone().lock_owned().await) })),
        ("RwLock::write", || written(|s| async move { drop(s.1.write().await) })),
        ("RwLock::write_owned", || {
            written(|s| async move { drop(s.1.clone().write_owned().await) })
        }),
        ("RwLock::write behind a reader", || read(|s| async move { drop(s.1.write().await) })),
        ("Semaphore::acquire", || {
            permits(1, |s| async move { drop(s.1.acquire().await.unwrap()) })
        }),
        ("Semaphore::acquire_owned", || {
            permits(1, |s| async move { drop(s.1.clone().acquire_owned().await.unwrap()) })
        }),
        ("Semaphore::acquire_many", || {
            permits(3, |s| async move { drop(s.1.acquire_many(3).await.unwrap()) })
        }),
        ("Semaphore::acquire_many_owned", || {
            permits(3, |s| async move { drop(s.1.clone().acquire_many_owned(3).await.unwrap()) })
        }),
        ("Notify::notified", || notified(|s| async move { s.notified().await })),
        ("Notify::notified_owned", || {
            notified(|s| async move { (*s).clone().notified_owned().await })
        }),
        ("mpsc::Sender::send", || full(1, |s| async move { s.1.send(1).await.unwrap() })),
        ("mpsc::Sender::reserve", || {
            full(1, |s| async move { s.1.reserve().await.unwrap().send(1) })
        }),
        ("mpsc::Sender::reserve_many", || {
            full(2, |s| async move {
                s.1.reserve_many(2).await.unwrap().for_each(|permit| permit.send(1));
            })
        }),
        ("mpsc::Sender::reserve_owned", || {
            full(1, |s| async move { drop(s.1.clone().reserve_owned().await.unwrap().send(1)) })
        }),
        ("mpsc::Sender::send_timeout", || {
            shinkan_context::services::install(shinkan_context::services::Services {
                sleep: |_| Box::pin(pending()),
                forced_yield: || {},
                queue_woken: |_| {},
            });
            full(1, |s| async move {
                s.1.send_timeout(1, Duration::from_secs(1)).await.unwrap();
            })
        }),
        ("OnceCell::get_or_init behind one that gives up", || {
            filling(|s| async move {
                s.1.get_or_init(|| async { 1 }).await;
            })
        }),
        ("OnceCell::get_or_try_init behind one that gives up", || {
            filling(|s| async move {
                s.1.get_or_try_init(|| async { Ok::<_, ()>(1) }).await.unwrap();
            })
        }),
    ]
}

fn mutex<F: Future<Output = ()> + 'static>(
    op: fn(Holding<OwnedMutexGuard<()>, Mutex<()>>) -> F,
) -> World {
    let lock = Arc::new(Mutex::new(()));
    let held = Held::new(lock.clone().try_lock_owned().unwrap());
    world((held, lock), op, |s| s.0.free(), |s| drop(s.1.try_lock().unwrap()))
}

fn written<F: Future<Output = ()> + 'static>(
    op: fn(Holding<OwnedRwLockWriteGuard<()>, RwLock<()>>) -> F,
) -> World {
    let lock = Arc::new(RwLock::with_max_readers((), 3));
    let held = Held::new(lock.clone().try_write_owned().unwrap());
    world((held, lock), op, |s| s.0.free(), |s| drop(s.1.try_write().unwrap()))
}

fn read<F: Future<Output = ()> + 'static>(
    op: fn(Holding<OwnedRwLockReadGuard<()>, RwLock<()>>) -> F,
) -> World {
    let lock = Arc::new(RwLock::with_max_readers((), 3));
    let held = Held::new(lock.clone().try_read_owned().unwrap());
    world((held, lock), op, |s| s.0.free(), |s| drop(s.1.try_write().unwrap()))
}

fn permits<F: Future<Output = ()> + 'static>(
    n: usize,
    op: fn(Arc<(usize, Arc<Semaphore>)>) -> F,
) -> World {
    let state = (n, Arc::new(Semaphore::new(0)));
    world(state, op, |s| s.1.add_permits(s.0), |s| assert_eq!(s.1.available_permits(), s.0))
}

fn notified<F: Future<Output = ()> + 'static>(op: fn(Arc<Arc<Notify>>) -> F) -> World {
    let no_permit_is_left = |s: &Arc<Notify>| assert!(s.notified().now_or_never().is_none());
    world(Arc::new(Notify::new()), op, |s| s.notify_one(), no_permit_is_left)
}

type Receiving = Lock<mpsc::Receiver<i32>>;

fn full<F: Future<Output = ()> + 'static>(
    n: usize,
    op: fn(Arc<(Receiving, mpsc::Sender<i32>)>) -> F,
) -> World {
    let (tx, rx) = mpsc::channel(n);
    (0..n).for_each(|_| tx.try_send(0).unwrap());
    let make_room = |s: &(Receiving, mpsc::Sender<i32>)| {
        let mut rx = lock(&s.0);
        (0..s.1.max_capacity()).for_each(|_| assert_eq!(rx.try_recv(), Ok(0)));
    };
    world((Lock::new(rx), tx), op, make_room, |s| {
        // What one operation sent, and no more, fills it again.
        assert_eq!(s.1.capacity(), 0);
        let mut rx = lock(&s.0);
        (0..s.1.max_capacity()).for_each(|_| assert_eq!(rx.try_recv(), Ok(1)));
        assert_eq!(rx.try_recv(), Err(mpsc::error::TryRecvError::Empty));
    })
}

type Filling = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// Somebody fills the cell, and is dropped by the release.
fn filling<F: Future<Output = ()> + 'static>(
    op: fn(Holding<Filling, OnceCell<i32>>) -> F,
) -> World {
    let cell = Arc::new(OnceCell::new());
    let its = cell.clone();
    let mut first: Filling = Box::pin(async move {
        its.get_or_init(pending::<i32>).await;
    });
    assert!(first.as_mut().now_or_never().is_none());
    world((Held::new(first), cell), op, |s| s.0.free(), |s| assert_eq!(s.1.get(), Some(&1)))
}

fn everybody() -> Vec<Row> {
    vec![
        ("RwLock::read", || written(|s| async move { drop(s.1.read().await) })),
        ("RwLock::read_owned", || written(|s| async move { drop(s.1.clone().read_owned().await) })),
        ("Notify::notified by notify_waiters", || {
            let op = |s: Arc<Notify>| async move { s.notified().await };
            world(Notify::new(), op, Notify::notify_waiters, |_| {})
        }),
        ("SetOnce::wait", || {
            let op = |s: Arc<SetOnce<i32>>| async move { assert_eq!(*s.wait().await, 1) };
            world(SetOnce::new(), op, |s| s.set(1).unwrap(), |_| {})
        }),
        ("OnceCell::get_or_init behind one that fills it", filled),
        ("mpsc::Sender::closed", || {
            let (tx, rx) = mpsc::channel::<()>(1);
            world(
                (tx, Held::new(rx)),
                |s| async move { s.0.closed().await },
                |s| s.1.free(),
                |s| assert!(s.0.is_closed()),
            )
        }),
        ("mpsc::UnboundedSender::closed", || {
            let (tx, rx) = mpsc::unbounded_channel::<()>();
            world(
                (tx, Held::new(rx)),
                |s| async move { s.0.closed().await },
                |s| s.1.free(),
                |s| assert!(s.0.is_closed()),
            )
        }),
        ("broadcast::Sender::closed", || {
            let (tx, rx) = broadcast::channel::<()>(1);
            world(
                (tx, Held::new(rx)),
                |s| async move { s.0.closed().await },
                |s| s.1.free(),
                |s| assert_eq!(s.0.receiver_count(), 0),
            )
        }),
        ("watch::Sender::closed", || {
            let (tx, rx) = watch::channel(());
            world(
                (tx, Held::new(rx)),
                |s| async move { s.0.closed().await },
                |s| s.1.free(),
                |s| assert!(s.0.is_closed()),
            )
        }),
        ("watch::Receiver::changed", || watched(|rx| assert!(rx.is_ok()), |s| s.send(1).unwrap())),
        ("watch::Receiver::wait_for", || {
            let (tx, rx) = watch::channel(0);
            world(
                (tx, rx),
                |s| async move { assert_eq!(*s.1.clone().wait_for(|n| *n > 0).await.unwrap(), 1) },
                |s| s.0.send(1).unwrap(),
                |s| assert!(s.1.has_changed().unwrap()),
            )
        }),
    ]
}

/// Somebody fills the cell, and ends by the release.
fn filled() -> World {
    let cell = Arc::new(OnceCell::new());
    let (tx, rx) = oneshot::channel();
    let its = cell.clone();
    let mut first: Filling = Box::pin(async move {
        its.get_or_init(|| async { rx.await.unwrap() }).await;
    });
    assert!(first.as_mut().now_or_never().is_none());
    world(
        (Held::new((tx, first)), cell),
        |s| async move {
            s.1.get_or_init(|| async { 2 }).await;
        },
        |s| {
            let (tx, first) = s.0.take();
            tx.send(1).unwrap();
            assert!(first.now_or_never().is_some());
        },
        |s| assert_eq!(s.1.get(), Some(&1)),
    )
}

type Changed = Result<(), watch::error::RecvError>;

fn watched(expect: fn(Changed), release: fn(watch::Sender<i32>)) -> World {
    let (tx, rx) = watch::channel(0);
    world(
        (Held::new(tx), rx, expect, release),
        |s| async move { (s.2)(s.1.clone().changed().await) },
        |s| (s.3)(lock(&s.0.0).as_ref().unwrap().clone()),
        |s| assert!(s.1.has_changed().unwrap()),
    )
}

fn alone() -> Vec<Row> {
    let mut rows: Vec<Row> = vec![
        ("mpsc::Receiver::recv", || {
            sent(|mut rx| async move { assert_eq!(rx.recv().await, Some(1)) })
        }),
        ("mpsc::Receiver::recv_many", || {
            sent(|mut rx| async move {
                let mut got = Vec::new();
                assert_eq!((rx.recv_many(&mut got, 5).await, got), (1, vec![1]));
            })
        }),
        ("mpsc::UnboundedReceiver::recv", || {
            sent_unbounded(|mut rx| async move { assert_eq!(rx.recv().await, Some(1)) })
        }),
        ("mpsc::UnboundedReceiver::recv_many", || {
            sent_unbounded(|mut rx| async move {
                let mut got = Vec::new();
                assert_eq!((rx.recv_many(&mut got, 5).await, got), (1, vec![1]));
            })
        }),
        ("broadcast::Receiver::recv", || {
            let (tx, rx) = broadcast::channel(2);
            world(
                (tx, lent(rx)),
                |s| async move { assert_eq!(s.1.lend().recv().await, Ok(1)) },
                |s| assert_eq!(s.0.send(1).unwrap(), 1),
                |s| assert!(s.0.is_empty()),
            )
        }),
        ("oneshot::Receiver", || {
            let (tx, rx) = oneshot::channel();
            world(
                (Held::new(tx), lent(rx)),
                |s| async move { assert_eq!((&mut *s.1.lend()).await, Ok(1)) },
                |s| s.0.take().send(1).unwrap(),
                |s| assert!(s.1.lend().is_terminated()),
            )
        }),
        ("oneshot::Sender::closed", || {
            let (tx, rx) = oneshot::channel::<()>();
            world(
                (Held::new(rx), lent(tx)),
                |s| async move { s.1.lend().closed().await },
                |s| s.0.free(),
                |s| assert!(s.1.lend().is_closed()),
            )
        }),
    ];
    rows.extend(ends());
    rows
}

/// The last of the other side goes.
fn ends() -> Vec<Row> {
    vec![
        ("mpsc::Receiver::recv of the end", || {
            let (tx, rx) = mpsc::channel::<()>(1);
            world(
                (Held::new(tx), lent(rx)),
                |s| async move { assert_eq!(s.1.lend().recv().await, None) },
                |s| s.0.free(),
                |s| assert!(s.1.lend().is_closed()),
            )
        }),
        ("mpsc::UnboundedReceiver::recv of the end", || {
            let (tx, rx) = mpsc::unbounded_channel::<()>();
            world(
                (Held::new(tx), lent(rx)),
                |s| async move { assert_eq!(s.1.lend().recv().await, None) },
                |s| s.0.free(),
                |s| assert!(s.1.lend().is_closed()),
            )
        }),
        ("broadcast::Receiver::recv of the end", || {
            let (tx, rx) = broadcast::channel::<()>(1);
            world(
                (Held::new(tx), lent(rx)),
                |s| async move { assert!(s.1.lend().recv().await.is_err()) },
                |s| s.0.free(),
                |s| assert!(s.1.lend().is_closed()),
            )
        }),
        ("oneshot::Receiver of the end", || {
            let (tx, rx) = oneshot::channel::<()>();
            world(
                (Held::new(tx), lent(rx)),
                |s| async move { assert!((&mut *s.1.lend()).await.is_err()) },
                |s| s.0.free(),
                |s| assert!(s.1.lend().is_terminated()),
            )
        }),
        ("watch::Receiver::changed of the end", || {
            let (tx, rx) = watch::channel(0);
            world(
                (Held::new(tx), lent(rx)),
                |s| async move { assert!(s.1.lend().changed().await.is_err()) },
                |s| s.0.free(),
                |s| assert!(s.1.lend().is_closed()),
            )
        }),
    ]
}

fn sent<F: Future<Output = ()> + 'static>(op: fn(Lent<mpsc::Receiver<i32>>) -> F) -> World {
    let (tx, rx) = mpsc::channel(2);
    world(
        (tx, lent(rx), op),
        |s| async move { (s.2)(s.1.lend()).await },
        |s| s.0.try_send(1).unwrap(),
        |s| assert_eq!(s.0.capacity(), 2),
    )
}

fn sent_unbounded<F: Future<Output = ()> + 'static>(
    op: fn(Lent<mpsc::UnboundedReceiver<i32>>) -> F,
) -> World {
    let (tx, rx) = mpsc::unbounded_channel();
    world(
        (tx, lent(rx), op),
        |s| async move { (s.2)(s.1.lend()).await },
        |s| s.0.send(1).unwrap(),
        |s| assert!(s.1.lend().is_empty()),
    )
}
