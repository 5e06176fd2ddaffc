//! Instructions an operation, counted by callgrind on a runtime of one worker. They do not vary
//! with the machine's load and show what a change of the code did; they say nothing of caches, of
//! atomics' waiting, or of the kernel.

use std::io;
use std::path::Path;

use crate::callgrind::Run;

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
    let less = Run { row, side, workers: 1, ops, out: &short }.total()?;
    let more = Run { row, side, workers: 1, ops: 3 * ops, out: &long }.total()?;
    Ok(more.saturating_sub(less) as f64 / (2 * ops) as f64)
}
