//! What stands still: tasks and connections that wait, many at once.

use super::rt;
use crate::memory::{Look, Still, connections};
use rt::net::TcpListener;
use std::time::Duration;

/// Longer than any measurement.
const LONG: Duration = Duration::from_secs(100_000);

/// Makes `count` of them, looks, ends them all, and looks again.
pub(crate) fn measure(still: Still, count: usize) -> [Look; 3] {
    let runtime = rt::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads and an epoll");
    runtime.block_on(async {
        match still {
            Still::Pending => tasks(count, std::future::pending).await,
            Still::Sleeping => tasks(count, || rt::time::sleep(LONG)).await,
            Still::Connection => streams(count).await,
        }
    })
}

async fn tasks<F>(count: usize, wait: impl Fn() -> F) -> [Look; 3]
where
    F: Future<Output = ()> + Send + 'static,
{
    // The caller's list of handles is not the tasks' memory: it is there before, page by page.
    let mut tasks: Vec<_> = (0..count).map(|_| None).collect();
    // What a runtime sets up once, at its first task and timer, is not either.
    rt::spawn(rt::time::sleep(Duration::from_millis(1))).await.unwrap();
    let before = Look::now();
    tasks.iter_mut().for_each(|task| *task = Some(rt::spawn(wait())));
    settle().await;
    let with = Look::now();
    tasks.iter().flatten().for_each(|task| task.abort());
    for task in tasks.drain(..).flatten() {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    settle().await;
    [before, with, Look::now()]
}

async fn streams(count: usize) -> [Look; 3] {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let mut tasks: Vec<_> = (0..count).map(|_| None).collect();
    let before = Look::now();
    let mut clients = connections(to, count);
    for (nth, task) in tasks.iter_mut().enumerate() {
        // A load that has failed connects no more.
        let accepted = rt::time::timeout(Duration::from_secs(60), listener.accept()).await;
        let (stream, _) = accepted.expect("the load connects").unwrap();
        clients.accepted(nth + 1);
        *task = Some(rt::spawn(async move {
            let mut byte = [0];
            // Nothing comes until the client ends.
            while stream.readable().await.is_ok() {
                if stream.try_read(&mut byte).is_ok() {
                    return;
                }
            }
        }));
    }
    settle().await;
    let with = Look::now();
    drop(clients);
    for task in tasks.drain(..).flatten() {
        task.await.unwrap();
    }
    settle().await;
    [before, with, Look::now()]
}

/// Until every task has been polled, and what was woken has come to rest: this thread is no worker,
/// and a task that is spawned last is polled after those before it, on either worker.
async fn settle() {
    for _ in 0..20 {
        rt::time::sleep(Duration::from_millis(20)).await;
    }
}
