//! Instructions an operation, counted by callgrind on a runtime of one worker. They do not vary
//! with the machine's load and show what a change of the code did; they say nothing of caches, of
//! atomics' waiting, or of the kernel.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Instructions of a row's shorter run, about; the longer has three times as many.
const ENOUGH: f64 = 2e6;

/// Runs this program under callgrind with some operations of one row and with three times as many;
/// the difference, divided, leaves start and end of the process out. Returns instructions an
/// operation; the longer run's profile stays in `folder`.
pub(crate) fn measure(row: &str, side: &str, folder: &Path) -> io::Result<f64> {
    // Few, to learn how many are enough: valgrind is some fifty times slower than the machine.
    let guess = difference(row, side, 200, folder)?;
    let ops = (ENOUGH / guess.max(1.0)).clamp(200.0, 100_000.0) as u64;
    difference(row, side, ops.next_multiple_of(200), folder)
}

fn difference(row: &str, side: &str, ops: u64, folder: &Path) -> io::Result<f64> {
    let short = folder.join(format!("{row}.{side}.short.callgrind"));
    let long = folder.join(format!("{row}.{side}.callgrind"));
    let less = callgrind(row, side, ops, &short)?;
    let more = callgrind(row, side, 3 * ops, &long)?;
    Ok(more.saturating_sub(less) as f64 / (2 * ops) as f64)
}

fn callgrind(row: &str, side: &str, ops: u64, out: &Path) -> io::Result<u64> {
    let status = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["--once", row, "--runtime", side, "--workers", "1", "--ops", &ops.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("valgrind ended with {status}")));
    }
    let profile = std::fs::read_to_string(out)?;
    profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))
        .and_then(|total| total.trim().parse().ok())
        .ok_or_else(|| io::Error::other("the profile has no totals"))
}
