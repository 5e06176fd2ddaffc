//! `cargo xtask conformance [--bless] [--unstable] [FILTER]`: the published tests of Tokio 1.54.1,
//! as cargo downloads them, built against compat/tokio and run one by one. None of them enters the
//! repository. conformance/passing.txt lists what passed once: it must go on passing.
//!
//! They are built twice (`half.rs`): as they stand, and those that name `tokio_unstable` with that
//! cfg, with a list of their own. `--unstable` asks for the second half alone.

mod half;
mod report;
mod suite;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run::{End, Job, run, run_all, say, tests};
use half::{Half, STABLE, UNSTABLE};
use report::{Lists, Outcome, Results};
use suite::Suite;

/// Most tests wait for sockets and timers, so more than one a core.
const SIDE_BY_SIDE: usize = 4;
const LIMIT: Duration = Duration::from_secs(60);
/// A test that failed beside others gets as many tries alone; the report tells.
const TRIES_ALONE: usize = 2;

/// What came out of one half.
struct Ran {
    half: Half,
    results: Results,
    lists: Lists,
    logs: PathBuf,
}

/// Runs what `args` ask for; true if nothing that passed once fails.
pub(crate) fn start(root: &Path, args: &[&str]) -> Result<bool, String> {
    let bless = args.contains(&"--bless");
    let filter = match args.iter().filter(|arg| !arg.starts_with("--")).collect::<Vec<_>>()[..] {
        [] => "",
        [filter] => filter,
        _ => return Err("one FILTER at most, a part of a test file's name".into()),
    };
    if let Some(other) =
        args.iter().find(|arg| arg.starts_with("--") && !matches!(**arg, "--bless" | "--unstable"))
    {
        return Err(format!("`{other}` is not known: --bless and --unstable are"));
    }
    let halves = if args.contains(&"--unstable") { vec![UNSTABLE] } else { vec![STABLE, UNSTABLE] };
    let mut ran = Vec::new();
    for half in halves {
        ran.extend(run_half(root, half, filter, bless)?);
    }
    if ran.is_empty() {
        return Err(format!("no test file has `{filter}` in its name"));
    }
    if let [stable, unstable] = &ran[..]
        && bless
        && filter.is_empty()
    {
        let of = |ran: &Ran| report::section(&ran.results, &ran.lists);
        let only = report::only_in(&unstable.results, &stable.results);
        report::write(root, &of(stable), &of(unstable), only)?;
    }
    let mut right = true;
    for Ran { half, results, lists, logs } in &ran {
        right &= report::print(half, results, lists, filter, logs);
    }
    Ok(right)
}

/// Builds and runs the files of one half; nothing where there is none.
fn run_half(root: &Path, half: Half, filter: &str, bless: bool) -> Result<Option<Ran>, String> {
    let suite = Suite::new(root, &half, filter)?;
    if suite.files.is_empty() {
        return Ok(None);
    }
    let lists = Lists::load(root, &half)?;
    say(&format!("conformance, {}: building {} test files", half.name, suite.files.len()));
    let mut results = Results::default();
    let programs = suite.build(&mut results.not_built)?;
    let mut jobs = Vec::new();
    for program in &programs {
        results.files.insert(program.target.clone());
        for test in tests(&program.program, &suite.folder)? {
            let name = format!("{}::{test}", program.target);
            if lists.is_exception(&name) {
                results.tests.insert(name, Outcome::Excepted);
                continue;
            }
            let log = suite.logs.join(name.replace("::", "."));
            let args = vec!["--exact".into(), test, "--nocapture".into()];
            let (program, folder) = (program.program.clone(), suite.folder.clone());
            jobs.push((name, Job { program, args, env: Vec::new(), folder, log, limit: LIMIT }));
        }
    }
    run_jobs(&jobs, &mut results.tests)?;
    if bless {
        report::bless(root, &half, &lists, &prove(&jobs, &results)?, &suite.folder)?;
    }
    let lists = Lists::load(root, &half)?;
    Ok(Some(Ran { half, results, lists, logs: suite.logs }))
}

fn run_jobs(jobs: &[(String, Job)], tests: &mut BTreeMap<String, Outcome>) -> Result<(), String> {
    say(&format!("conformance: running {} tests", jobs.len()));
    let plain: Vec<Job> = jobs.iter().map(|(_, job)| job.clone()).collect();
    let ends = run_all(&plain, SIDE_BY_SIDE, &|_, _| {})?;
    for ((name, job), done) in jobs.iter().zip(ends) {
        let mut outcome = outcome(done.end);
        // What hangs would hang alone too, and cost its limit each time.
        for _ in 0..TRIES_ALONE {
            if outcome == Outcome::Failed && run(job)?.end == End::Exit(Some(0)) {
                outcome = Outcome::Alone;
            }
        }
        tests.insert(name.clone(), outcome);
    }
    Ok(())
}

/// Those that passed and pass three times more: what enters the list must stay in it.
fn prove(jobs: &[(String, Job)], results: &Results) -> Result<Vec<String>, String> {
    let passed = |name: &String| results.tests.get(name) == Some(&Outcome::Passed);
    let mut left: Vec<&(String, Job)> = jobs.iter().filter(|(name, _)| passed(name)).collect();
    for _ in 0..3 {
        let again: Vec<Job> = left.iter().map(|(_, job)| job.clone()).collect();
        let ends = run_all(&again, SIDE_BY_SIDE, &|_, _| {})?;
        let mut ends = ends.iter().map(|done| done.end == End::Exit(Some(0)));
        left.retain(|_| ends.next() == Some(true));
    }
    Ok(left.into_iter().map(|(name, _)| name.clone()).collect())
}

fn outcome(end: End) -> Outcome {
    match end {
        End::Exit(Some(0)) => Outcome::Passed,
        End::Exit(_) => Outcome::Failed,
        End::Limit => Outcome::Hung,
    }
}
