//! Runs rows on both sides, in rounds that take turns, and keeps what they measured.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

use crate::Side;
use crate::load::Lasts;
use crate::on_smol;
use crate::row::{Info, Length};
use crate::sample::{Latency, Sample};
use crate::stats::{Estimate, median};

/// How rows are run.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) workers: usize,
    /// How long a round of a served row is loaded.
    pub(crate) served: Duration,
    /// Whether smol has a round of its own after each.
    pub(crate) smol: bool,
}

/// All rounds of one row: `rounds[r][s]` is round `r` on side `s`.
pub(crate) struct Compared {
    pub(crate) info: Info,
    /// Nanoseconds of an operation's floor.
    pub(crate) floor: Option<f64>,
    rounds: Vec<Vec<Sample>>,
    /// Nanoseconds of smol's operation, where it has it.
    pub(crate) smol: Option<f64>,
}

impl Compared {
    /// The median of one figure on one side.
    pub(crate) fn figure(&self, side: usize, of: impl Fn(&Sample) -> f64) -> f64 {
        median(self.rounds.iter().map(|round| of(&round[side])))
    }

    pub(crate) fn latency(&self, side: usize) -> Option<Latency> {
        self.rounds[0][side].latency?;
        let of =
            |pick: fn(&Latency) -> f64| self.figure(side, |s| s.latency.as_ref().map_or(0.0, pick));
        Some(Latency { p50: of(|l| l.p50), p99: of(|l| l.p99), p999: of(|l| l.p999) })
    }

    /// The second side's figure over the first one's, pair by pair: neighbouring rounds see the
    /// same machine.
    pub(crate) fn ratio(&self, of: impl Fn(&Sample) -> f64) -> Estimate {
        // Less than the clock of CPU time can tell counts as that.
        let of = |sample| of(sample).max(f64::MIN_POSITIVE);
        let ratios: Vec<f64> = self.rounds.iter().map(|pair| of(&pair[1]) / of(&pair[0])).collect();
        Estimate::of(&ratios)
    }

    /// The same for a latency, where there is one.
    pub(crate) fn latency_ratio(&self, pick: fn(&Latency) -> f64) -> Option<Estimate> {
        self.rounds[0][0].latency?;
        Some(self.ratio(|sample| sample.latency.as_ref().map_or(0.0, pick)))
    }

    /// How many times its floor the last side needs.
    pub(crate) fn floors(&self) -> Option<f64> {
        let side = self.rounds[0].len() - 1;
        self.floor.map(|floor| self.figure(side, |sample| sample.wall) / floor)
    }
}

/// Runs one row; the side that goes first changes each round.
pub(crate) fn row(info: Info, sides: &[Side], plan: Plan, bar: &ProgressBar) -> Compared {
    bar.set_message(info.name);
    let warm = (info.ops / 10).max(1);
    let length = |side: &Side| {
        let workers = side.workers.unwrap_or(plan.workers);
        Length { warm, ops: info.ops, workers, served: Lasts::Time(plan.served), steady: false }
    };
    let mut smol = Vec::new();
    let rounds = (0..plan.rounds)
        .map(|round| {
            let mut order: Vec<usize> = (0..sides.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            let mut samples: Vec<(usize, Sample)> = order
                .into_iter()
                .map(|side| (side, (sides[side].round)(info.name, length(&sides[side]))))
                .collect();
            samples.sort_by_key(|sample| sample.0);
            if plan.smol {
                smol.extend(on_smol::round(info.name, length(&sides[0])));
            }
            bar.inc(1);
            samples.into_iter().map(|sample| sample.1).collect()
        })
        .collect();
    let floor = info.floor.map(|(floor, times)| floor.measure() * times);
    let smol = (!smol.is_empty()).then(|| median(smol.iter().map(|sample| sample.wall)));
    Compared { info, floor, rounds, smol }
}

/// One step a round of each row; drawn only where there is a terminal.
pub(crate) fn bar(rows: usize, rounds: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} rounds, {eta} left: {msg}");
    ProgressBar::new(rows as u64 * u64::from(rounds))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        let sample = |wall| Sample {
            wall,
            cpu: 1.0,
            user: 0.0,
            allocations: 0.0,
            bytes: 0.0,
            latency: None,
        };
        // The machine was three times slower in the second round.
        let rounds = [(10.0, 5.0), (30.0, 15.0), (10.0, 6.0)];
        let rounds = rounds.iter().map(|&(a, b)| vec![sample(a), sample(b)]).collect();
        let compared =
            Compared { info: Info::new("row", "a row", 1), floor: Some(2.0), rounds, smol: None };
        assert_eq!(compared.ratio(|s| s.wall).median, 0.5);
        assert_eq!(compared.floors(), Some(3.0));
        assert_eq!(compared.latency(0), None);
    }
}
