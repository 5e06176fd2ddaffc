//! Which goals a comparison reaches.

use crate::compare::Compared;
use crate::sample::Sample;
use crate::stats::{Estimate, geometric_mean};

/// Of time, of all rows together.
pub(crate) const MEAN_MAX: f64 = 0.5;
/// A median may be above its goal by so much, if the interval's lower end is not.
const NOISE: f64 = 1.03;

/// One line of the verdict.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) row: &'static str,
    pub(crate) what: &'static str,
    pub(crate) goal: f64,
    pub(crate) is: f64,
}

/// The geometric mean of the rows' ratios of time.
pub(crate) fn mean(rows: &[Compared]) -> f64 {
    geometric_mean(rows.iter().map(|row| row.ratio(|sample| sample.wall).median))
}

/// What is missed. Empty: all is reached.
pub(crate) fn missed(rows: &[Compared]) -> Vec<Finding> {
    let mut missed: Vec<Finding> = rows.iter().flat_map(row).collect();
    let is = mean(rows);
    if is > MEAN_MAX {
        missed.push(Finding { row: "all rows", what: "geometric mean", goal: MEAN_MAX, is });
    }
    missed
}

fn row(row: &Compared) -> Vec<Finding> {
    let goal = row.info.goal;
    let ratio = |of: fn(&Sample) -> f64| Some(row.ratio(of));
    [
        ("time", Some(goal.wall), ratio(|sample| sample.wall)),
        ("CPU", Some(goal.cpu), ratio(|sample| sample.cpu)),
        ("user CPU", goal.user, ratio(|sample| sample.user)),
        ("p99", goal.p99, row.latency_ratio(|latency| latency.p99)),
        ("p99.9", goal.p999, row.latency_ratio(|latency| latency.p999)),
    ]
    .into_iter()
    .filter_map(|(what, goal, ratio)| {
        let (goal, ratio) = (goal?, ratio?);
        let finding = Finding { row: row.info.name, what, goal, is: ratio.median };
        (!reached(goal, ratio)).then_some(finding)
    })
    .collect()
}

fn reached(goal: f64, ratio: Estimate) -> bool {
    ratio.median <= goal || (ratio.low <= goal && ratio.median <= goal * NOISE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_no_miss() {
        let ratio = |low, median| Estimate { low, median, high: 2.0 };
        assert!(reached(1.0, ratio(0.5, 1.0)));
        assert!(reached(1.0, ratio(0.99, 1.02)));
        assert!(!reached(1.0, ratio(1.01, 1.02)), "the whole interval is above");
        assert!(!reached(1.0, ratio(0.5, 1.04)), "so much is not noise");
    }
}
