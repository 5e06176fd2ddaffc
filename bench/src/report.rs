//! What a comparison looks like: a line of the terminal's table, and docs/performance.md.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use crate::compare::{Compared, Plan};
use crate::plot::{Bar, plot};
use crate::sample::{Latency, Sample};
use crate::stats::Estimate;
use crate::verdict::{self, MEAN_MAX};

const HEAD: &str = include_str!("report.md.in");

const WALL: fn(&Sample) -> f64 = |sample| sample.wall;
const CPU: fn(&Sample) -> f64 = |sample| sample.cpu;
const USER: fn(&Sample) -> f64 = |sample| sample.user;

/// The heading of the terminal's table.
pub(crate) fn head(sides: &[&str]) -> String {
    let mut line = format!("{:24}", "ns an operation");
    for side in sides {
        let _ = write!(line, " {side:>13} {:>10}", "cpu");
    }
    if sides.len() == 2 {
        line += "   ratio    from      to  cpu ratio  floors";
    }
    line
}

/// A row of it.
pub(crate) fn line(row: &Compared, sides: usize) -> String {
    let mut line = format!("{:24}", row.info.name);
    for side in 0..sides {
        let _ = write!(line, " {:13.1} {:10.1}", row.figure(side, WALL), row.figure(side, CPU));
    }
    if sides == 2 {
        let ratio = row.ratio(WALL);
        let cpu = row.ratio(CPU).median;
        let _ =
            write!(line, " {:7.3} {:7.3} {:7.3} {cpu:10.3}", ratio.median, ratio.low, ratio.high);
        if let Some(times) = row.floors() {
            let _ = write!(line, " {times:7.1}");
        }
        if let Some(smol) = row.smol {
            let _ = write!(line, " smol {smol:.1}");
        }
    }
    for side in 0..sides {
        let Some(latency) = row.latency(side) else { continue };
        let [p50, p99, p999] = [latency.p50, latency.p99, latency.p999].map(|ns| ns / 1e3);
        let (side, user) = (["first", "second"][side], row.figure(side, USER));
        let _ = write!(
            line,
            "\n{:24} {side}: p50 {p50:.0} µs, p99 {p99:.0}, p99.9 {p999:.0}, user CPU {user:.0} ns",
            ""
        );
    }
    line
}

/// The geometric mean and what is missed, a line each.
pub(crate) fn verdict(rows: &[Compared]) -> Vec<String> {
    let mut lines = vec![format!(
        "geometric mean of {} rows: {:.3} (goal {MEAN_MAX})",
        rows.len(),
        verdict::mean(rows)
    )];
    for verdict::Finding { row, what, goal, is } in verdict::missed(rows) {
        lines.push(format!("missed: {row}, {what}: {is:.3} of Tokio's, the goal is {goal}"));
    }
    lines
}

/// Writes `performance.md` and its plots into `folder`.
pub(crate) fn write(
    rows: &[Compared],
    plan: Plan,
    memory: &str,
    by_crate: &str,
    folder: &Path,
) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut text = HEAD.replace("{rounds}", &plan.rounds.to_string());
    text = text.replace("{mean}", &format!("{:.2}", verdict::mean(rows)));
    text = text.replace("{rows}", &rows.len().to_string());
    text = text.replace("{machine}", &machine());
    text = text.replace("{table}", &table(rows));
    text = text.replace("{served}", &served(rows, plan));
    text = text.replace("{by_crate}", by_crate);
    text = text.replace("{memory}", memory);
    text = text.replace("{verdict}", &list(&verdict(rows)));
    fs::write(folder.join("performance.md"), text)?;
    let bars = |of: fn(&Sample) -> f64| -> Vec<Bar> {
        rows.iter().map(|row| Bar { name: row.info.name, value: row.ratio(of) }).collect()
    };
    let time = plot("Time an operation, shinkan / Tokio (95% interval)", &bars(WALL));
    fs::write(folder.join("performance-time.svg"), time)?;
    let cpu = plot("CPU time an operation, shinkan / Tokio (95% interval)", &bars(CPU));
    fs::write(folder.join("performance-cpu.svg"), cpu)
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {line}\n")).collect()
}

fn table(rows: &[Compared]) -> String {
    let mut text = String::from(
        "| row | Tokio | CPU | shinkan | CPU | ratio | 95% | CPU ratio | of its floor | smol |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let ratio = row.ratio(WALL);
        let floor = match (row.floors(), row.info.floor) {
            (Some(times), Some((floor, _))) => format!("{times:.1} × {}", floor.name()),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.2} | {:.2} to {:.2} | {:.2} | {floor} | {} |",
            row.info.about,
            thousands(row.figure(0, WALL)),
            thousands(row.figure(0, CPU)),
            thousands(row.figure(1, WALL)),
            thousands(row.figure(1, CPU)),
            ratio.median,
            ratio.low,
            ratio.high,
            row.ratio(CPU).median,
            row.smol.map_or(String::new(), thousands),
        );
    }
    text
}

/// The rows that another process loads, and how long it did.
pub(crate) fn served(rows: &[Compared], plan: Plan) -> String {
    let Plan { rounds, served, workers, .. } = plan;
    let seconds = served.as_secs_f64();
    let mut text = format!(
        "Loaded for {seconds} s a round after a tenth of that for warmth, {rounds} rounds in turn on \
         {workers} workers; {}.\n\n\
         | row | messages/s | time | p50 µs | p99 µs | ratio | p99.9 µs | ratio | CPU ns | ratio | user CPU ns | ratio |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
        machine()
    );
    for row in rows {
        let (Some(tokio), Some(shinkan)) = (row.latency(0), row.latency(1)) else { continue };
        let pair =
            |tokio: f64, shinkan: f64| format!("{} → {}", thousands(tokio), thousands(shinkan));
        let us = |ns: fn(&Latency) -> f64| pair(ns(&tokio) / 1e3, ns(&shinkan) / 1e3);
        let cpu = |of: fn(&Sample) -> f64| {
            format!(
                "{} | {}",
                pair(row.figure(0, of), row.figure(1, of)),
                with_range(row.ratio(of))
            )
        };
        let latency = |of: fn(&Latency) -> f64| {
            format!("{} | {}", us(of), row.latency_ratio(of).map_or(String::new(), with_range))
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            row.info.about,
            pair(1e9 / row.figure(0, WALL), 1e9 / row.figure(1, WALL)),
            with_range(row.ratio(WALL)),
            us(|latency| latency.p50),
            latency(|latency| latency.p99),
            latency(|latency| latency.p999),
            cpu(CPU),
            cpu(USER),
        );
    }
    text
}

fn with_range(ratio: Estimate) -> String {
    format!("{:.2} ({:.2} to {:.2})", ratio.median, ratio.low, ratio.high)
}

/// `12345.6` as `12,346`, and small numbers with a digit after the point.
pub(crate) fn thousands(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What the figures were measured on.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |model| model.1);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel: Vec<&str> = kernel.trim().splitn(3, ['.', '-']).take(2).collect();
    format!("{model}, {cores} cores, Linux {}", kernel.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(3.12), "3.1");
        assert_eq!(thousands(999.6), "1,000");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
    }
}
