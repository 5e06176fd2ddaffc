//! The cells that are filled once, and the barrier.

mod common;

use common::{panics, task};
use shinkan_sync::{Barrier, OnceCell, SetError, SetOnce, SetOnceError};
use std::sync::Arc;

#[test]
fn one_fills_the_cell_and_the_others_wait() {
    let cell = OnceCell::new();
    let (tx, rx) = shinkan_sync::oneshot::channel::<i32>();
    let mut first = task(cell.get_or_init(|| async { rx.await.unwrap() }));
    first.is_pending();
    let mut second = task(cell.get_or_init(|| async { panic!("not called") }));
    second.is_pending();
    assert_eq!(cell.set(9), Err(SetError::InitializingError(9)));
    tx.send(5).unwrap();
    assert_eq!(first.woken_and_ready(), &5);
    assert_eq!(second.woken_and_ready(), &5);
    assert!(cell.set(9).unwrap_err().is_already_init_err());
    assert_eq!(task(cell.get_or_init(|| async { 1 })).ready(), &5);
}

#[test]
fn the_next_tries_when_one_fails_panics_or_is_dropped() {
    let cell = OnceCell::<i32>::new();
    assert_eq!(task(cell.get_or_try_init(|| async { Err::<i32, _>("no") })).ready(), Err("no"));
    let mut bad = task(cell.get_or_init(|| async { panic!("bad") }));
    assert_eq!(panics(|| bad.poll().is_ready()), "bad");
    drop(bad);
    let mut stuck = task(cell.get_or_init(std::future::pending));
    stuck.is_pending();
    let mut next = task(cell.get_or_try_init(|| async { Ok::<_, ()>(3) }));
    next.is_pending();
    drop(stuck);
    assert_eq!(next.woken_and_ready(), Ok(&3));
}

#[test]
fn values_are_taken_out_and_dropped() {
    let value = Arc::new(());
    let mut cell = OnceCell::from(value.clone());
    assert!(cell.initialized());
    let copy = cell.clone();
    assert!(copy == cell);
    assert!(cell.get_mut().is_some());
    assert!(cell.take().is_some());
    assert!(!cell.initialized() && cell.get().is_none());
    assert!(cell.set(value.clone()).is_ok());
    assert!(cell.into_inner().is_some());
    drop(copy);
    assert_eq!(Arc::strong_count(&value), 1);
    assert_eq!(format!("{:?}", OnceCell::new_with(Some(1))), "OnceCell { value: Some(1) }");
    assert!(OnceCell::<i32>::default().into_inner().is_none());
}

#[test]
fn a_set_once_wakes_all_that_wait() {
    let cell = SetOnce::new();
    let (mut a, mut b) = (task(cell.wait()), task(cell.wait()));
    a.is_pending();
    b.is_pending();
    drop(b);
    assert!(cell.set(1).is_ok());
    assert_eq!(cell.set(2), Err(SetOnceError(2)));
    assert_eq!(a.woken_and_ready(), &1);
    assert_eq!(task(cell.wait()).ready(), &1);
    assert!(cell.initialized() && cell.clone() == SetOnce::from(1));
    drop(a);
    assert_eq!(cell.into_inner(), Some(1));
    assert!(SetOnce::<i32>::default().get().is_none());
    let value = Arc::new(());
    drop(SetOnce::new_with(Some(value.clone())));
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn threads_race_to_set_and_one_wins() {
    for _ in 0..200 {
        let cell = Arc::new(SetOnce::new());
        let threads: Vec<_> = (0..3)
            .map(|i| {
                let cell = cell.clone();
                std::thread::spawn(move || {
                    let won = cell.set(i).is_ok();
                    (won, *futures::executor::block_on(cell.wait()))
                })
            })
            .collect();
        let got: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert_eq!(got.iter().filter(|(won, _)| *won).count(), 1);
        assert!(got.iter().all(|(_, v)| v == cell.get().unwrap()));
    }
}

#[test]
fn a_barrier_opens_for_the_last_and_closes_again() {
    let barrier = Barrier::new(3);
    for _ in 0..3 {
        let (mut a, mut b, mut c) =
            (task(barrier.wait()), task(barrier.wait()), task(barrier.wait()));
        a.is_pending();
        b.is_pending();
        assert!(c.ready().is_leader());
        let mut next = task(barrier.wait());
        next.is_pending();
        assert!(!a.woken_and_ready().is_leader());
        assert!(!b.woken_and_ready().is_leader());
        assert!(!next.is_woken());
        let (mut d, mut e) = (task(barrier.wait()), task(barrier.wait()));
        d.is_pending();
        assert!(e.ready().is_leader());
        let _ = next.woken_and_ready();
    }
    assert!(task(Barrier::new(0).wait()).ready().is_leader());
    assert!(task(Barrier::new(1).wait()).ready().is_leader());
}

#[test]
fn threads_meet_at_a_barrier() {
    let barrier = Arc::new(Barrier::new(3));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let barrier = barrier.clone();
            std::thread::spawn(move || {
                (0..500).filter(|_| futures::executor::block_on(barrier.wait()).is_leader()).count()
            })
        })
        .collect();
    assert_eq!(threads.into_iter().map(|t| t.join().unwrap()).sum::<usize>(), 500);
}
