//! How often each place of the source writes a word that another thread had written last: the lines
//! that travel between the workers. Only in the build whose atomics are counted (`cargo xtask
//! writes`); its times are not to be read.

use shinkan_base::atomics::count::{Writes, reset, writes};
use std::fmt::Write as _;

use crate::load::Lasts;
use crate::row::Length;
use crate::{SHINKAN, Side};

/// What the page calls an operation, the row that does it, and how many operations.
const ROWS: [(&str, &str, u64); 5] = [
    ("spawn and join", "spawn_join_1000", 100_000),
    ("message through a channel, 4 tasks to one", "mpsc_100", 100_000),
    ("wake-up of another task", "notify_ping_pong", 50_000),
    ("timeout that does not fire", "timeout_64", 100_000),
    ("round trip over TCP", "tcp_128_pairs", 50_000),
];
const WORKERS: usize = 2;
/// Writes that happen less often an operation are of no account.
const LEAST: f64 = 0.005;

/// A table of places for each operation.
pub(crate) fn report() -> String {
    let mut text = String::from(
        "| operation | place | writes | of a line that another thread had |\n|---|---|---|---|\n",
    );
    let Side { round, .. } = SHINKAN;
    for (about, row, ops) in ROWS {
        let served = Lasts::Messages(ops);
        let length = Length { warm: ops / 10, ops, workers: WORKERS, served, steady: false };
        reset();
        round(row, length);
        let all = ops + length.warm;
        let mut places = writes();
        places.sort_by_key(|place| std::cmp::Reverse((place.moved, place.all)));
        let per = |count: u64| count as f64 / all as f64;
        let sum = |of: fn(&Writes) -> u64| per(places.iter().map(of).sum());
        let (written, moved) = (sum(|place| place.all), sum(|place| place.moved));
        let _ = writeln!(text, "| **{about}** | all | {written:.2} | **{moved:.2}** |");
        for place in places.iter().filter(|place| per(place.moved) >= LEAST) {
            let file = place.at.file();
            let file = file.find("crates/").map_or(file, |at| &file[at..]);
            let (line, all, moved) = (place.at.line(), per(place.all), per(place.moved));
            let _ = writeln!(text, "| | `{file}:{line}` | {all:.2} | {moved:.2} |");
        }
    }
    text
}
