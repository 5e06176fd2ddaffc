//! Everything at once: workers, wakers, aborts, joins, leaving handles and a registry that closes,
//! on more threads than there are cores. What must hold: each future and each output is dropped
//! once, every joiner learns how its task ended, and no task is left.

mod common;

use common::{Dropped, Runtime, poll};
use shinkan_base::rng::Rng;
use shinkan_task::JoinHandle;
use std::future::poll_fn;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

type Wakers = Arc<Mutex<Vec<Waker>>>;

/// Leaves its waker with the others a few times, wakes itself at times, then ends or panics.
async fn task(mut rng: Rng, wakers: Wakers, guard: Dropped) -> Dropped {
    let rounds = rng.below(4);
    for _ in 0..rounds {
        let mut first = true;
        poll_fn(|cx| {
            if !std::mem::take(&mut first) && rng.below(2) == 0 {
                return Poll::Ready(());
            }
            if rng.below(3) == 0 {
                cx.waker().wake_by_ref();
            }
            wakers.lock().expect("nobody panics in it").push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
    if rng.below(16) == 0 {
        std::panic::resume_unwind(Box::new("now and then"));
    }
    guard
}

fn waker_thread(wakers: &Wakers, stop: &AtomicBool, seed: u64) {
    let mut rng = Rng::new(seed);
    while !stop.load(SeqCst) {
        let waker = {
            let mut wakers = wakers.lock().expect("nobody panics in it");
            let at = rng.below(wakers.len() as u32) as usize;
            if wakers.is_empty() { None } else { Some(wakers.swap_remove(at)) }
        };
        match (waker, rng.below(3)) {
            (Some(waker), 0) => waker.wake_by_ref(),
            (Some(waker), _) => waker.wake(),
            (None, _) => thread::yield_now(),
        }
    }
}

fn join_thread(handles: mpsc::Receiver<JoinHandle<Dropped>>, seed: u64) {
    let mut rng = Rng::new(seed);
    for mut handle in handles {
        match rng.below(6) {
            0 => drop(handle),
            1 => handle.abort(),
            2 => {
                let abort = handle.abort_handle();
                let _ = poll(&mut handle, Waker::noop());
                drop(handle);
                abort.abort();
            }
            _ => {
                handle.abort_handle().abort();
                let thread = thread::current();
                let waker = Waker::from(Arc::new(Unpark(thread)));
                while poll(&mut handle, &waker).is_pending() {
                    thread::park();
                }
            }
        }
    }
}

struct Unpark(thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn everything_at_once() {
    for round in 0..10 {
        let rt = Runtime::new();
        let wakers = Wakers::default();
        let stop = AtomicBool::new(false);
        let (dropped, guard) = Dropped::new();
        let (tx, rx) = mpsc::channel();
        const TASKS: usize = 500;
        thread::scope(|scope| {
            let joins = scope.spawn(move || join_thread(rx, round));
            for seed in 0..2 {
                let (wakers, stop, rt) = (&wakers, &stop, rt.clone());
                scope.spawn(move || waker_thread(wakers, stop, seed));
                scope.spawn(move || {
                    while !stop.load(SeqCst) {
                        rt.run();
                        thread::yield_now();
                    }
                });
            }
            for i in 0..TASKS {
                let rng = Rng::new(round << 32 | i as u64);
                let guard = Dropped(guard.0.clone());
                tx.send(rt.spawn(task(rng, wakers.clone(), guard))).expect("it receives");
            }
            drop(tx);
            if round % 2 == 0 {
                // Joiners of tasks that are shut down are told so.
                rt.0.registry.close_and_shutdown();
            }
            joins.join().expect("no joiner waits for ever");
            stop.store(true, SeqCst);
        });
        rt.0.registry.close_and_shutdown();
        rt.run();
        assert!(rt.0.registry.is_empty());
        wakers.lock().expect("nobody panics in it").clear();
        drop(guard);
        assert_eq!(dropped.load(SeqCst), TASKS + 1);
        assert_eq!(Arc::strong_count(&dropped), 1);
    }
}
