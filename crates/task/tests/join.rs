//! What a join handle gives, and when.

mod common;

use common::{Count, Dropped, Gate, Runtime, output, poll, spawn_copied};
use shinkan_task::{AbortHandle, Id, JoinError, JoinHandle, Runnable, TaskRef, id, try_id};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Poll, Waker};

#[test]
fn output_of_a_task_that_is_done_before_it_is_asked_for() {
    let rt = Runtime::new();
    let handle = rt.spawn(async { "x".repeat(100) });
    assert!(!handle.is_finished());
    assert_eq!(rt.run(), 1);
    assert!(handle.is_finished());
    assert_eq!(output(handle).expect("ended by itself").len(), 100);
    assert!(rt.0.registry.is_empty());
}

#[test]
fn joiner_is_woken_once_by_the_last_waker_it_left() {
    let rt = Runtime::new();
    let mut handle = rt.spawn(async { 7 });
    let (first, first_waker) = Count::new();
    let (second, second_waker) = Count::new();
    assert!(poll(&mut handle, &first_waker).is_pending());
    assert!(poll(&mut handle, &first_waker).is_pending());
    assert!(poll(&mut handle, &second_waker).is_pending());
    rt.run();
    assert_eq!((first.get(), second.get()), (0, 1));
    assert_eq!(output(handle).expect("ended by itself"), 7);
}

#[test]
fn set_join_waker_wakes_at_once_where_the_task_is_done() {
    let rt = Runtime::new();
    let mut handle = rt.spawn(async {});
    let (count, waker) = Count::new();
    handle.set_join_waker(&waker);
    assert_eq!(count.get(), 0);
    rt.run();
    assert_eq!(count.get(), 1);
    handle.set_join_waker(&waker);
    assert_eq!(count.get(), 2);
}

#[test]
fn a_handle_that_is_dropped_lets_the_task_run_on() {
    let rt = Runtime::new();
    let gate = Gate::new();
    let (dropped, guard) = Dropped::new();
    let mut handle = rt.spawn({
        let gate = gate.clone();
        async move {
            gate.wait().await;
            guard
        }
    });
    assert!(poll(&mut handle, &Count::new().1).is_pending());
    drop(handle);
    rt.run();
    gate.open().expect("it waits").wake();
    assert_eq!(dropped.load(SeqCst), 0);
    rt.run();
    assert_eq!(dropped.load(SeqCst), 1);
    assert!(rt.0.registry.is_empty());
}

#[test]
fn an_output_that_nobody_takes_is_dropped_with_the_handle() {
    let rt = Runtime::new();
    let (dropped, guard) = Dropped::new();
    let handle = rt.spawn(async move { guard });
    rt.run();
    assert_eq!(dropped.load(SeqCst), 0);
    drop(handle);
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn a_second_poll_after_the_output_panics_and_drops_nothing_twice() {
    let rt = Runtime::new();
    let (dropped, guard) = Dropped::new();
    let mut handle = rt.spawn(async move { guard });
    rt.run();
    assert!(poll(&mut handle, Waker::noop()).is_ready());
    assert_eq!(dropped.load(SeqCst), 1);
    let again = catch_unwind(AssertUnwindSafe(|| poll(&mut handle, Waker::noop()).is_ready()));
    assert!(again.is_err());
    drop(handle);
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn joining_costs_budget_only_when_it_is_done() {
    use shinkan_context::budget::{Budget, current, with};
    let rt = Runtime::new();
    let mut handle = rt.spawn(async {});
    with(Budget::initial(), || {
        assert!(poll(&mut handle, Waker::noop()).is_pending());
        assert_eq!(current().left(), Some(128));
        rt.run();
        assert!(poll(&mut handle, Waker::noop()).is_ready());
        assert_eq!(current().left(), Some(127));
    });
}

#[test]
fn a_joiner_says_what_it_waits_for() {
    let rt = Runtime::new();
    let inner = rt.spawn(std::future::pending::<()>());
    let inner_id = inner.id();
    let _outer = rt.spawn(inner);
    rt.run();
    let mut waits = Vec::new();
    rt.0.registry.for_each(&mut |task: &TaskRef| waits.extend(task.wait()));
    assert_eq!(waits.len(), 1);
    assert_eq!(waits[0].kind, shinkan_base::wait::WaitKind::Join);
    assert_eq!(waits[0].resource as u64, inner_id.as_u64());
    assert!(waits[0].place.file().ends_with("join.rs"));
}

#[test]
fn a_task_knows_its_number_in_its_poll_and_in_its_drops() {
    struct Says(std::sync::mpsc::Sender<Option<Id>>);
    impl Drop for Says {
        fn drop(&mut self) {
            let _ = self.0.send(try_id());
        }
    }
    let (tx, rx) = std::sync::mpsc::channel();
    let rt = Runtime::new();
    let says = Says(tx.clone());
    let detached = rt.spawn(async { says });
    let detached_id = detached.id();
    drop(detached);
    let (in_future, polled) = (Says(tx), rt.spawn(async { id() }));
    let cancelled = rt.spawn(async move {
        let _in_future = in_future;
        std::future::pending::<()>().await
    });
    assert_eq!(try_id(), None);
    rt.run();
    cancelled.abort();
    rt.run();
    let polled_id = polled.id();
    assert_eq!(output(polled).expect("ended by itself"), polled_id);
    assert_eq!(rx.iter().collect::<Vec<_>>(), [Some(detached_id), Some(cancelled.id())]);
    assert!(catch_unwind(id).is_err());
}

#[test]
fn futures_and_outputs_of_any_size_and_alignment() {
    #[repr(align(128))]
    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Wide([u8; 384]);
    let rt = Runtime::new();
    let wide = rt.spawn(async {
        let wide = Wide([5; 384]);
        assert_eq!((&raw const wide).addr() % 128, 0);
        wide
    });
    let large = rt.spawn({
        let bytes = [3u8; 40_000];
        async move { bytes.iter().map(|&b| b as u64).sum::<u64>() }
    });
    let small_to_large = rt.spawn(async { [1u64; 1_000] });
    rt.run();
    assert_eq!(output(wide).expect("ended by itself"), Wide([5; 384]));
    assert_eq!(output(large).expect("ended by itself"), 120_000);
    assert_eq!(output(small_to_large).expect("ended by itself"), [1; 1_000]);
}

#[test]
fn with_a_handle_that_copies_for_nothing() {
    let shared = Runtime::lasting();
    let gate = Gate::new();
    let handle = spawn_copied(shared, gate.clone().wait());
    shared.pop().expect("queued").run();
    gate.open().expect("it waits").wake();
    shared.pop().expect("queued").run();
    assert!(output(handle).is_ok());
    // The yield goes through `schedule` where `yield_now` is not given.
    let handle = spawn_copied(shared, async {
        let mut first = true;
        std::future::poll_fn(|cx| match std::mem::take(&mut first) {
            true => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            false => Poll::Ready(1),
        })
        .await
    });
    shared.pop().expect("queued").run();
    shared.pop().expect("queued again").run();
    assert_eq!(output(handle).expect("ended by itself"), 1);
}

#[test]
fn the_types_have_the_traits_that_programs_rely_on() {
    fn all<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}
    fn send<T: Send>() {}
    fn unwind<T: Unpin + UnwindSafe + RefUnwindSafe>() {}
    all::<JoinHandle<Cell<u8>>>();
    unwind::<JoinHandle<std::rc::Rc<Cell<u8>>>>();
    all::<AbortHandle>();
    all::<Id>();
    send::<Runnable>();
    fn error<T: Send + Sync + std::error::Error + 'static>() {}
    error::<JoinError>();
    assert_eq!(size_of::<Option<Runnable>>(), 8);
}

#[test]
fn texts_of_handles_and_numbers() {
    let rt = Runtime::new();
    let handle = rt.spawn(async {});
    let id = handle.id();
    assert_eq!(format!("{handle:?}"), format!("JoinHandle {{ id: Id({id}) }}"));
    assert_eq!(format!("{:?}", handle.abort_handle()), format!("AbortHandle {{ id: Id({id}) }}"));
    assert_eq!(handle.abort_handle().clone().id(), id);
}
