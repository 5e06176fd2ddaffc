//! Compares shinkan with Tokio: each row is one source compiled for both, run in rounds that take
//! turns in one process.
//!
//! A figure is the median over the rounds; the ratio is taken pair by pair (neighbouring rounds see
//! the same machine) and its median printed: below 1, shinkan needs less. The CPU columns are the
//! process's CPU time an operation, so that a row that is won by spinning shows it.

mod allocations;
mod args;
mod by_crate;
mod callgrind;
mod compare;
mod floors;
mod instructions;
mod load;
mod memory;
// The same files twice is the point.
#[allow(clippy::duplicate_mod)]
mod on_shinkan;
mod on_smol;
#[allow(clippy::duplicate_mod)]
mod on_tokio;
mod owner;
mod page;
mod plot;
mod quiet;
mod report;
mod row;
mod sample;
mod scale;
mod stats;
mod verdict;
#[cfg(shinkan_count)]
mod writes;
#[cfg(not(shinkan_count))]
#[path = "no_writes.rs"]
mod writes;

use args::{Args, Which};
use clap::Parser;
use compare::{Compared, Plan};
use load::Lasts;
use memory::{Look, Still};
use row::{Info, Length};
use sample::Sample;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// One of the two columns.
#[derive(Clone, Copy)]
struct Side {
    name: &'static str,
    /// None: as many as the plan says.
    workers: Option<usize>,
    round: fn(&str, Length) -> Sample,
    memory: fn(Still, usize) -> [Look; 3],
}

const TOKIO: Side = Side {
    name: "tokio",
    workers: None,
    round: on_tokio::rows::round,
    memory: on_tokio::rows::memory::measure,
};
const SHINKAN: Side = Side {
    name: "shinkan",
    workers: None,
    round: on_shinkan::rows::round,
    memory: on_shinkan::rows::memory::measure,
};

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::from(2)
        }
    }
}

/// False: a goal or the limit is missed.
fn run(args: &Args) -> Result<bool, String> {
    if let Some(order) = args.load {
        return load::client::run(order).map(|()| true).map_err(|e| format!("the load: {e}"));
    }
    let sides = sides(args);
    if let Some(still) = args.still {
        memory::run(still, args.count, sides[0]);
        return Ok(true);
    }
    if args.memory {
        return memory::report(args.count, &sides, &|line| println!("{line}")).map(|_| true);
    }
    if args.writes {
        let table = writes::report();
        println!("{table}");
        let Some(folder) = &args.report else { return Ok(true) };
        let put = page::put(&folder.join("scaling.md"), "writes", &table);
        return put.map(|()| true).map_err(|error| format!("scaling.md: {error}"));
    }
    let all = on_tokio::rows::list();
    assert_eq!(all, on_shinkan::rows::list(), "both sides have the same rows");
    if args.list {
        for Info { name, about, ops, .. } in all {
            println!("{name:24} {about} ({ops} a round)");
        }
        return Ok(true);
    }
    let plan = Plan {
        rounds: args.rounds,
        workers: args.workers,
        served: Duration::from_secs_f64(args.seconds),
        smol: args.smol || args.report.is_some() && !args.scale && !args.served,
    };
    if let Some(name) = &args.once {
        let row = all.iter().find(|row| row.name == name);
        let row = row.ok_or_else(|| format!("there is no row {name:?}; --list prints them"))?;
        let ops = args.ops.unwrap_or(row.ops);
        let Plan { workers, served, .. } = plan;
        let served = args.ops.map_or(Lasts::Time(served), Lasts::Messages);
        (sides[0].round)(name, Length { warm: 0, ops, workers, served, steady: args.steady });
        return Ok(true);
    }
    if let Some(folder) = &args.by_crate {
        return by_crate_report(args, all, &sides, folder);
    }
    let rows = args.rows(all);
    if rows.is_empty() {
        return Err("no row's name contains any of these words; --list prints them".into());
    }
    if let Some(folder) = &args.instructions {
        return instruction_report(&rows, &sides, folder);
    }
    if args.allocations {
        allocation_report(&rows, &sides, plan);
        return Ok(true);
    }
    let is_page = args.report.is_some() && !args.scale && !args.served;
    if is_page {
        callgrind::check()?;
    }
    if args.report.is_some() && !args.busy {
        quiet::check()?;
    }
    if args.scale {
        let done = scale::report(&rows, &sides, plan, args.report.as_deref());
        return done.map_err(|error| format!("scaling.md: {error}"));
    }
    time_report(&rows, &sides, plan, args)
}

fn sides(args: &Args) -> Vec<Side> {
    match args.runtime {
        _ if args.self_check => vec![TOKIO, Side { name: "tokio again", ..TOKIO }],
        Which::Tokio => vec![TOKIO],
        Which::Shinkan => vec![SHINKAN],
        Which::Both => vec![TOKIO, SHINKAN],
    }
}

fn time_report(rows: &[Info], sides: &[Side], plan: Plan, args: &Args) -> Result<bool, String> {
    let bar = compare::bar(rows.len(), plan.rounds);
    // Around the bar where there is one; a bar that is not drawn would swallow the line.
    let say = |line: &str| bar.suspend(|| println!("{line}"));
    say(&report::head(&sides.iter().map(|side| side.name).collect::<Vec<_>>()));
    let compared: Vec<Compared> = rows
        .iter()
        .map(|&row| {
            let compared = compare::row(row, sides, plan, &bar);
            say(&report::line(&compared, sides.len()));
            compared
        })
        .collect();
    bar.finish_and_clear();
    if sides.len() < 2 {
        return Ok(true);
    }
    report::verdict(&compared).iter().for_each(|line| println!("{line}"));
    if let Some(folder) = &args.report {
        let failed = |error| format!("{}: {error}", folder.display());
        if args.served {
            let table = report::served(&compared, plan);
            page::put(&folder.join("performance.md"), "served", &table).map_err(failed)?;
        } else {
            let say = |line: &str| println!("{line}");
            let memory = memory::report(args.count, sides, &say)?;
            let by_crate = by_crate::unkept(&on_tokio::rows::list(), sides, &say)?;
            report::write(&compared, plan, &memory, &by_crate, folder).map_err(failed)?;
        }
    }
    let Some(limit) = args.limit else { return Ok(true) };
    let over = |row: &&Compared| row.ratio(|sample| sample.wall).median > limit;
    let over: Vec<&str> = compared.iter().filter(over).map(|row| row.info.name).collect();
    if !over.is_empty() {
        println!("above the limit: {}", over.join(", "));
    }
    Ok(over.is_empty())
}

fn allocation_report(rows: &[Info], sides: &[Side], plan: Plan) {
    allocations::start();
    print!("{:24}", "an operation");
    for side in sides {
        print!(" {:>13} {:>10}", side.name, "bytes");
    }
    println!();
    let bar = indicatif::ProgressBar::hidden();
    for &row in rows {
        let compared = compare::row(row, sides, Plan { rounds: 1, ..plan }, &bar);
        print!("{:24}", row.name);
        for side in 0..sides.len() {
            let calls = compared.figure(side, |sample| sample.allocations);
            let bytes = compared.figure(side, |sample| sample.bytes);
            print!(" {calls:13.2} {bytes:10.1}");
        }
        println!();
    }
}

fn by_crate_report(
    args: &Args,
    all: Vec<Info>,
    sides: &[Side],
    folder: &Path,
) -> Result<bool, String> {
    callgrind::check()?;
    let rows = if args.is_of_all() { by_crate::rows(&all) } else { args.rows(all) };
    if let Some(row) = rows.iter().find(|row| !row.served) {
        return Err(format!("{}: only messages of served rows are counted by crate", row.name));
    }
    let part = by_crate::report(&rows, sides, folder, &|line| println!("{line}"))?;
    let Some(folder) = args.report.as_ref().filter(|_| sides.len() == 2) else { return Ok(true) };
    let put = page::put(&folder.join("performance.md"), "by crate", &part);
    put.map(|()| true).map_err(|error| format!("performance.md: {error}"))
}

fn instruction_report(rows: &[Info], sides: &[Side], folder: &Path) -> Result<bool, String> {
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    println!("instructions an operation; profiles in {}", folder.display());
    for row in rows {
        print!("{:24}", row.name);
        for side in sides {
            let count = instructions::measure(row.name, side.name, folder)
                .map_err(|error| format!("{} on {}: {error}", row.name, side.name))?;
            print!(" {:>10} {count:10.1}", side.name);
        }
        println!();
    }
    Ok(true)
}
