//! The queue between a set of tasks and its members: one that ends meets a set that begins to wait.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use shinkan_task::ended::{Ended, Member};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// A set with one member, whose task wakes it `wakes` times and has ended before the last.
fn model(wakes: usize) {
    loom::model(move || {
        let ended = std::sync::Arc::new(Ended::new());
        let member = std::sync::Arc::new(Member::new(3, ended.clone()));
        // The order is the queue's to give.
        let done = Arc::new(AtomicBool::new(false));
        let (waker, its_done) = (Waker::from(member.clone()), done.clone());
        let task = thread::spawn(move || {
            for wake in 1..=wakes {
                if wake == wakes {
                    its_done.store(true, Ordering::Relaxed);
                }
                waker.wake_by_ref();
            }
        });
        let mut numbers = VecDeque::new();
        block_on(poll_fn(|cx| {
            loop {
                while let Some(number) = numbers.pop_front() {
                    assert_eq!(number, 3);
                    member.begin();
                    if done.load(Ordering::Relaxed) {
                        return Poll::Ready(());
                    }
                }
                if !ended.take_or_wait(&mut numbers, Some(cx.waker().clone())) {
                    return Poll::Pending;
                }
            }
        }));
        task.join().unwrap();
    });
}

#[test]
fn a_member_that_ends_meets_a_set_that_waits() {
    model(1);
}

#[test]
fn a_member_is_woken_twice() {
    model(2);
}
