//! The `Barrier`: the last to arrive lets the others through, and nobody else.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use shinkan_sync::Barrier;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

#[test]
fn two_tasks_meet_twice() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let its_barrier = barrier.clone();
        let other = thread::spawn(move || {
            (0..2).map(|_| usize::from(block_on(its_barrier.wait()).is_leader())).sum::<usize>()
        });
        let led: usize = (0..2).map(|_| usize::from(block_on(barrier.wait()).is_leader())).sum();
        assert_eq!(led + other.join().unwrap(), 2);
    });
}

#[test]
fn a_third_task_is_not_let_through() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let arrive = |barrier: Arc<Barrier>| {
            thread::spawn(move || {
                let mut wait = Box::pin(async move { barrier.wait().await.is_leader() });
                let led = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                (wait, led.is_ready())
            })
        };
        let others = [arrive(barrier.clone()), arrive(barrier.clone())];
        let mut cx = Context::from_waker(Waker::noop());
        let mut last = pin!(barrier.wait());
        let mut through = usize::from(last.as_mut().poll(&mut cx).is_ready());
        let led_here = through == 1;
        for other in others {
            let (mut wait, led) = other.join().unwrap();
            through += usize::from(led || wait.as_mut().poll(&mut cx).is_ready());
        }
        through += usize::from(!led_here && last.as_mut().poll(&mut cx).is_ready());
        assert_eq!(through, 2);
    });
}
