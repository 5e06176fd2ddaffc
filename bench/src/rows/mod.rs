//! The rows. This folder is compiled once for each runtime: `super::rt` is the runtime's crate,
//! so both sides run the same source. Nothing here may name either runtime.

mod fs;
mod net;
mod sync;
mod task;
mod time;

use super::rt;
use crate::sample::{Mark, Sample};
use std::future::Future;
use std::pin::Pin;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a row's work runs.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// In a spawned task, so on a worker.
    Pool,
    /// On the thread that called `block_on`.
    Outside,
}

/// One workload. `work(n)` does `n` operations, or the next multiple that it can.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    about: &'static str,
    /// Operations in a round of normal length, a tenth of a second or less on Tokio.
    ops: u64,
    place: Place,
    work: fn(u64) -> Work,
}

impl Row {
    const fn new(name: &'static str, about: &'static str, ops: u64, work: fn(u64) -> Work) -> Row {
        Row { name, about, ops, place: Place::Pool, work }
    }

    const fn outside(self) -> Row {
        Row { place: Place::Outside, ..self }
    }
}

/// Each row's name, its explanation and the operations of a normal round, in the order of the
/// report.
pub(crate) fn list() -> Vec<(&'static str, &'static str, u64)> {
    rows().iter().map(|row| (row.name, row.about, row.ops)).collect()
}

/// Runs `warm` operations unmeasured and then `ops` measured, on a runtime that lives for this
/// round only: so the threads of the other side are not there while this side is measured.
pub(crate) fn round(name: &str, warm: u64, ops: u64) -> Sample {
    let row = rows().into_iter().find(|row| row.name == name).expect("the row was listed");
    let runtime = rt::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("two threads and an epoll");
    let measured = async move {
        if warm > 0 {
            (row.work)(warm).await;
        }
        let mark = Mark::now();
        (row.work)(ops).await;
        mark.sample(ops)
    };
    match row.place {
        Place::Pool => {
            runtime.block_on(async { rt::spawn(measured).await.expect("a row does not panic") })
        }
        Place::Outside => runtime.block_on(measured),
    }
}

fn rows() -> Vec<Row> {
    [task::ROWS, sync::ROWS, time::ROWS, net::ROWS, fs::ROWS].concat()
}
