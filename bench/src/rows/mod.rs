//! The rows. This folder is compiled once for each runtime: `super::rt` is the runtime's crate,
//! so both sides run the same source. Nothing here may name either runtime.

mod fs;
mod net;
mod sync;
mod task;
mod time;

use super::rt;
use crate::row::{Info, Length};
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
    info: Info,
    place: Place,
    work: fn(u64) -> Work,
}

impl Row {
    const fn new(name: &'static str, about: &'static str, ops: u64, work: fn(u64) -> Work) -> Row {
        Row { info: Info::new(name, about, ops), place: Place::Pool, work }
    }

    const fn outside(self) -> Row {
        Row { place: Place::Outside, ..self }
    }

    const fn counted(self) -> Row {
        Row { info: Info { counted: true, ..self.info }, ..self }
    }
}

/// What is known of each row, in the order of the report.
pub(crate) fn list() -> Vec<Info> {
    rows().iter().map(|row| row.info).collect()
}

/// Runs a row's operations, those for warmth unmeasured, on a runtime that lives for this round
/// only: so the threads of the other side are not there while this side is measured.
pub(crate) fn round(name: &str, length: Length) -> Sample {
    let row = rows().into_iter().find(|row| row.info.name == name).expect("the row was listed");
    let Length { warm, ops, workers } = length;
    let runtime = rt::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("threads and an epoll");
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
