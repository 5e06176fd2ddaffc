//! Instructions an operation, counted by callgrind. They do not vary with the machine's load and
//! show what a change of the code did; they say nothing of caches, of atomics' waiting, or of the
//! kernel.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs this program under callgrind with `ops` and with three times as many operations of one row;
/// the difference, divided, leaves start and end of the process out. Returns instructions an
/// operation and the longer run's profile.
pub(crate) fn measure(
    row: &str,
    side: &str,
    ops: u64,
    folder: &Path,
) -> io::Result<(f64, PathBuf)> {
    let short = folder.join(format!("{row}.{side}.short.callgrind"));
    let long = folder.join(format!("{row}.{side}.callgrind"));
    let less = callgrind(row, side, ops, &short)?;
    let more = callgrind(row, side, 3 * ops, &long)?;
    Ok((more.saturating_sub(less) as f64 / (2 * ops) as f64, long))
}

fn callgrind(row: &str, side: &str, ops: u64, out: &Path) -> io::Result<u64> {
    let status = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["--once", row, "--runtime", side, "--ops", &ops.to_string()])
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
