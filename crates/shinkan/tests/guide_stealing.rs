//! **Work is shared.** A runtime has some worker threads, each with a queue of its own. A worker
//! that has nothing to do takes tasks from the queue of another, which is called stealing. So a
//! task may run on another thread after each `.await`, and a worker that is busy for long does not
//! hold up the tasks behind it.

use std::collections::HashSet;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use shinkan::runtime::Builder;

#[test]
fn idle_workers_steal_what_a_busy_one_has_queued() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (sender, receiver) = mpsc::channel();
    let all = runtime.spawn(async move {
        // This task queues others on its own worker and then blocks it until they have run. Only
        // the other worker can run them. (The last one it may keep for itself, to run next.)
        for _ in 0..16 {
            let sender = sender.clone();
            shinkan::spawn(async move {
                let _ = sender.send(thread::current().id());
            });
        }
        let threads: HashSet<_> = (0..15).map(|_| receiver.recv().unwrap()).collect();
        assert!(!threads.contains(&thread::current().id()));
        threads.len()
    });
    assert_eq!(runtime.block_on(all).unwrap(), 1);
}

#[test]
fn both_workers_run_tasks_at_the_same_time() {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    // Two tasks that each block their thread until the other has come: one thread could not do it.
    let meet = Arc::new(Barrier::new(2));
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let meet = meet.clone();
            runtime.spawn(async move {
                meet.wait();
                thread::current().id()
            })
        })
        .collect();
    let threads: HashSet<_> =
        tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).collect();
    assert_eq!(threads.len(), 2);
}

#[test]
fn a_task_may_go_on_at_another_thread_after_an_await() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let moved = runtime.block_on(runtime.spawn(async {
        let first = thread::current().id();
        loop {
            // Another task blocks the worker on which we are now, so we go on at the other one, or
            // it goes there and we stay. Sooner or later it is we who move.
            let (sender, receiver) = mpsc::channel::<()>();
            let blocker = shinkan::spawn(async move {
                let _ = receiver.recv();
            });
            for _ in 0..64 {
                shinkan::task::yield_now().await;
            }
            let here = thread::current().id();
            drop(sender);
            blocker.await.unwrap();
            if here != first {
                return true;
            }
        }
    }));
    assert!(moved.unwrap());
}
