//! `cargo xtask ecosystem --ci`: the packages that are marked for it, on shinkan alone, held against
//! their rows, and the pages held against these; and a driver that tells the two runtimes apart,
//! which must be found.

use std::collections::BTreeSet;
use std::path::Path;

use super::fence::Fence;
use super::generated::Generated;
use super::list::{self, Package};
use super::results::{Results, Row};
use super::{Ran, Side, report, run_side};
use crate::run::{End, run, say};

/// Passes on Tokio only. Its driver asks a type for its name.
const PLANTED: &str = "[planted]\nversion = \"\"\ndriver = true\n";

/// True if all is as the rows say and the planted difference is found.
pub(super) fn run_them(root: &Path) -> Result<bool, String> {
    let packages = list::load(root)?;
    let results = Results::load(root)?;
    let fence = Fence::find();
    let mut right = planted(root, &fence)?;
    for path in report::stale(root, &packages, &results)? {
        say(&format!("{path} does not say what ecosystem/results.json says"));
        right = false;
    }
    for package in packages.iter().filter(|package| package.ci) {
        let row = results
            .row(&package.name)
            .filter(|row| row.version == package.version)
            .ok_or_else(|| format!("measure {} first: it has no row", package.name))?;
        let source = Generated::new(root, package)?;
        let ran = run_side(&source, package, Side::Shinkan, &fence)?;
        let mut again = |test: &str| {
            ran.jobs.get(test).map_or(Ok(false), |job| Ok(run(job)?.end == End::Exit(Some(0))))
        };
        let findings = findings(row, &ran, &mut again)?;
        let passed = ran.tests.len() - findings.len().min(ran.tests.len());
        say(&format!("{} {}: {passed} tests pass", package.name, package.version));
        for finding in &findings {
            say(&format!("  {finding}; logs under {}", source.logs.display()));
        }
        right &= findings.is_empty();
    }
    Ok(right)
}

/// What is not as the row says. A test that fails beside others gets another try alone.
fn findings(
    row: &Row,
    ran: &Ran,
    again: &mut dyn FnMut(&str) -> Result<bool, String>,
) -> Result<Vec<String>, String> {
    let known: BTreeSet<&String> = row.worse.iter().chain(&row.both).chain(&row.flaky).collect();
    let mut found = Vec::new();
    for (test, passed) in &ran.tests {
        if !passed && !known.contains(test) && !again(test)? {
            found.push(format!("`{test}` fails"));
        }
    }
    for (target, error) in &ran.not_built {
        if !row.not_built.contains_key(target) {
            found.push(format!("`{target}` does not build: {error}"));
        }
    }
    if ran.tests.len() < row.tests {
        found.push(format!("{} tests, where there were {}", ran.tests.len(), row.tests));
    }
    Ok(found)
}

/// Whether a test that fails here and not on Tokio is found by the same way as the others.
fn planted(root: &Path, fence: &Fence) -> Result<bool, String> {
    let packages: Vec<Package> = list::parse(PLANTED)?;
    let package = &packages[0];
    let source = Generated::new(root, package)?;
    let ran = run_side(&source, package, Side::Shinkan, fence)?;
    let row = Row { tests: 2, tokio: 2, shinkan: 2, ..Row::default() };
    let found = findings(&row, &ran, &mut |_| Ok(false))?;
    let right = found == ["`driver::only_on_tokio` fails"];
    say(if right { "the planted difference: found" } else { "the planted difference: LOST" });
    Ok(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_not_as_the_row_says() {
        let row = Row { tests: 2, both: vec!["src::b".into()], ..Row::default() };
        let ran = |tests: &[(&str, bool)], not_built: &[&str]| Ran {
            tests: tests.iter().map(|(name, passed)| (name.to_string(), *passed)).collect(),
            not_built: not_built.iter().map(|name| (name.to_string(), String::new())).collect(),
            jobs: BTreeMap::new(),
        };
        let count = |ran: &Ran, alone| findings(&row, ran, &mut |_| Ok(alone)).unwrap().len();
        let fine = ran(&[("src::a", true), ("src::b", false)], &[]);
        assert_eq!(count(&fine, false), 0);
        let fails = ran(&[("src::a", false), ("src::b", false)], &[]);
        assert_eq!((count(&fails, false), count(&fails, true)), (1, 0));
        assert_eq!(count(&ran(&[("src::a", true)], &[]), false), 1);
        assert_eq!(count(&ran(&[("src::a", true), ("src::b", true)], &["c"]), false), 1);
    }
}
