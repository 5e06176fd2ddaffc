//! A runtime that is dropped in the middle of its work.

use shinkan::io::AsyncReadExt;
use shinkan::net::UnixStream;
use shinkan::sync::{Mutex, Notify, mpsc, oneshot};
use std::sync::Arc;
use std::time::Duration;

/// Leaves tasks that wait: for a timer, a lock that is never free, a message that never comes, a
/// socket, each other, and one that is never done. Their handles go at once. The runtime is dropped
/// by the caller.
pub(crate) async fn leave_waiting(number: u64) -> String {
    let notify = Arc::new(Notify::new());
    let lock = Arc::new(Mutex::new(()));
    let (done, mut waiting) = mpsc::channel::<()>(1);
    let holder = lock.clone().lock_owned().await;
    for n in 0..number {
        let (notify, lock, done) = (notify.clone(), lock.clone(), done.clone());
        shinkan::spawn(async move {
            // Each takes one step before it waits, so that we know when all of them do.
            drop(done);
            match n % 6 {
                0 => shinkan::time::sleep(Duration::from_secs(3600)).await,
                1 => drop(lock.lock().await),
                2 => notify.notified().await,
                3 => drop(shinkan::spawn(std::future::pending::<()>()).await),
                4 => {
                    let (keep, message) = oneshot::channel::<()>();
                    let _ = message.await;
                    drop(keep);
                }
                _ => loop {
                    shinkan::task::yield_now().await;
                },
            }
        });
    }
    drop(done);
    // A few only: they take descriptors.
    for _ in 0..number.min(100) {
        let (mut near, far) = UnixStream::pair().expect("a few descriptors");
        shinkan::spawn(async move {
            let _ = near.read_u8().await;
            drop(far);
        });
    }
    // The lock's holder waits too, so that it is let go only when the runtime drops the task.
    shinkan::spawn(async move {
        let _held = holder;
        std::future::pending::<()>().await;
    });
    while waiting.recv().await.is_some() {}
    format!("unfinished: {number} tasks were waiting when their runtime was dropped")
}
