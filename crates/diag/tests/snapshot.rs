//! A running program says what each task waits for.

use shinkan_diag::Snapshot;
use shinkan_probe::WaitKind;
use shinkan_sync::Semaphore;
use std::sync::Arc;

#[test]
fn a_task_that_waits_for_a_permit_is_named_with_its_places() {
    let runtime = shinkan_rt::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let semaphore = Arc::new(Semaphore::new(0));
    let its = semaphore.clone();
    let (spawned, waits) = (line!() + 2, line!() + 2);
    let task = runtime.spawn(async move {
        let _permit = its.acquire().await;
    });
    let seen = loop {
        let mut snapshot = Snapshot::take(runtime.handle());
        let task = snapshot.tasks.pop().expect("the task lives");
        if let Some(wait) = task.wait {
            break (task.to_string(), task.spawned_at.line(), wait);
        }
        std::thread::yield_now();
    };
    assert_eq!((seen.1, seen.2.kind), (spawned - 1, WaitKind::Semaphore), "{}", seen.0);
    assert_eq!(seen.2.place.line(), waits, "{}", seen.0);
    assert!(seen.0.contains("waits for semaphore"), "{}", seen.0);
    semaphore.add_permits(1);
    runtime.block_on(task).unwrap();
    assert!(Snapshot::take(runtime.handle()).tasks.is_empty());
}
