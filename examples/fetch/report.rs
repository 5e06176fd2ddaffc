//! The lines and the table at the end.

use crate::crawl::Outcome;
use std::collections::BTreeMap;
use std::time::Duration;

/// A line on standard error for each page that was not fetched, the table on standard output.
pub(crate) fn print(outcomes: &[Outcome], took: Duration) {
    let mut failures = BTreeMap::new();
    let mut latencies = Vec::new();
    let mut bytes = 0;
    for outcome in outcomes {
        match &outcome.result {
            Ok(page) => {
                latencies.push(page.latency);
                bytes += page.bytes;
            }
            Err(failure) => {
                eprintln!("{}: {failure}{}", outcome.target.url, times(outcome.attempts));
                *failures.entry(failure.kind()).or_insert(0) += 1;
            }
        }
        if !outcome.is_as_expected() && outcome.target.expected.is_some() {
            eprintln!("{}: did not fail as it was made to", outcome.target.url);
        }
    }
    latencies.sort();

    let requests: u32 = outcomes.iter().map(|outcome| outcome.attempts).sum();
    row("pages", format!("{} of {}", latencies.len(), outcomes.len()));
    row("bytes", size(bytes));
    row("failures", failures.values().sum::<u32>().to_string());
    for (kind, count) in failures {
        row(&format!("  {kind}"), count.to_string());
    }
    if let Some(longest) = latencies.last() {
        row("latency p50", milliseconds(percentile(&latencies, 50)));
        row("latency p99", milliseconds(percentile(&latencies, 99)));
        row("latency max", milliseconds(*longest));
    }
    row("requests", requests.to_string());
    row("requests a second", format!("{:.0}", f64::from(requests) / took.as_secs_f64()));
}

fn row(name: &str, value: String) {
    println!("{name:<27}{value:>14}");
}

fn times(attempts: u32) -> String {
    if attempts > 1 { format!(" ({attempts} attempts)") } else { String::new() }
}

/// The least value that so many percent of the sorted values do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn size(bytes: u64) -> String {
    match bytes as f64 {
        n if n >= 1e6 => format!("{:.1} MB", n / 1e6),
        n if n >= 1e3 => format!("{:.1} kB", n / 1e3),
        n => format!("{n} B"),
    }
}
