//! What takes a closure that returns a future takes an async closure, `async || …`, too.
#![cfg(all(feature = "macros", feature = "rt", feature = "sync"))]

use shinkan::sync::OnceCell;
use shinkan::task::JoinHandle;
use std::future::Future;
use std::sync::Arc;

/// Written for closures that return a future, before async closures were known.
fn start<F, T>(work: F) -> JoinHandle<T::Output>
where
    F: FnOnce(u32) -> T,
    T: Future<Output: Send> + Send + 'static,
{
    shinkan::spawn(work(1))
}

#[shinkan::test]
async fn a_task_may_be_made_by_either() {
    let shared = Arc::new(5);
    let other = shared.clone();
    assert_eq!(start(move |n| async move { *other + n }).await.unwrap(), 6);
    assert_eq!(start(async move |n| *shared + n).await.unwrap(), 6);
}

#[shinkan::test]
async fn a_cell_is_filled_by_either() {
    let base = String::from("value");
    let (one, other) = (OnceCell::new(), OnceCell::new());
    assert_eq!(one.get_or_init(|| async { base.len() }).await, &5);
    assert_eq!(other.get_or_init(async || base.len()).await, &5);
    let failed = OnceCell::<u8>::new().get_or_try_init(async || Err("no value")).await.copied();
    assert_eq!(failed, Err("no value"));
}

#[shinkan::test]
async fn select_and_join_take_what_async_closures_return() {
    // Each call borrows from the closure for as long as its future lives.
    let mut calls = 0;
    let mut count = async || {
        calls += 1;
        shinkan::task::yield_now().await;
        calls
    };
    let first = shinkan::select! { n = count() => n };
    let (second,) = shinkan::join!(count());
    assert_eq!((first, second), (1, 2));
}
