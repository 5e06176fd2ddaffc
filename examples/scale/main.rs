//! Large numbers of everything: a million tasks, five thousand connections, a hundred thousand
//! sleeps, and a runtime that is dropped in the middle of its work. After each, every allocation
//! must have been returned.
//!
//! `cargo run --release --example scale`, or with the names of single parts. Times are printed and
//! decide nothing. Exit code: 0 if all went well, 1 if something was not returned, 2 if it could
//! not be started.

#![deny(unsafe_code)]

mod count;
mod echo;
mod sleeps;
mod tasks;
mod unfinished;

use clap::{Parser, ValueEnum};
use shinkan::runtime::{Builder, Runtime};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "scale",
    about = "A million tasks, thousands of connections, and nothing left over"
)]
struct Args {
    /// Which parts to run, all without one
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Percent of the full numbers
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1000))]
    percent: u64,
    /// Worker threads [default: one a core]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// 1,000,000 tasks spawned and joined
    Tasks,
    /// 5,000 connections that echo at once, both ends in this process
    Echo,
    /// 100,000 sleeps
    Sleeps,
    /// A runtime that is dropped while tasks wait for everything there is
    Unfinished,
}

impl Part {
    fn full(self) -> u64 {
        match self {
            Part::Tasks => 1_000_000,
            Part::Echo => 5_000,
            Part::Sleeps => 100_000,
            Part::Unfinished => 10_000,
        }
    }

    /// Works on the runtime and returns a line that says how it went.
    fn work(self, runtime: &Runtime, number: u64) -> String {
        match self {
            Part::Tasks => runtime.block_on(tasks::spawn_and_join(number)),
            Part::Echo => runtime.block_on(echo::all_at_once(number)),
            Part::Sleeps => runtime.block_on(sleeps::all_at_once(number)),
            Part::Unfinished => runtime.block_on(unfinished::leave_waiting(number)),
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let parts = if args.parts.is_empty() { Part::value_variants() } else { &args.parts };
    let mut code = ExitCode::SUCCESS;
    for &part in parts {
        let number = (part.full() * args.percent / 100).max(1);
        if let Part::Echo = part
            && let Err(message) = echo::raise_descriptor_limit(number)
        {
            eprintln!("scale: {message}");
            return ExitCode::from(2);
        }
        // What is made once a process and kept (a lock table, a thread's context) is made by this
        // first run, or, as the table of parking_lot where two threads meet, by a later one. A
        // leak comes back in every run.
        run(part, number.div_ceil(50), args.workers);
        if !(0..3).any(|_| returns_everything(part, number, args.workers)) {
            code = ExitCode::from(1);
        }
    }
    code
}

/// Runs a part and prints how it went, and whether it left something allocated.
fn returns_everything(part: Part, number: u64, workers: Option<u16>) -> bool {
    let before = count::live();
    let line = run(part, number, workers);
    // The line is ours, and was not there before.
    let own = count::Live { bytes: line.len() as i64, blocks: 1 };
    let left = count::live() - before - own;
    println!("{line}");
    let clean = left.bytes == 0 && left.blocks == 0;
    if clean {
        println!("  then every allocation was returned");
    } else {
        println!("  then {} bytes in {} allocations were not returned", left.bytes, left.blocks);
    }
    clean
}

/// Builds a runtime, works on it, and drops it.
fn run(part: Part, number: u64, workers: Option<u16>) -> String {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers.into());
    }
    let runtime = builder.enable_all().build().expect("threads and an epoll");
    let mut line = part.work(&runtime, number);
    drop(runtime);
    line.shrink_to_fit();
    line
}
