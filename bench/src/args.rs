//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

use crate::load::Order;
use crate::memory::Still;
use crate::row::Info;

#[derive(Parser)]
#[command(about = "The same rows on shinkan and on Tokio, rounds interleaved in one process")]
pub(crate) struct Args {
    /// Only rows with one of these names, or whose name contains it where no row is called so
    rows: Vec<String>,
    /// Rounds of each row on each side; at least 9 for a figure to be quoted
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Percent of a normal round's operations
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    percent: u64,
    /// How long a round of a served row is under load
    #[arg(long, default_value_t = 4.0)]
    pub(crate) seconds: f64,
    /// Which side to run
    #[arg(long, value_enum, default_value_t = Which::Both)]
    pub(crate) runtime: Which,
    /// Tokio on both sides: what the method itself gets wrong
    #[arg(long)]
    pub(crate) self_check: bool,
    /// End with code 1 if a row's ratio of wall time is above this
    #[arg(long, value_name = "RATIO")]
    pub(crate) limit: Option<f64>,
    /// Write performance.md and its plots into this folder; the machine must have nothing else to do
    #[arg(long, value_name = "FOLDER")]
    pub(crate) report: Option<PathBuf>,
    /// Write them on a busy machine too, to see what they look like
    #[arg(long)]
    pub(crate) busy: bool,
    /// Count allocations (the times are then disturbed and not printed)
    #[arg(long)]
    pub(crate) allocations: bool,
    /// Run smol beside them, where it has a row's operation
    #[arg(long)]
    pub(crate) smol: bool,
    /// Count the writes of words that workers share; only in the build that counts them
    #[arg(long)]
    pub(crate) writes: bool,
    /// Compare 8, 32 and 128 workers with 2; with --report, write scaling.md
    #[arg(long)]
    pub(crate) scale: bool,
    /// Measure the bytes of tasks and connections that wait
    #[arg(long)]
    pub(crate) memory: bool,
    /// How many of them
    #[arg(long, default_value_t = 1_000_000, value_parser = at_least_one)]
    pub(crate) count: usize,
    /// Count instructions with valgrind's callgrind, leaving the profiles in this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) instructions: Option<PathBuf>,
    /// Count whose instructions a message of `http_64` and `echo_64` takes, with callgrind, leaving
    /// the profiles in this folder; with --report, write them into performance.md
    #[arg(long, value_name = "FOLDER")]
    pub(crate) by_crate: Option<PathBuf>,
    /// Only the rows that another process loads; with --report, write their part of performance.md
    #[arg(long)]
    pub(crate) served: bool,
    /// Only rows of which the repository keeps the instructions
    #[arg(long)]
    counted: bool,
    /// Run one row once, without warm-up and report, for a profiler; needs --runtime
    #[arg(long, value_name = "ROW", conflicts_with = "rows")]
    pub(crate) once: Option<String>,
    /// Operations of that one row; of a served one, messages
    #[arg(long, requires = "once")]
    pub(crate) ops: Option<u64>,
    /// Have that one row's workers look around after a number of polls, whatever the clock says
    #[arg(long, hide = true, requires = "once")]
    pub(crate) steady: bool,
    /// Workers of each runtime
    #[arg(long, default_value_t = 2, value_parser = at_least_one)]
    pub(crate) workers: usize,
    /// Print the names and explanations of all rows
    #[arg(long)]
    pub(crate) list: bool,
    /// Measure the bytes of this in this process, on one side
    #[arg(long, hide = true, value_enum)]
    pub(crate) still: Option<Still>,
    /// Be the load generator of a served row
    #[arg(long, hide = true)]
    pub(crate) load: Option<Order>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Which {
    Tokio,
    Shinkan,
    Both,
}

impl Args {
    /// Whether no row was named.
    pub(crate) fn is_of_all(&self) -> bool {
        self.rows.is_empty()
    }

    /// Those that were asked for, as long as they were asked for.
    pub(crate) fn rows(&self, all: Vec<Info>) -> Vec<Info> {
        let is_name: Vec<bool> =
            self.rows.iter().map(|word| all.iter().any(|row| row.name == word)).collect();
        let named = |row: &Info| {
            let mut words = self.rows.iter().zip(&is_name);
            words.any(|(word, is_name)| row.name == word || !is_name && row.name.contains(word))
        };
        all.into_iter()
            .filter(|row| self.is_of_all() || named(row))
            .filter(|row| (row.counted || !self.counted) && (row.served || !self.served))
            .map(|row| Info { ops: (row.ops * self.percent / 100).max(1), ..row })
            .collect()
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".into()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(words: &[&str]) -> Vec<&'static str> {
        let args = Args::parse_from(["bench"].iter().chain(words));
        let all = ["echo_1", "echo_16k", "mutex"].map(|name| Info::new(name, "a row", 1));
        let all = all.map(|row| Info { served: row.name != "mutex", ..row });
        args.rows(all.to_vec()).iter().map(|row| row.name).collect()
    }

    #[test]
    fn a_name_is_that_row_and_a_part_of_names_is_all_of_them() {
        assert_eq!(rows(&[]), ["echo_1", "echo_16k", "mutex"]);
        assert_eq!(rows(&["echo_1"]), ["echo_1"]);
        assert_eq!(rows(&["echo", "mut"]), ["echo_1", "echo_16k", "mutex"]);
        assert_eq!(rows(&["--served"]), ["echo_1", "echo_16k"]);
        assert_eq!(rows(&["--served", "mutex"]), [""; 0]);
    }
}
