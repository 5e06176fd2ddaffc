//! What the tests of several files need.
#![allow(dead_code, reason = "each test file uses a part")]

use shinkan_rt::{Builder, Runtime};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

pub(crate) fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub(crate) fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs the test on a runtime of each flavour; on the second as a task, so on a worker.
pub(crate) fn on_both<F>(test: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    current_thread().block_on(test());
    let runtime = multi_thread();
    let task = runtime.spawn(test());
    runtime.block_on(task).unwrap();
}

/// Polls once, and says whether the future still waits.
pub(crate) async fn is_pending(future: impl Future) -> bool {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}
