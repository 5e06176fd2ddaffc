//! The rows. This folder is compiled once for each runtime: `super::rt` is the runtime's crate,
//! so both sides run the same source. Nothing here may name either runtime.

mod fs;
pub(crate) mod memory;
mod net;
mod served;
mod sync;
mod task;
mod time;
mod wide;

use super::{HyperIo, POLLS_BETWEEN_EVENTS, POLLS_BETWEEN_LOOKS, rt};
use crate::floors::Floor;
use crate::load::{Load, drive};
use crate::row::{Goal, Info, Length};
use crate::sample::{Mark, Sample};
use served::Serve;
use std::future::Future;
use std::pin::Pin;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a row's work runs.
#[derive(Clone, Copy)]
enum Place {
    /// In a spawned task, so on a worker.
    Pool(fn(u64) -> Work),
    /// On the thread that called `block_on`.
    Outside(fn(u64) -> Work),
    /// In the tasks of a server that another process loads for some time.
    Served(Serve, Load),
}

/// One workload. `work(n)` does `n` operations, or the next multiple that it can.
#[derive(Clone, Copy)]
struct Row {
    info: Info,
    place: Place,
}

impl Row {
    const fn new(name: &'static str, about: &'static str, ops: u64, work: fn(u64) -> Work) -> Row {
        Row { info: Info::new(name, about, ops), place: Place::Pool(work) }
    }

    const fn outside(
        name: &'static str,
        about: &'static str,
        ops: u64,
        work: fn(u64) -> Work,
    ) -> Row {
        Row { info: Info::new(name, about, ops), place: Place::Outside(work) }
    }

    const fn served(name: &'static str, about: &'static str, serve: Serve, load: Load) -> Row {
        let info = Info { served: true, ..Info::new(name, about, 1) };
        Row { info, place: Place::Served(serve, load) }
    }

    const fn counted(self) -> Row {
        Row { info: Info { counted: true, ..self.info }, ..self }
    }

    /// An operation takes `times` of `floor` at least.
    const fn floor(self, floor: Floor, times: f64) -> Row {
        Row { info: Info { floor: Some((floor, times)), ..self.info }, ..self }
    }

    const fn goal(self, goal: Goal) -> Row {
        Row { info: Info { goal, ..self.info }, ..self }
    }

    /// At most so much of Tokio's time.
    const fn at_most(self, wall: f64) -> Row {
        self.goal(Goal { wall, ..self.info.goal })
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
    let Length { warm, ops, workers, served, steady } = length;
    let mut builder = rt::runtime::Builder::new_multi_thread();
    builder.worker_threads(workers).enable_all();
    if steady {
        builder.event_interval(POLLS_BETWEEN_EVENTS).global_queue_interval(POLLS_BETWEEN_LOOKS);
    }
    let runtime = builder.build().expect("threads and an epoll");
    let measured = |work: fn(u64) -> Work| async move {
        if warm > 0 {
            work(warm).await;
        }
        let mark = Mark::now();
        work(ops).await;
        mark.sample(ops)
    };
    match row.place {
        Place::Pool(work) => runtime
            .block_on(async { rt::spawn(measured(work)).await.expect("a row does not panic") }),
        Place::Outside(work) => runtime.block_on(measured(work)),
        Place::Served(serve, load) => {
            let to = runtime
                .block_on(async { rt::spawn(serve()).await.expect("a server does not panic") });
            drive(load, to, served)
        }
    }
}

fn rows() -> Vec<Row> {
    [task::ROWS, sync::ROWS, wide::ROWS, time::ROWS, net::ROWS, served::ROWS, fs::ROWS].concat()
}
