//! **Tasks.** `spawn` starts a task that runs beside its caller, whether or not anybody waits for
//! it. What it returns is a handle: awaited, it gives the task's value. A panic in the task ends
//! that task alone: its handle gives an error, and everybody else goes on. Dropping the handle
//! does not stop the task; `abort` does, at its next `.await`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shinkan::runtime::Runtime;
use shinkan::sync::oneshot;

#[test]
fn a_task_runs_beside_its_caller() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        // Each waits for the other: neither could end if they ran one after the other.
        let (to_task, from_caller) = oneshot::channel();
        let (to_caller, from_task) = oneshot::channel();
        let task = shinkan::spawn(async move {
            let word: &str = from_caller.await.unwrap();
            to_caller.send(word.len()).unwrap();
        });
        to_task.send("shinkan").unwrap();
        assert_eq!(from_task.await.unwrap(), 7);
        task.await.unwrap();
    });
}

#[test]
fn a_task_runs_also_if_nobody_waits_for_it() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (sender, receiver) = oneshot::channel();
        drop(shinkan::spawn(async move { sender.send("done").unwrap() }));
        assert_eq!(receiver.await.unwrap(), "done");
    });
}

#[test]
fn the_handle_gives_the_value() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let text: String = shinkan::spawn(async { "a value".to_owned() }).await.unwrap();
        assert_eq!(text, "a value");
    });
}

#[test]
fn a_panic_is_an_error_of_the_handle_and_hurts_nobody_else() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (sender, receiver) = oneshot::channel();
        let other = shinkan::spawn(async move { receiver.await.unwrap() });
        let error = shinkan::spawn(async { panic!("on purpose") }).await.unwrap_err();
        assert!(error.is_panic());
        assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "on purpose");

        sender.send(5).unwrap();
        assert_eq!(other.await.unwrap(), 5);
        assert_eq!(shinkan::spawn(async { 6 }).await.unwrap(), 6);
    });
}

#[test]
fn abort_ends_a_task_at_its_await_and_drops_what_it_holds() {
    struct SaysSo(Arc<AtomicBool>);
    impl Drop for SaysSo {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let dropped = Arc::new(AtomicBool::new(false));
        let held = SaysSo(dropped.clone());
        let task = shinkan::spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert!(dropped.load(Ordering::SeqCst));
    });
}

#[test]
fn abort_after_the_end_changes_nothing() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (sender, receiver) = oneshot::channel();
        let task = shinkan::spawn(async move {
            sender.send(()).unwrap();
            9
        });
        receiver.await.unwrap();
        while !task.is_finished() {
            shinkan::task::yield_now().await;
        }
        task.abort();
        assert_eq!(task.await.unwrap(), 9);
    });
}
