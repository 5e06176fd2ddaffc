//! Compares shinkan with Tokio: each row is one source compiled for both, run in rounds that take
//! turns in one process.
//!
//! A figure is the median over the rounds; the ratio is taken pair by pair (neighbouring rounds see
//! the same machine) and its median printed: below 1, shinkan needs less. The CPU columns are the
//! process's CPU time an operation, so that a row that is won by spinning shows it.

mod allocations;
mod instructions;
// The same files twice is the point.
#[allow(clippy::duplicate_mod)]
mod on_shinkan;
#[allow(clippy::duplicate_mod)]
mod on_tokio;
mod row;
mod sample;

use clap::{Parser, ValueEnum};
use row::{Info, Length};
use sample::{Sample, median};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "The same rows on shinkan and on Tokio, rounds interleaved in one process")]
struct Args {
    /// Only rows whose name contains one of these words
    rows: Vec<String>,
    /// Rounds of each row on each side; at least 7 for a figure to be quoted
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Percent of a normal round's operations
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    percent: u64,
    /// Which side to run
    #[arg(long, value_enum, default_value_t = Which::Both)]
    runtime: Which,
    /// Tokio on both sides: what the method itself gets wrong
    #[arg(long)]
    self_check: bool,
    /// End with code 1 if a row's ratio of wall time is above this
    #[arg(long, value_name = "RATIO")]
    limit: Option<f64>,
    /// Count allocations (the times are then disturbed and not printed)
    #[arg(long)]
    allocations: bool,
    /// Count instructions with valgrind's callgrind, leaving the profiles in this folder
    #[arg(long, value_name = "FOLDER")]
    instructions: Option<PathBuf>,
    /// Only rows of which the repository keeps the instructions
    #[arg(long)]
    counted: bool,
    /// Run one row once, without warm-up and report, for a profiler; needs --runtime
    #[arg(long, value_name = "ROW", conflicts_with = "rows")]
    once: Option<String>,
    /// Operations of that one row
    #[arg(long, requires = "once")]
    ops: Option<u64>,
    /// Workers of each runtime
    #[arg(long, default_value_t = 2, value_parser = at_least_one)]
    workers: usize,
    /// Print the names and explanations of all rows
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Which {
    Tokio,
    Shinkan,
    Both,
}

/// One of the two columns.
#[derive(Clone, Copy)]
struct Side {
    name: &'static str,
    round: fn(&str, Length) -> Sample,
}

const TOKIO: Side = Side { name: "tokio", round: on_tokio::rows::round };
const SHINKAN: Side = Side { name: "shinkan", round: on_shinkan::rows::round };

fn main() -> ExitCode {
    let args = Args::parse();
    let all = on_tokio::rows::list();
    assert_eq!(all, on_shinkan::rows::list(), "both sides have the same rows");
    if args.list {
        for Info { name, about, ops, .. } in all {
            println!("{name:24} {about} ({ops} a round)");
        }
        return ExitCode::SUCCESS;
    }
    let sides = sides(&args);
    if let Some(name) = &args.once {
        let Some(row) = all.iter().find(|row| row.name == name) else {
            return fail(&format!("there is no row {name:?}; --list prints them"));
        };
        let ops = args.ops.unwrap_or(row.ops);
        (sides[0].round)(name, Length { warm: 0, ops, workers: args.workers });
        return ExitCode::SUCCESS;
    }
    let named = |row: &Info| args.rows.iter().any(|word| row.name.contains(word.as_str()));
    let plans: Vec<Info> = all
        .into_iter()
        .filter(|row| (args.rows.is_empty() || named(row)) && (row.counted || !args.counted))
        .map(|row| Info { ops: (row.ops * args.percent / 100).max(1), ..row })
        .collect();
    if plans.is_empty() {
        return fail("no row's name contains any of these words; --list prints them");
    }
    if let Some(folder) = &args.instructions {
        return instruction_report(&plans, &sides, folder);
    }
    if args.allocations {
        return allocation_report(&plans, &sides, args.workers);
    }
    time_report(&plans, &sides, &args)
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".into()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{error}")),
    }
}

fn sides(args: &Args) -> Vec<Side> {
    match args.runtime {
        _ if args.self_check => vec![TOKIO, Side { name: "tokio again", ..TOKIO }],
        Which::Tokio => vec![TOKIO],
        Which::Shinkan => vec![SHINKAN],
        Which::Both => vec![TOKIO, SHINKAN],
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("bench: {message}");
    ExitCode::from(2)
}

/// All rounds of one row: `rounds[r][s]` is round `r` on side `s`. The side that goes first changes
/// each round.
fn rounds(plan: Info, sides: &[Side], rounds: u32, workers: usize) -> Vec<Vec<Sample>> {
    let length = Length { warm: (plan.ops / 10).max(1), ops: plan.ops, workers };
    (0..rounds)
        .map(|round| {
            let mut order: Vec<usize> = (0..sides.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            let mut samples: Vec<(usize, Sample)> =
                order.into_iter().map(|s| (s, (sides[s].round)(plan.name, length))).collect();
            samples.sort_by_key(|sample| sample.0);
            samples.into_iter().map(|sample| sample.1).collect()
        })
        .collect()
}

fn time_report(plans: &[Info], sides: &[Side], args: &Args) -> ExitCode {
    print!("{:24}", "ns an operation");
    for side in sides {
        print!(" {:>13} {:>10}", side.name, "cpu");
    }
    println!("{}", if sides.len() == 2 { "   ratio    from      to  cpu ratio" } else { "" });
    let mut over = Vec::new();
    for &plan in plans {
        let rounds = rounds(plan, sides, args.rounds, args.workers);
        print!("{:24}", plan.name);
        for side in 0..sides.len() {
            let wall = median(rounds.iter().map(|round| round[side].wall));
            let cpu = median(rounds.iter().map(|round| round[side].cpu));
            print!(" {wall:13.1} {cpu:10.1}");
        }
        if sides.len() == 2 {
            let ratios = || rounds.iter().map(|round| round[1].wall / round[0].wall);
            let ratio = median(ratios());
            let (least, most) = ratios().fold((f64::MAX, 0.0), |(l, m), r| (r.min(l), r.max(m)));
            let cpu = median(rounds.iter().map(|round| round[1].cpu / round[0].cpu));
            print!(" {ratio:7.3} {least:7.3} {most:7.3} {cpu:10.3}");
            if args.limit.is_some_and(|limit| ratio > limit) {
                over.push(plan.name);
            }
        }
        println!();
    }
    if over.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("above the limit: {}", over.join(", "));
    ExitCode::from(1)
}

fn allocation_report(plans: &[Info], sides: &[Side], workers: usize) -> ExitCode {
    allocations::start();
    print!("{:24}", "an operation");
    for side in sides {
        print!(" {:>13} {:>10}", side.name, "bytes");
    }
    println!();
    for &plan in plans {
        let samples = &rounds(plan, sides, 1, workers)[0];
        print!("{:24}", plan.name);
        for sample in samples {
            print!(" {:13.2} {:10.1}", sample.allocations, sample.bytes);
        }
        println!();
    }
    ExitCode::SUCCESS
}

fn instruction_report(plans: &[Info], sides: &[Side], folder: &std::path::Path) -> ExitCode {
    if let Err(error) = std::fs::create_dir_all(folder) {
        return fail(&format!("{}: {error}", folder.display()));
    }
    println!("instructions an operation; profiles in {}", folder.display());
    for plan in plans {
        print!("{:24}", plan.name);
        for side in sides {
            match instructions::measure(plan.name, side.name, folder) {
                Ok(count) => print!(" {:>10} {count:10.1}", side.name),
                Err(error) => return fail(&format!("{} on {}: {error}", plan.name, side.name)),
            }
        }
        println!();
    }
    ExitCode::SUCCESS
}
