//! **A lock to hold while waiting.** The lock of `sync::Mutex` may be held across an `.await`: a
//! task that has to wait for it gives way to the others, also to the one that holds it. Who asks
//! first gets it first.

use std::sync::Arc;

use shinkan::runtime::{Builder, Runtime};
use shinkan::sync::{Mutex, oneshot};

#[test]
fn the_lock_is_held_across_an_await() {
    // On one thread, a lock that blocked it would wait for itself for ever.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let value = Arc::new(Mutex::new(0));
        let (sender, receiver) = oneshot::channel();
        let holder = shinkan::spawn({
            let value = value.clone();
            async move {
                let mut held = value.lock().await;
                let added: u32 = receiver.await.unwrap();
                *held += added;
            }
        });
        shinkan::task::yield_now().await;
        assert!(value.try_lock().is_err(), "the other task holds it, and waits");
        let other = shinkan::spawn({
            let value = value.clone();
            async move { *value.lock().await }
        });
        sender.send(5).unwrap();
        assert_eq!(other.await.unwrap(), 5);
        holder.await.unwrap();
    });
}

#[test]
fn who_asks_first_gets_it_first() {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = order.lock().await;
        let mut tasks = Vec::new();
        for n in 0..20 {
            let order = order.clone();
            tasks.push(shinkan::spawn(async move { order.lock().await.push(n) }));
            // It asks for the lock now, before the next one is spawned.
            shinkan::task::yield_now().await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().await, (0..20).collect::<Vec<_>>());
    });
}

#[test]
fn no_addition_is_lost_on_several_threads() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let sum = Arc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let sum = sum.clone();
                shinkan::spawn(async move {
                    for _ in 0..100 {
                        let mut held = sum.lock().await;
                        let seen = *held;
                        shinkan::task::yield_now().await;
                        *held = seen + 1;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*sum.lock().await, 1_000);
    });
}
