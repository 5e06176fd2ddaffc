//! Tests of both sides held against each other. Those that differ, or fail on both, run again alone.

use std::collections::BTreeSet;

use super::results::Row;
use super::{Ran, Side};

const RUNS_AGAIN: usize = 3;

/// How a test ends on one side, over several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steady {
    Passes,
    Flaky,
    Fails,
}

/// Counts and names; `again` runs a test once more and says whether it passed.
pub(super) fn judge(
    tokio: &Ran,
    shinkan: &Ran,
    again: &mut dyn FnMut(Side, &str) -> Result<bool, String>,
) -> Result<Row, String> {
    let mut row = Row::default();
    let all: BTreeSet<&String> = tokio.tests.keys().chain(shinkan.tests.keys()).collect();
    row.tests = all.len();
    for test in all {
        let first = [tokio, shinkan].map(|ran| ran.tests.get(test) == Some(&true));
        if first == [true, true] {
            row.tokio += 1;
            row.shinkan += 1;
            continue;
        }
        let on_tokio = steady(first[0], &mut || again(Side::Tokio, test))?;
        let on_shinkan = steady(first[1], &mut || again(Side::Shinkan, test))?;
        row.tokio += usize::from(on_tokio == Steady::Passes);
        row.shinkan += usize::from(on_shinkan == Steady::Passes);
        let list = match (on_tokio, on_shinkan) {
            (Steady::Passes, Steady::Passes) => &mut row.alone,
            (_, Steady::Passes) => &mut row.better,
            (Steady::Fails, Steady::Fails) => &mut row.both,
            (Steady::Passes, _) | (Steady::Flaky, Steady::Fails) => &mut row.worse,
            (_, Steady::Flaky) => &mut row.flaky,
        };
        list.push(test.clone());
    }
    for (target, error) in &tokio.not_built {
        row.not_built.insert(target.clone(), error.clone());
    }
    for (target, error) in &shinkan.not_built {
        if !tokio.not_built.contains_key(target) {
            row.worse.push(format!("{target} does not build: {error}"));
        }
    }
    Ok(row)
}

/// The first run was beside others, which three alone outweigh. Two failures without a success are
/// enough: what hangs costs its limit each time.
fn steady(first: bool, again: &mut dyn FnMut() -> Result<bool, String>) -> Result<Steady, String> {
    let mut passed = 0;
    for run in 0..RUNS_AGAIN {
        passed += usize::from(again()?);
        if run == 0 && passed == 0 && !first {
            return Ok(Steady::Fails);
        }
    }
    Ok(match passed {
        RUNS_AGAIN => Steady::Passes,
        _ => Steady::Flaky,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn ran(tests: &[(&str, bool)], not_built: &[&str]) -> Ran {
        Ran {
            tests: tests.iter().map(|(name, passed)| (name.to_string(), *passed)).collect(),
            not_built: not_built.iter().map(|name| (name.to_string(), "error".into())).collect(),
            jobs: BTreeMap::new(),
        }
    }

    /// `T` and `S` pass on a side, anything else fails; the scripts are used up run by run.
    fn judged(first: (bool, bool), on_tokio: &[bool], on_shinkan: &[bool]) -> Row {
        let mut scripts = [on_tokio.iter(), on_shinkan.iter()];
        let mut again = |side: Side, _: &str| {
            scripts[side as usize].next().copied().ok_or_else(|| "one run too many".to_string())
        };
        judge(&ran(&[("t", first.0)], &[]), &ran(&[("t", first.1)], &[]), &mut again).unwrap()
    }

    #[test]
    fn a_difference_is_found() {
        let row = judged((true, false), &[true; 3], &[false]);
        assert_eq!((row.tests, row.tokio, row.shinkan), (1, 1, 0));
        assert_eq!(row.worse, ["t"]);
        assert_eq!(judged((true, false), &[true; 3], &[true, false, true]).worse, ["t"]);
        assert_eq!(judged((true, false), &[true, false, true], &[false]).worse, ["t"]);
    }

    #[test]
    fn what_is_no_difference() {
        assert_eq!(judged((true, true), &[], &[]).shinkan, 1);
        assert_eq!(judged((false, false), &[false], &[false]).both, ["t"]);
        assert_eq!(judged((true, false), &[true; 3], &[true; 3]).alone, ["t"]);
        assert_eq!(judged((false, true), &[false], &[true; 3]).better, ["t"]);
        let flaky = [true, false, true];
        assert_eq!(judged((true, false), &flaky, &flaky).flaky, ["t"]);
    }

    #[test]
    fn what_builds_on_one_side_only() {
        let mut again = |side: Side, _: &str| Ok(side == Side::Tokio);
        let row = judge(&ran(&[("a::t", true)], &["b"]), &ran(&[], &["a", "b"]), &mut again);
        let row = row.unwrap();
        assert_eq!(row.worse, ["a::t", "a does not build: error"]);
        assert!(row.not_built.contains_key("b") && row.not_built.len() == 1);
    }
}
