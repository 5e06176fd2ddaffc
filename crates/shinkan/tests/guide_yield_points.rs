//! **Where a task gives way.** A task gives way to others at an `.await` that has to wait, and
//! nowhere else. A task that puts its thread to sleep, or computes for long, keeps the worker for
//! itself: on a runtime of one thread nothing else runs meanwhile. A task that awaits a sleep
//! leaves the worker to the others. Work that blocks goes to `spawn_blocking`: it has threads of
//! its own.
//!
//! These tests look at what has happened, not at how long it took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use shinkan::runtime::{Builder, Runtime};
use shinkan::time::sleep;

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Spawns a task that counts each of its turns, without end.
fn count_turns() -> Arc<AtomicU32> {
    let turns = Arc::new(AtomicU32::new(0));
    let counted = turns.clone();
    shinkan::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::SeqCst);
            shinkan::task::yield_now().await;
        }
    });
    turns
}

#[test]
fn beside_a_task_that_sleeps_its_thread_nothing_runs() {
    one_thread().block_on(async {
        let turns = count_turns();
        shinkan::task::yield_now().await;
        let before = turns.load(Ordering::SeqCst);
        assert!(before > 0);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(turns.load(Ordering::SeqCst), before, "there is no other thread to run it");
    });
}

#[test]
fn beside_a_task_that_awaits_a_sleep_the_others_run() {
    one_thread().block_on(async {
        let turns = count_turns();
        let before = turns.load(Ordering::SeqCst);
        sleep(Duration::from_millis(20)).await;
        assert!(turns.load(Ordering::SeqCst) > before);
    });
}

#[test]
fn beside_spawn_blocking_the_others_run() {
    one_thread().block_on(async {
        let (sender, receiver) = mpsc::channel::<()>();
        // The closure blocks until the task below has run: on the same thread it would wait for
        // ever.
        let blocking = shinkan::task::spawn_blocking(move || receiver.recv().is_ok());
        let task = shinkan::spawn(async move { sender.send(()).unwrap() });
        assert!(blocking.await.unwrap());
        task.await.unwrap();
    });
}

#[test]
fn an_await_that_need_not_wait_gives_no_turn_away() {
    one_thread().block_on(async {
        let turns = count_turns();
        let before = turns.load(Ordering::SeqCst);
        for _ in 0..100 {
            std::future::ready(()).await;
        }
        assert_eq!(turns.load(Ordering::SeqCst), before);
    });
}

#[test]
fn a_task_whose_operations_are_always_ready_is_made_to_give_way() {
    one_thread().block_on(async {
        let turns = count_turns();
        let lock = shinkan::sync::Mutex::new(());
        let owner = shinkan::spawn(async move {
            let before = turns.load(Ordering::SeqCst);
            for _ in 0..1_000 {
                drop(lock.lock().await);
            }
            turns.load(Ordering::SeqCst) - before
        });
        assert!(owner.await.unwrap() > 0, "a thousand operations are more than one turn");
    });
}

#[test]
fn a_worker_that_sleeps_does_not_hold_up_the_others_of_its_runtime() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (sender, receiver) = mpsc::channel::<()>();
    let sleeper = runtime.spawn(async move { receiver.recv().is_ok() });
    // All of these end while the sleeper blocks its worker.
    runtime.block_on(async {
        for n in 0..100 {
            assert_eq!(shinkan::spawn(async move { n }).await.unwrap(), n);
        }
    });
    assert!(!sleeper.is_finished());
    sender.send(()).unwrap();
    assert!(runtime.block_on(sleeper).unwrap());
}
