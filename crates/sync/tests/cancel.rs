//! Every operation that waits is dropped in every state that it can be in, and nothing is lost:
//! neither a permit nor a message nor a wake-up.

mod common;

use common::cases::{Case, Lets, World, each};
use common::task;
use shinkan_context::budget::{self, Budget};
use shinkan_sync::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

/// How often threads meet, for each row.
const MEETINGS: usize = 60;

/// After the release nobody waits: whoever comes gets what was left.
fn next_is_served(case: &Case, world: &World) {
    if case.stored {
        world.op().ready();
        world.end();
    } else {
        world.op().is_pending();
    }
}

/// Calls both at the same time.
fn meet(release: &(dyn Fn() + Send + Sync), here: impl FnOnce()) {
    let (up, go) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            up.store(true, Ordering::SeqCst);
            while !go.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            release();
        });
        while !up.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        go.store(true, Ordering::SeqCst);
        here();
    });
}

fn without_budget<R>(f: impl FnOnce() -> R) -> R {
    budget::with(Budget::initial(), || {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..budget::INITIAL {
            match budget::poll_proceed(&mut cx) {
                std::task::Poll::Ready(unit) => unit.made_progress(),
                std::task::Poll::Pending => unreachable!("there are so many units"),
            }
        }
        f()
    })
}

#[test]
fn dropped_before_its_first_poll() {
    each(|case| {
        let world = (case.world)();
        drop(world.op());
        world.release();
        drop(world.op());
        next_is_served(case, &world);
    });
}

#[test]
fn dropped_after_some_polls_while_it_waits() {
    for polls in 1..=3 {
        each(|case| {
            let world = (case.world)();
            for _ in 0..3 {
                let mut op = world.op();
                (0..polls).for_each(|_| op.is_pending());
                assert!(!op.is_woken());
            }
            world.release();
            next_is_served(case, &world);
        });
    }
}

#[test]
fn dropped_after_polls_by_two_tasks_keeps_neither_waker() {
    each(|case| {
        // A receiver keeps the waker of the task that asked last until it is dropped itself.
        let kept = usize::from(case.lets == Lets::Alone);
        let world = (case.world)();
        let (mut op, other) = (world.op(), world.op());
        op.is_pending();
        op.is_pending_for(&other);
        assert_eq!((op.wakers(), other.wakers()), (0, 1));
        op.is_pending();
        assert_eq!((op.wakers(), other.wakers()), (1, 0));
        op.cancel();
        assert!(op.wakers() <= kept);
        world.release();
        assert!(!other.is_woken());
        assert!(!op.is_woken() || kept == 1);
        next_is_served(case, &world);
    });
}

#[test]
fn dropped_while_it_waits_before_another() {
    each(|case| {
        if case.lets == Lets::Alone {
            return;
        }
        let world = (case.world)();
        let (mut op, mut next) = (world.op(), world.op());
        op.is_pending();
        next.is_pending();
        drop(op);
        assert!(!next.is_woken());
        world.release();
        next.woken_and_ready();
        world.end();
    });
}

#[test]
fn dropped_while_it_waits_behind_another() {
    each(|case| {
        if case.lets == Lets::Alone {
            return;
        }
        let world = (case.world)();
        let (mut first, mut op) = (world.op(), world.op());
        first.is_pending();
        op.is_pending();
        drop(op);
        world.release();
        first.woken_and_ready();
        world.end();
    });
}

#[test]
fn dropped_when_it_was_woken() {
    each(|case| {
        let world = (case.world)();
        let mut op = world.op();
        op.is_pending();
        world.release();
        assert!(op.is_woken());
        drop(op);
        next_is_served(case, &world);
    });
}

#[test]
fn dropped_when_it_was_woken_before_another() {
    each(|case| {
        if case.lets == Lets::Alone {
            return;
        }
        let world = (case.world)();
        let (mut op, mut next, mut last) = (world.op(), world.op(), world.op());
        op.is_pending();
        next.is_pending();
        last.is_pending();
        drop(last);
        world.release();
        assert!(op.is_woken());
        assert_eq!(next.is_woken(), case.lets == Lets::All);
        drop(op);
        next.woken_and_ready();
        world.end();
    });
}

#[test]
fn dropped_when_it_was_served_without_budget() {
    each(|case| {
        for waits in [false, true] {
            let world = (case.world)();
            let mut op = world.op();
            if waits {
                op.is_pending();
            }
            world.release();
            match without_budget(|| op.poll()).is_ready() {
                // It takes no budget, as with Tokio.
                true => world.end(),
                false if case.stored => {
                    assert!(op.is_woken(), "who has no budget comes back at once");
                    drop(op);
                    next_is_served(case, &world);
                }
                false => {}
            }
        }
    });
}

#[test]
fn dropped_while_the_release_runs() {
    each(|case| {
        for _ in 0..MEETINGS {
            let world = (case.world)();
            let mut op = world.op();
            op.is_pending();
            meet(world.releaser(), || drop(op));
            next_is_served(case, &world);
        }
    });
}

#[test]
fn dropped_before_another_while_the_release_runs() {
    each(|case| {
        if case.lets == Lets::Alone {
            return;
        }
        for _ in 0..MEETINGS {
            let world = (case.world)();
            let (mut op, mut next) = (world.op(), world.op());
            op.is_pending();
            next.is_pending();
            meet(world.releaser(), || drop(op));
            next.woken_and_ready();
            world.end();
        }
    });
}

#[test]
fn first_polled_while_the_release_runs() {
    each(|case| {
        for _ in 0..MEETINGS {
            let world = (case.world)();
            let mut op = world.op();
            let mut ready = false;
            meet(world.releaser(), || ready = op.poll().is_ready());
            if !ready {
                // What is not kept may have come before it.
                if !case.stored && !op.is_woken() {
                    continue;
                }
                op.woken_and_ready();
            }
            world.end();
        }
    });
}

#[test]
fn polled_by_another_task_while_the_release_runs() {
    each(|case| {
        for _ in 0..MEETINGS {
            let world = (case.world)();
            let (mut op, other) = (world.op(), world.op());
            op.is_pending_for(&other);
            let mut ready = false;
            meet(world.releaser(), || ready = op.poll().is_ready());
            if !ready {
                op.woken_and_ready();
            }
            world.end();
        }
    });
}

#[test]
fn a_request_for_many_that_is_dropped_gives_back_what_it_collected() {
    let s = Arc::new(Semaphore::new(0));
    let (mut many, mut owned) = (task(s.acquire_many(3)), task(s.clone().acquire_many_owned(3)));
    many.is_pending();
    s.add_permits(2);
    owned.is_pending();
    drop(many);
    assert!(!owned.is_woken());
    drop(owned);
    assert_eq!(s.available_permits(), 2);
    let (tx, mut rx) = mpsc::channel::<()>(3);
    tx.try_send(()).unwrap();
    let mut many = task(tx.reserve_many(3));
    many.is_pending();
    assert!(tx.try_reserve().is_err());
    drop(many);
    assert_eq!(tx.capacity(), 2);
    assert_eq!(rx.try_recv(), Ok(()));
}

#[test]
fn a_message_is_not_sent_by_a_send_that_is_dropped_when_there_is_room() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(1).unwrap();
    let mut send = task(tx.send(2));
    send.is_pending();
    assert_eq!(rx.try_recv(), Ok(1));
    assert!(send.is_woken());
    drop(send);
    assert!(rx.try_recv().is_err());
    assert_eq!(tx.capacity(), 1);
}

#[test]
fn a_sender_goes_with_the_reserve_owned_that_is_dropped() {
    let (tx, mut rx) = mpsc::channel::<()>(1);
    tx.try_send(()).unwrap();
    let mut reserve = task(tx.reserve_owned());
    reserve.is_pending();
    assert_eq!(rx.sender_strong_count(), 1);
    assert_eq!(task(rx.recv()).ready(), Some(()));
    let mut end = task(rx.recv());
    end.is_pending();
    drop(reserve);
    assert_eq!(end.woken_and_ready(), None);
}

#[test]
fn a_task_that_leaves_a_barrier_has_arrived_all_the_same() {
    let barrier = Barrier::new(3);
    drop(task(barrier.wait()));
    let (mut a, mut b) = (task(barrier.wait()), task(barrier.wait()));
    a.is_pending();
    b.is_pending();
    drop(a);
    assert!(task(barrier.wait()).ready().is_leader());
    assert!(!b.woken_and_ready().is_leader());
    // Woken and dropped: the next round needs three again.
    let mut round: Vec<_> = (0..2).map(|_| task(barrier.wait())).collect();
    round.iter_mut().for_each(|t| t.is_pending());
    assert!(task(barrier.wait()).ready().is_leader());
    drop(round);
    task(barrier.wait()).is_pending();
}

#[test]
fn a_writer_that_becomes_a_reader_lets_readers_in_up_to_a_writer_that_was_dropped() {
    let lock = Arc::new(RwLock::new(()));
    for owned in [false, true] {
        let writer = lock.clone().try_write_owned().unwrap();
        let (mut a, mut w, mut b) = (task(lock.read()), task(lock.write()), task(lock.read()));
        a.is_pending();
        w.is_pending();
        b.is_pending();
        let reader = writer.downgrade();
        let held = a.woken_and_ready();
        assert!(!w.is_woken() && !b.is_woken());
        if owned {
            // Woken: the reader behind it must be let in when it goes all the same.
            drop((reader, held));
            assert!(w.is_woken());
        }
        drop(w);
        drop(b.woken_and_ready());
    }
    drop(lock.try_write().unwrap());
}

#[test]
fn a_filler_that_is_dropped_lets_the_next_fill_the_cell() {
    let cell = OnceCell::new();
    let mut first = task(cell.get_or_init(std::future::pending::<i32>));
    let mut failing = task(cell.get_or_try_init(|| async { Err::<i32, &str>("no") }));
    let mut last = task(cell.get_or_init(|| async { 3 }));
    first.is_pending();
    failing.is_pending();
    last.is_pending();
    drop(first);
    assert_eq!(failing.woken_and_ready(), Err("no"));
    assert_eq!(last.woken_and_ready(), &3);
}

#[test]
fn values_that_a_dropped_wait_for_has_seen_count_as_seen() {
    let (tx, mut rx) = watch::channel(1);
    let mut wait = task(rx.wait_for(|n| *n > 5));
    wait.is_pending();
    tx.send(2).unwrap();
    wait.is_pending();
    drop(wait);
    assert!(!rx.has_changed().unwrap());
    tx.send(3).unwrap();
    assert!(rx.has_changed().unwrap());
}

#[test]
fn a_receiver_that_lagged_is_told_though_its_recv_was_dropped() {
    let (tx, mut rx) = broadcast::channel(2);
    let mut recv = task(rx.recv());
    recv.is_pending();
    (0..5).for_each(|i| assert_eq!(tx.send(i).unwrap(), 1));
    assert!(recv.is_woken());
    drop(recv);
    assert_eq!(task(rx.recv()).ready(), Err(broadcast::error::RecvError::Lagged(3)));
    assert_eq!(task(rx.recv()).ready(), Ok(3));
}
