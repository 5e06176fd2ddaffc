//! More workers than the machine has cores: what a row takes with 8, 32 and 128 of them, in units of
//! what it takes with 2, pair by pair.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::Side;
use crate::compare::{self, Plan};
use crate::page;
use crate::row::Info;

const FEW: usize = 2;
const MANY: [usize; 3] = [8, 32, 128];
/// Throughput within 20% of that with two workers.
const RATIO_MAX: f64 = 1.0 / 0.8;
/// Rows in which many workers take part.
const ROWS: [&str; 10] = [
    "spawn_join_1000",
    "yield_200",
    "mpsc_100",
    "mutex_16",
    "rwlock_read_16",
    "timeout_64",
    "remote_spawn",
    "skew_parent",
    "broadcast_1000",
    "tcp_128_pairs",
];

/// False: something collapses on the last side. With a folder, its `scaling.md` gets the table.
pub(crate) fn report(
    all: &[Info],
    sides: &[Side],
    plan: Plan,
    folder: Option<&Path>,
) -> io::Result<bool> {
    let rows: Vec<&Info> = all.iter().filter(|row| ROWS.contains(&row.name)).collect();
    let bar = compare::bar(rows.len() * sides.len() * MANY.len(), plan.rounds);
    let mut table = String::from("| row | runtime |");
    for many in MANY {
        let _ = write!(table, " {many} workers |");
    }
    let _ = write!(table, "\n|---|---|{}\n", "---|".repeat(MANY.len()));
    let mut collapsed = Vec::new();
    for row in rows {
        for (nth, side) in sides.iter().enumerate() {
            let _ = write!(table, "| {} | {} |", row.about, side.name);
            let mut line = format!("{:24} {:8}", row.name, side.name);
            for many in MANY {
                let pair = [FEW, many].map(|workers| Side { workers: Some(workers), ..*side });
                let ratio = compare::row(*row, &pair, plan, &bar).ratio(|sample| sample.wall);
                let _ =
                    write!(table, " {:.2} ({:.2} to {:.2}) |", ratio.median, ratio.low, ratio.high);
                let _ = write!(line, " {many:4} workers: {:.2}", ratio.median);
                if nth + 1 == sides.len() && ratio.low > RATIO_MAX {
                    collapsed.push(format!("{} with {many}: {:.2}", row.name, ratio.median));
                }
            }
            table.push('\n');
            bar.suspend(|| println!("{line}"));
        }
    }
    bar.finish_and_clear();
    for what in &collapsed {
        println!("collapses (more than {RATIO_MAX:.2}): {what}");
    }
    if let Some(folder) = folder {
        page::put(&folder.join("scaling.md"), "many workers", &table)?;
    }
    Ok(collapsed.is_empty())
}
