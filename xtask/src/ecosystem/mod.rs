//! `cargo xtask ecosystem [--again] [NAME...]`: published packages, as cargo downloads them, built
//! with their own tests against Tokio and against compat/tokio, and run test by test. What passes
//! on Tokio must pass here. None of their code enters the repository.
//!
//! ecosystem/packages.toml says which packages; for those that publish no tests a driver under
//! ecosystem/drivers does what they are used for. Each package that is measured is a row in
//! ecosystem/results.json at once, so a run that is stopped goes on where it was; docs/ecosystem.md
//! and the figures in docs/from-tokio.md are written from it. `--ci` runs the few that are marked for
//! it, on shinkan alone; `--pages` only writes the pages.

mod ci;
mod fence;
mod figures;
mod generated;
mod judge;
mod list;
mod manifest;
mod report;
mod results;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::run::{End, Job, run, run_all, say};
use fence::Fence;
use generated::Generated;
use list::Package;
use results::{Results, Row};

/// Tests wait for sockets and timers more than they compute.
const SIDE_BY_SIDE: usize = 4;

/// The runtime under the package named `tokio`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Tokio,
    Shinkan,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::Shinkan => "shinkan",
        }
    }
}

/// What one side made of a package.
struct Ran {
    /// By `target::test`, with whether it passed.
    tests: BTreeMap<String, bool>,
    /// Test files that do not compile, with the first line of the error.
    not_built: BTreeMap<String, String>,
    jobs: BTreeMap<String, Job>,
}

/// Measures what `args` ask for; true if nothing that passes on Tokio fails here.
pub(crate) fn start(root: &Path, args: &[&str]) -> Result<bool, String> {
    if args == ["--ci"] {
        return ci::run_them(root);
    }
    if args == ["--pages"] {
        report::write(root, &list::load(root)?, &Results::load(root)?)?;
        return Ok(true);
    }
    let again = args.contains(&"--again");
    let names: Vec<&str> = args.iter().filter(|arg| !arg.starts_with("--")).copied().collect();
    if let Some(other) = args.iter().find(|arg| arg.starts_with("--") && **arg != "--again") {
        return Err(format!("`{other}` is not known: --again, --ci and --pages are"));
    }
    let packages = list::load(root)?;
    let results = Results::load(root)?;
    let commit = commit(root)?;
    let chosen = choose(&packages, &results, &names, again, &commit)?;
    let fence = Fence::find();
    say(&format!("ecosystem: {} packages; {}", chosen.len(), fence.words()));
    let mut right = true;
    for package in chosen {
        match measure(root, package, &fence) {
            Ok(judged) => {
                let row = Row { commit: commit.clone(), date: date()?, ..judged };
                right &= row.worse.is_empty();
                say(&report::line(&package.name, &row));
                for test in &row.worse {
                    say(&format!("  passes on Tokio and not here: {test}"));
                }
                // Another run may have written a row meanwhile.
                let mut results = Results::load(root)?;
                results.put(&package.name, row);
                results.save(root)?;
                report::write(root, &packages, &results)?;
            }
            Err(why) => {
                right = false;
                say(&format!("{}: cannot be measured: {why}", package.name));
            }
        }
    }
    Ok(right)
}

/// The packages to measure, those with the oldest row first.
fn choose<'a>(
    packages: &'a [Package],
    results: &Results,
    names: &[&str],
    again: bool,
    commit: &str,
) -> Result<Vec<&'a Package>, String> {
    if let Some(name) = names.iter().find(|name| packages.iter().all(|one| one.name != **name)) {
        return Err(format!("`{name}` is not in {}", list::FILE));
    }
    let stands = |package: &Package| {
        results
            .row(&package.name)
            .is_some_and(|row| row.version == package.version && (!again || row.commit == commit))
    };
    let mut chosen: Vec<&Package> = packages
        .iter()
        .filter(|one| if names.is_empty() { !stands(one) } else { names.contains(&&*one.name) })
        .collect();
    chosen.sort_by_key(|one| results.row(&one.name).map(|row| row.date.clone()));
    Ok(chosen)
}

/// A package's tests on both sides, held against each other.
fn measure(root: &Path, package: &Package, fence: &Fence) -> Result<Row, String> {
    let source = Generated::new(root, package)?;
    let with_server = match &package.server {
        Some(name) => Some(fence.with_server(&root.join(format!("ecosystem/servers/{name}.sh")))?),
        None => None,
    };
    let fence = with_server.as_ref().unwrap_or(fence);
    say(&format!("{} {}: on Tokio", package.name, package.version));
    let tokio = run_side(&source, package, Side::Tokio, fence)?;
    say(&format!("{} {}: on shinkan", package.name, package.version));
    // What does not build here counts as tests that fail here.
    let shinkan = run_side(&source, package, Side::Shinkan, fence).unwrap_or_else(|error| {
        say(&error);
        let line = error.lines().find(|line| line.starts_with("error")).unwrap_or(&error);
        let not_built = BTreeMap::from([("everything".to_string(), line.to_string())]);
        Ran { tests: BTreeMap::new(), not_built, jobs: BTreeMap::new() }
    });
    if package.ci {
        source.keep_lock()?;
    }
    let mut again = |side: Side, test: &str| {
        let jobs = if side == Side::Tokio { &tokio.jobs } else { &shinkan.jobs };
        jobs.get(test).map_or(Ok(false), |job| Ok(run(job)?.end == End::Exit(Some(0))))
    };
    let row = judge::judge(&tokio, &shinkan, &mut again)?;
    // A row of nothing would look like success.
    if row.tests == 0 {
        return Err(format!("no tests; not built: {:?}", row.not_built));
    }
    let version = package.version.clone();
    Ok(Row { version, own: package.own, driver: package.driver, ..row })
}

/// Builds a package on one side and runs each of its tests in a process of its own.
fn run_side(
    source: &Generated,
    package: &Package,
    side: Side,
    fence: &Fence,
) -> Result<Ran, String> {
    let built = source.build(package, side)?;
    let mut jobs = BTreeMap::new();
    for program in &built.programs {
        for test in generated::tests_of(program, &built.folder)? {
            let name = format!("{}::{test}", program.target);
            if package.is_excepted(&name) {
                continue;
            }
            let log = source.logs.join(side.name()).join(name.replace("::", "."));
            let job = Job {
                program: program.program.clone(),
                args: vec!["--exact".into(), test, "--nocapture".into()],
                env: package.env.clone(),
                folder: built.folder.clone(),
                log,
                limit: package.limit,
            };
            jobs.insert(name, fence.around(job));
        }
    }
    let plain: Vec<Job> = jobs.values().cloned().collect();
    let ends = run_all(&plain, SIDE_BY_SIDE, &|_, _| {})?;
    let passed = ends.iter().map(|done| done.end == End::Exit(Some(0)));
    let tests = jobs.keys().cloned().zip(passed).collect();
    Ok(Ran { tests, not_built: built.not_built, jobs })
}

/// The last commit that changed what is measured.
fn commit(root: &Path) -> Result<String, String> {
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%h", "--", "crates", "compat"]).current_dir(root);
    Ok(crate::output(&mut git)?.trim().to_string())
}

fn date() -> Result<String, String> {
    Ok(crate::output(Command::new("date").args(["-u", "+%F"]))?.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], again: bool) -> Vec<String> {
        let packages = list::parse(
            "[a]\nversion = \"1.0.0\"\n[b]\nversion = \"2.0.0\"\n[c]\nversion = \"3.0.0\"\n",
        );
        let mut results = Results::default();
        let row = |version: &str, commit: &str, date: &str| Row {
            version: version.into(),
            commit: commit.into(),
            date: date.into(),
            ..Row::default()
        };
        results.put("a", row("1.0.0", "new", "2026-02-02"));
        results.put("c", row("3.0.0", "old", "2026-01-01"));
        let packages = packages.unwrap();
        let chosen = choose(&packages, &results, names, again, "new");
        chosen.unwrap().into_iter().map(|package| package.name.clone()).collect()
    }

    #[test]
    fn a_run_goes_on_where_it_stopped() {
        assert_eq!(chosen(&[], false), ["b"]);
        assert_eq!(chosen(&[], true), ["b", "c"]);
        assert_eq!(chosen(&["a", "c"], false), ["c", "a"]);
    }
}
