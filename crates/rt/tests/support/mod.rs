//! A runtime whose stuck polls come to the test.

use shinkan_rt::{Builder, Runtime, Stall};
use std::sync::mpsc;

/// With this many workers, without a word on standard error, and without stacks; `change` has the
/// last word.
pub(crate) fn watched(
    workers: usize,
    change: impl FnOnce(&mut Builder),
) -> (Runtime, mpsc::Receiver<Stall>) {
    let (stalls, stalled) = mpsc::channel();
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(workers)
        .name("watched")
        .enable_all()
        .no_seizing()
        .stall_report(false)
        .stall_stacks(false)
        .on_stall(move |stall| drop(stalls.send(stall.clone())));
    change(&mut builder);
    (builder.build().expect("threads are there"), stalled)
}
