//! The semaphore: order, cancel safety, close, permits.

mod common;

use common::{panicking_waker, panics, task};
use shinkan_context::budget::{self, Budget};
use shinkan_sync::{Semaphore, TryAcquireError};
use std::future::Future;
use std::sync::Arc;
use std::task::Context;

#[test]
fn waiters_are_served_in_the_order_in_which_they_asked() {
    let s = Semaphore::new(0);
    let mut all: Vec<_> = (0..5).map(|_| task(s.acquire())).collect();
    for t in &mut all {
        t.is_pending();
    }
    for i in 0..5 {
        s.add_permits(1);
        for (j, t) in all.iter().enumerate() {
            assert_eq!(t.is_woken(), j == i, "{i} {j}");
        }
        all[i].ready().unwrap().forget();
    }
}

#[test]
fn a_big_request_is_not_overtaken_by_small_ones() {
    let s = Semaphore::new(2);
    let mut big = task(s.acquire_many(3));
    big.is_pending();
    assert_eq!(s.available_permits(), 0);
    assert_eq!(s.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    let mut small = task(s.acquire());
    small.is_pending();
    s.add_permits(1);
    let permit = big.woken_and_ready().unwrap();
    assert!(!small.is_woken());
    assert_eq!(permit.num_permits(), 3);
    drop(permit);
    drop(small.woken_and_ready().unwrap());
}

#[test]
fn dropping_a_waiter_passes_on_what_it_collected() {
    let s = Semaphore::new(2);
    let mut big = task(s.acquire_many(3));
    big.is_pending();
    let mut two = task(s.acquire_many(2));
    two.is_pending();
    drop(big);
    assert_eq!(two.woken_and_ready().unwrap().num_permits(), 2);
    assert_eq!(s.available_permits(), 2);
}

#[test]
fn dropping_a_waiter_that_was_served_passes_its_permits_on() {
    let s = Semaphore::new(0);
    let (mut a, mut b) = (task(s.acquire()), task(s.acquire()));
    a.is_pending();
    b.is_pending();
    s.add_permits(1);
    assert!(a.is_woken() && !b.is_woken());
    drop(a);
    drop(b.woken_and_ready().unwrap());
    assert_eq!(s.available_permits(), 1);
}

#[test]
fn dropping_the_waiter_in_the_middle_keeps_the_queue() {
    let s = Semaphore::new(0);
    let mut all: Vec<_> = (0..3).map(|_| task(s.acquire())).collect();
    for t in &mut all {
        t.is_pending();
    }
    drop(all.remove(1));
    s.add_permits(2);
    for t in &mut all {
        t.woken_and_ready().unwrap().forget();
    }
    assert_eq!(s.available_permits(), 0);
}

#[test]
fn a_future_that_is_never_polled_asks_for_nothing() {
    let s = Semaphore::new(1);
    drop(s.acquire());
    let unpolled = s.acquire();
    assert_eq!(s.available_permits(), 1);
    drop(s.try_acquire().unwrap());
    drop(unpolled);
}

#[test]
fn close_refuses_those_who_wait_and_those_who_come() {
    let s = Semaphore::new(1);
    let mut waiting = task(s.acquire_many(2));
    waiting.is_pending();
    s.close();
    assert!(s.is_closed());
    assert!(waiting.woken_and_ready().is_err());
    assert!(task(s.acquire()).ready().is_err());
    assert_eq!(s.try_acquire().unwrap_err(), TryAcquireError::Closed);
    assert_eq!(s.available_permits(), 1, "what the waiter had collected came back");
}

#[test]
fn close_after_the_grant_still_refuses_and_loses_no_permit() {
    let s = Semaphore::new(0);
    let mut waiting = task(s.acquire());
    waiting.is_pending();
    s.add_permits(1);
    s.close();
    assert!(waiting.ready().is_err());
    assert_eq!(s.available_permits(), 1);
}

#[test]
fn permits_come_back_after_a_close() {
    let s = Semaphore::new(2);
    let permit = s.try_acquire_many(2).unwrap();
    s.close();
    drop(permit);
    assert_eq!(s.available_permits(), 2);
}

#[test]
fn forget_merge_and_split() {
    let s = Arc::new(Semaphore::new(5));
    let mut permit = s.try_acquire_many(3).unwrap();
    assert!(permit.split(4).is_none());
    let one = permit.split(1).unwrap();
    assert_eq!((permit.num_permits(), one.num_permits()), (2, 1));
    permit.merge(one);
    assert!(std::ptr::eq(permit.semaphore(), &*s));
    permit.forget();
    assert_eq!(s.available_permits(), 2);
    let mut owned = s.clone().try_acquire_many_owned(2).unwrap();
    let one = owned.split(1).unwrap();
    drop(one);
    assert_eq!(s.available_permits(), 1);
    assert!(Arc::ptr_eq(owned.semaphore(), &s));
    owned.merge(s.clone().try_acquire_owned().unwrap());
    assert_eq!(owned.num_permits(), 2);
    drop(owned);
    assert_eq!(s.forget_permits(1), 1);
    assert_eq!(s.forget_permits(9), 1);
}

#[test]
fn merging_permits_of_two_semaphores_panics() {
    let (a, b) = (Semaphore::new(1), Semaphore::new(1));
    let mut permit = a.try_acquire().unwrap();
    let other = b.try_acquire().unwrap();
    assert!(panics(|| permit.merge(other)).contains("another semaphore"));
    assert_eq!(b.available_permits(), 1);
}

#[test]
fn too_many_permits_panic_and_change_nothing() {
    assert!(panics(|| Semaphore::new(Semaphore::MAX_PERMITS + 1)).contains("at most"));
    let s = Semaphore::new(Semaphore::MAX_PERMITS);
    assert!(panics(|| s.add_permits(1)).contains("more than"));
    assert_eq!(s.available_permits(), Semaphore::MAX_PERMITS);
}

#[test]
fn zero_permits_are_there_even_when_others_wait() {
    let s = Semaphore::new(0);
    let mut waiting = task(s.acquire());
    waiting.is_pending();
    assert_eq!(task(s.acquire_many(0)).ready().unwrap().num_permits(), 0);
    drop(waiting);
    s.add_permits(0);
    assert_eq!(s.available_permits(), 0);
}

#[test]
fn the_last_waker_is_the_one_that_is_called() {
    let s = Semaphore::new(0);
    let mut waiting = task(s.acquire());
    {
        let noop = std::task::Waker::noop();
        assert!(waiting.pin().poll(&mut Context::from_waker(noop)).is_pending());
    }
    waiting.is_pending();
    s.add_permits(1);
    drop(waiting.woken_and_ready().unwrap());
}

#[test]
fn a_waker_that_panics_leaves_no_other_asleep() {
    let s = Semaphore::new(0);
    let mut bad = task(s.acquire());
    let waker = panicking_waker();
    assert!(bad.pin().poll(&mut Context::from_waker(&waker)).is_pending());
    let mut good = task(s.acquire());
    good.is_pending();
    assert!(panics(|| s.add_permits(2)).contains("this waker panics"));
    good.woken_and_ready().unwrap().forget();
    bad.ready().unwrap().forget();
    assert_eq!(s.available_permits(), 0);
}

#[test]
fn a_task_without_budget_holds_its_permit_until_it_is_dropped() {
    let s = Semaphore::new(1);
    budget::with(Budget::initial(), || {
        for _ in 0..budget::INITIAL {
            drop(task(s.acquire()).ready().unwrap());
        }
        let mut spent = task(s.acquire());
        spent.is_pending();
        assert!(spent.is_woken());
        assert_eq!(s.available_permits(), 0);
        drop(budget::with(Budget::initial(), || spent.ready().unwrap()));
        let mut spent = task(s.acquire());
        spent.is_pending();
        drop(spent);
        assert_eq!(s.available_permits(), 1);
    });
}

#[test]
fn a_blocking_acquire_waits_for_another_thread() {
    let s = Arc::new(Semaphore::new(0));
    let other = s.clone();
    let thread = std::thread::spawn(move || other.blocking_acquire_many(2).unwrap().forget());
    s.add_permits(1);
    s.add_permits(1);
    thread.join().unwrap();
    s.add_permits(1);
    assert_eq!(s.clone().blocking_acquire_owned().unwrap().num_permits(), 1);
}

#[test]
fn many_threads_never_hold_more_than_there_are() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let s = Arc::new(Semaphore::new(3));
    let inside = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..6)
        .map(|i| {
            let (s, inside) = (s.clone(), inside.clone());
            std::thread::spawn(move || {
                for k in 0..2_000u32 {
                    let n = 1 + (k + i) % 3;
                    let permit = futures::executor::block_on(s.acquire_many(n)).unwrap();
                    let now = inside.fetch_add(n as usize, Ordering::SeqCst) + n as usize;
                    assert!(now <= 3);
                    inside.fetch_sub(n as usize, Ordering::SeqCst);
                    drop(permit);
                    // A future that is dropped while it waits.
                    let mut dropped = task(s.acquire_many(3));
                    drop(dropped.poll());
                }
            })
        })
        .collect();
    for t in threads {
        t.join().unwrap();
    }
    assert_eq!(s.available_permits(), 3);
}

#[test]
fn owned_permits_that_are_forgotten_do_not_come_back() {
    let semaphore = Arc::new(Semaphore::new(3));
    semaphore.clone().try_acquire_many_owned(2).unwrap().forget();
    assert_eq!(semaphore.available_permits(), 1);
    drop(semaphore.clone().try_acquire_owned().unwrap());
    assert_eq!(semaphore.available_permits(), 1);
}
