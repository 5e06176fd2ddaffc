//! Sets of tasks by situation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use shinkan::runtime::{Builder, Runtime};
use shinkan::sync::{Notify, Semaphore};
use shinkan::task::{JoinSet, yield_now};

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[derive(Default)]
struct CountsWakes(AtomicUsize);

impl Wake for CountsWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn tasks_are_joined_in_the_order_in_which_they_end() {
    one_thread().block_on(async {
        let gates: Vec<_> = (0..4).map(|_| Arc::new(Notify::new())).collect();
        let mut set = JoinSet::new();
        for (n, gate) in gates.iter().cloned().enumerate() {
            set.spawn(async move {
                gate.notified().await;
                n
            });
        }
        for n in [2, 0, 3, 1] {
            gates[n].notify_one();
            assert_eq!(set.join_next().await.unwrap().unwrap(), n);
        }
        assert!(set.join_next().await.is_none());
    });
}

#[test]
fn a_task_that_is_spawned_while_the_set_is_awaited_wakes_it_when_it_ends() {
    one_thread().block_on(async {
        let mut set = JoinSet::new();
        set.spawn(std::future::pending::<()>());
        let wakes = Arc::new(CountsWakes::default());
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        assert!(set.poll_join_next(&mut cx).is_pending());

        // Nobody polls the set before the task ends; the waker of the last poll must be called.
        set.spawn(async {});
        while wakes.0.load(Ordering::SeqCst) == 0 {
            yield_now().await;
        }
        loop {
            match set.poll_join_next(&mut cx) {
                Poll::Ready(ended) => break ended.unwrap().unwrap(),
                Poll::Pending => yield_now().await,
            }
        }
        assert_eq!(set.len(), 1);
    });
}

#[test]
fn places_in_the_set_are_used_again() {
    one_thread().block_on(async {
        let mut set = JoinSet::new();
        let mut joined = 0;
        for round in 0..50 {
            for n in 0..8 {
                set.spawn(async move {
                    for _ in 0..n {
                        yield_now().await;
                    }
                    round * 8 + n
                });
            }
            for _ in 0..4 {
                joined += set.join_next().await.unwrap().unwrap();
            }
        }
        while let Some(n) = set.join_next().await {
            joined += n.unwrap();
        }
        assert_eq!(joined, (0..400).sum::<usize>());
    });
}

#[test]
fn tasks_on_all_threads_end_while_the_set_is_awaited() {
    Runtime::new().unwrap().block_on(async {
        let mut set = JoinSet::new();
        let mut ids = std::collections::HashSet::new();
        for n in 0..10_000_u32 {
            ids.insert(set.spawn(async move { n }).id());
        }
        let mut sum = 0_u64;
        while let Some(joined) = set.join_next_with_id().await {
            let (id, n) = joined.unwrap();
            assert!(ids.remove(&id));
            sum += u64::from(n);
        }
        assert_eq!(sum, (0..10_000).sum::<u64>());
        assert!(ids.is_empty());
    });
}

#[test]
fn dropping_the_set_aborts_its_tasks_and_detaching_does_not() {
    one_thread().block_on(async {
        let done = Arc::new(Semaphore::new(0));
        let mut set = JoinSet::new();
        let (gate, signal) = (Arc::new(Notify::new()), done.clone());
        let wait = gate.clone();
        set.spawn(async move {
            wait.notified().await;
            signal.add_permits(1);
        });
        set.detach_all();
        assert!(set.is_empty());
        gate.notify_one();
        let _ = done.acquire().await.unwrap();

        let aborted = set.spawn(std::future::pending());
        drop(set);
        while !aborted.is_finished() {
            yield_now().await;
        }
    });
}

#[test]
fn a_panic_and_an_abort_are_errors_of_their_tasks_alone() {
    one_thread().block_on(async {
        let mut set = JoinSet::new();
        let panics = set.spawn(async { panic!("on purpose") }).id();
        let pending = set.spawn(std::future::pending());
        pending.abort();
        set.spawn(async {});
        let mut ended = Vec::new();
        while let Some(result) = set.join_next().await {
            ended.push(match result {
                Ok(()) => "done",
                Err(error) if error.is_panic() && error.id() == panics => "panicked",
                Err(error) if error.is_cancelled() && error.id() == pending.id() => "aborted",
                Err(error) => panic!("{error}"),
            });
        }
        ended.sort_unstable();
        assert_eq!(ended, ["aborted", "done", "panicked"]);
    });
}

#[test]
fn what_has_ended_is_taken_without_waiting() {
    one_thread().block_on(async {
        let mut set = JoinSet::from_iter((0..300).map(|n| async move { n }));
        assert!(set.try_join_next().is_none(), "nothing has run yet");
        for _ in 0..20 {
            yield_now().await;
        }
        // More than one turn's budget: this call does not count against it.
        let mut taken = 0;
        while let Some(n) = set.try_join_next() {
            n.unwrap();
            taken += 1;
        }
        assert_eq!(taken, 300);
    });
}
