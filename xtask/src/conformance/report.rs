//! What came out, held against what passed before and what is excepted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::half::{Half, LEFT_OUT};
use crate::run::say;

const EXCEPTIONS: &str = "conformance/exceptions.txt";
const DOCUMENT: &str = "docs/conformance.md";
const REASON_MIN: usize = 20;

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    /// It failed beside others and passed alone.
    Alone,
    Failed,
    Hung,
    /// It was not run: the list of exceptions says why.
    Excepted,
}

/// Everything that came out of one run.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// Files that compile.
    pub(super) files: BTreeSet<String>,
    /// Files that do not, with the first line of their first error.
    pub(super) not_built: BTreeMap<String, String>,
    /// By `file::test`.
    pub(super) tests: BTreeMap<String, Outcome>,
}

/// What the repository says of single tests.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Must pass.
    pub(super) passing: BTreeSet<String>,
    /// Need not in this half, for a reason.
    pub(super) exceptions: BTreeMap<String, String>,
    /// Need not in either half: what the other half's report is about.
    elsewhere: BTreeMap<String, String>,
}

impl Lists {
    pub(super) fn load(root: &Path, half: &Half) -> Result<Self, String> {
        let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
        let (passing, common) = (text(half.passing), text(EXCEPTIONS));
        let Some(own) = half.exceptions else { return Self::parse(&passing, &common) };
        let elsewhere = Self::parse(&passing, &common)?.exceptions;
        Ok(Self { elsewhere, ..Self::parse(&passing, &text(own))? })
    }

    /// Whether a test need not pass, and is not run.
    pub(super) fn is_exception(&self, name: &str) -> bool {
        self.exceptions.contains_key(name) || self.elsewhere.contains_key(name)
    }

    fn parse(passing: &str, exceptions: &str) -> Result<Self, String> {
        let lines = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            lines.map(String::from).collect()
        };
        let mut lists = Self { passing: lines(passing).into_iter().collect(), ..Self::default() };
        for line in lines(exceptions) {
            let parts = line.split_once(" — ").filter(|(_, why)| why.len() >= REASON_MIN);
            let (name, why) = parts
                .ok_or_else(|| format!("an exception is written `file::test — reason`: {line}"))?;
            if lists.passing.contains(name) {
                return Err(format!(
                    "{name} must pass and is excepted: drop it from one of the lists"
                ));
            }
            lists.exceptions.insert(name.to_string(), why.to_string());
        }
        Ok(lists)
    }
}

/// What is wrong: a test that passed once and does not, an exception that is none.
fn findings(results: &Results, lists: &Lists, filter: &str) -> Vec<String> {
    let file = |name: &str| name.split("::").next().unwrap_or_default().to_string();
    let mut findings = Vec::new();
    for name in lists.passing.iter().filter(|name| file(name).contains(filter)) {
        let why = match results.tests.get(name) {
            Some(Outcome::Passed | Outcome::Alone) => continue,
            Some(Outcome::Failed) => "fails",
            Some(Outcome::Hung) => "does not end",
            Some(Outcome::Excepted) => "is excepted",
            None if results.not_built.contains_key(&file(name)) => {
                "is in a file that does not build"
            }
            None => "does not exist (any more)",
        };
        findings.push(format!("{name} passed once and now {why}"));
    }
    for name in lists.exceptions.keys().filter(|name| results.files.contains(&file(name))) {
        if !results.tests.contains_key(name) {
            findings.push(format!("there is no test {name}, which is excepted; drop the line"));
        }
    }
    findings
}

/// Prints the table, then what failed, then what is wrong; true if nothing is.
pub(super) fn print(
    half: &Half,
    results: &Results,
    lists: &Lists,
    filter: &str,
    logs: &Path,
) -> bool {
    say(&table(results, &|name| results.tests[name]));
    for (file, error) in &results.not_built {
        say(&format!("not built  {file}: {error}"));
    }
    for (name, outcome) in &results.tests {
        match outcome {
            Outcome::Failed => say(&format!("failed     {name}")),
            Outcome::Hung => say(&format!("hung       {name}")),
            Outcome::Alone => say(&format!("only alone {name}")),
            Outcome::Passed | Outcome::Excepted => {}
        }
    }
    let findings = findings(results, lists, filter);
    findings.iter().for_each(|finding| say(&format!("WRONG: {finding}")));
    let kept = lists.passing.len();
    say(&format!(
        "conformance, {}: {kept} tests must pass, {} wrong; logs in {}",
        half.name,
        findings.len(),
        logs.display()
    ));
    findings.is_empty()
}

/// Adds to the list of what must pass; takes nothing out of it.
pub(super) fn bless(
    root: &Path,
    half: &Half,
    old: &Lists,
    proved: &[String],
    suite: &Path,
) -> Result<(), String> {
    let mut passing = old.passing.clone();
    passing.extend(proved.iter().cloned());
    let mut text = String::from(
        "# Tests of Tokio 1.54.1 that pass and must go on passing; `cargo xtask conformance --bless`\n\
         # adds to them.\n",
    );
    for name in &passing {
        let _ = writeln!(text, "{name}");
    }
    crate::write(&root.join(half.passing), &text)?;
    let lock = fs::read_to_string(suite.join("Cargo.lock")).map_err(|e| e.to_string())?;
    crate::write(&root.join("conformance/Cargo.lock"), &lock)
}

/// One half's part of the document, which counts only what must pass.
pub(super) fn section(results: &Results, lists: &Lists) -> String {
    let kept = |name: &str| match results.tests[name] {
        Outcome::Excepted => Outcome::Excepted,
        _ if lists.passing.contains(name) => Outcome::Passed,
        _ => Outcome::Failed,
    };
    let mut text = table(results, &kept);
    text.push_str(&exceptions(lists));
    let open = |name: &&String| kept(name) == Outcome::Failed;
    if results.tests.keys().any(|name| open(&name)) {
        text.push_str("\n### Not passing yet\n\n");
        for name in results.tests.keys().filter(open) {
            let _ = writeln!(text, "- `{name}`");
        }
    }
    if !results.not_built.is_empty() {
        text.push_str("\n### Files that do not compile yet\n\n");
        for (file, error) in &results.not_built {
            let _ = writeln!(text, "- `{file}`: {}", error.replace("error: ", ""));
        }
    }
    text
}

/// How many tests there are that the other half does not have.
pub(super) fn only_in(results: &Results, other: &Results) -> usize {
    results.tests.keys().filter(|name| !other.tests.contains_key(*name)).count()
}

/// Writes the document. `only`: so many tests exist with the cfg alone.
pub(super) fn write(root: &Path, stable: &str, unstable: &str, only: usize) -> Result<(), String> {
    let mut text = format!(
        "# Tokio's own tests\n\nThe tests that Tokio 1.54.1 publishes with its package, built \
         against `compat/tokio` and run\none by one on Linux by `cargo xtask conformance`, which \
         writes this page. \"Passed\" is what\n[the list](../conformance/passing.txt) keeps: \
         it only grows.\n\n## As they stand\n\n{stable}\n## With `tokio_unstable`\n\nWhat Tokio \
         keeps behind that cfg is stable API here, and needs no cfg. These are the files that\n\
         name it, built with it (`cargo xtask conformance --unstable`): {only} of the tests exist \
         only\nso, the others run once more. [Their list](../conformance/passing-unstable.txt) \
         only grows, too.\n\n{unstable}\n### Left out\n\n"
    );
    for (start, why) in LEFT_OUT {
        let _ = writeln!(text, "- `{start}*`: {why}");
    }
    fs::write(root.join(DOCUMENT), text).map_err(|e| format!("cannot write {DOCUMENT}: {e}"))
}

/// The tests that need not pass, under their reasons.
fn exceptions(lists: &Lists) -> String {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, why) in &lists.exceptions {
        reasons.entry(why).or_default().push(name);
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n### Exceptions\n");
    for (why, names) in reasons {
        let _ = writeln!(text, "\nWhat {why} ({}):\n", names.len());
        for name in names {
            let _ = writeln!(text, "- `{name}`");
        }
    }
    text
}

#[derive(Default)]
struct Row {
    files: usize,
    built: usize,
    tests: usize,
    passed: usize,
    failed: usize,
    excepted: usize,
}

fn table(results: &Results, outcome: &dyn Fn(&str) -> Outcome) -> String {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for file in results.files.iter().chain(results.not_built.keys()) {
        let row = rows.entry(module(file)).or_default();
        row.files += 1;
        row.built += usize::from(results.files.contains(file));
    }
    for name in results.tests.keys() {
        let row = rows.entry(module(name)).or_default();
        row.tests += 1;
        match outcome(name) {
            Outcome::Passed | Outcome::Alone => row.passed += 1,
            Outcome::Failed | Outcome::Hung => row.failed += 1,
            Outcome::Excepted => row.excepted += 1,
        }
    }
    let mut all = Row::default();
    let mut text = String::from(
        "| module | files | built | tests | passed | failed | excepted |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    let mut line = |name: &str, row: &Row| {
        let Row { files, built, tests, passed, failed, excepted } = row;
        let _ = writeln!(
            text,
            "| {name} | {files} | {built} | {tests} | {passed} | {failed} | {excepted} |"
        );
    };
    for (name, row) in &rows {
        line(name, row);
        all.files += row.files;
        all.built += row.built;
        all.tests += row.tests;
        all.passed += row.passed;
        all.failed += row.failed;
        all.excepted += row.excepted;
    }
    line("**all**", &all);
    text
}

/// The part of the API that a test file is about, by its name.
fn module(file: &str) -> &'static str {
    const MODULES: [(&str, &[&str]); 10] = [
        ("rt", &["rt_", "no_rt", "dump"]),
        ("task", &["task", "coop", "join_handle", "spawn"]),
        ("time", &["time", "test_clock"]),
        ("net", &["tcp", "udp", "uds", "net", "buffered", "unix"]),
        ("io", &["io_", "duplex", "read_", "write_"]),
        ("sync", &["sync"]),
        ("fs", &["fs"]),
        ("process", &["process"]),
        ("signal", &["signal"]),
        ("macros", &["macros"]),
    ];
    let found =
        MODULES.iter().find(|(_, starts)| starts.iter().any(|start| file.starts_with(start)));
    found.map_or("other", |(module, _)| module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(tests: &[(&str, Outcome)]) -> Results {
        Results {
            files: ["time_sleep".to_string()].into(),
            not_built: [("fs_file".to_string(), "error: no `fs`".to_string())].into(),
            tests: tests.iter().map(|(name, outcome)| (name.to_string(), *outcome)).collect(),
        }
    }

    fn wrong(passing: &str, exceptions: &str, tests: &[(&str, Outcome)]) -> usize {
        let lists = Lists::parse(passing, exceptions).unwrap();
        findings(&results(tests), &lists, "").len()
    }

    #[test]
    fn what_passed_once_must_pass() {
        let listed = "# kept\ntime_sleep::a\n";
        assert_eq!(wrong(listed, "", &[("time_sleep::a", Outcome::Passed)]), 0);
        assert_eq!(wrong(listed, "", &[("time_sleep::a", Outcome::Alone)]), 0);
        assert_eq!(wrong(listed, "", &[("time_sleep::a", Outcome::Failed)]), 1);
        assert_eq!(wrong(listed, "", &[("time_sleep::a", Outcome::Hung)]), 1);
        assert_eq!(wrong(listed, "", &[]), 1);
        assert_eq!(wrong("fs_file::a", "", &[]), 1);
        assert_eq!(wrong("", "", &[("time_sleep::a", Outcome::Failed)]), 0);
    }

    #[test]
    fn exceptions_need_a_test_and_a_reason() {
        let reason = "asks for a deadlock that cannot happen here";
        let line = format!("time_sleep::a — {reason}");
        assert_eq!(wrong("", &line, &[("time_sleep::a", Outcome::Excepted)]), 0);
        assert_eq!(wrong("", &line, &[]), 1);
        assert!(Lists::parse("", "time_sleep::a").is_err());
        assert!(Lists::parse("time_sleep::a", &line).is_err());
    }

    #[test]
    fn rows_by_module() {
        let results =
            results(&[("time_sleep::a", Outcome::Passed), ("time_sleep::b", Outcome::Hung)]);
        let text = table(&results, &|name| results.tests[name]);
        assert!(text.contains("| fs | 1 | 0 | 0 | 0 | 0 | 0 |\n"), "{text}");
        assert!(text.contains("| time | 1 | 1 | 2 | 1 | 1 | 0 |\n"), "{text}");
        assert!(text.contains("| **all** | 2 | 1 | 2 | 1 | 1 | 0 |\n"), "{text}");
    }
}
