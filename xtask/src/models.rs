//! `cargo xtask models [FILTER]`: the protocols between threads, walked by loom, and the bugs that
//! are planted in them, each of which its model must find.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::run::{Built, Done, End, Job, built, run_all, say, tests};

const SIDE_BY_SIDE: usize = 2;
/// A model is small, or it is no argument; one that needs longer has to be cut.
const LIMIT: Duration = Duration::from_secs(240);
/// What loom reads, unless the caller has set it.
const BOUNDS: [(&str, &str); 2] = [("LOOM_MAX_PREEMPTIONS", "2"), ("LOOM_MAX_BRANCHES", "20000")];

/// One run: a model as it is, or with a bug switched on.
#[derive(Debug)]
struct Case {
    file: String,
    test: String,
    canary: Option<String>,
}

impl Case {
    fn name(&self) -> String {
        let Case { file, test, canary } = self;
        canary.as_ref().map_or(format!("{file}::{test}"), |bug| format!("{file}::{test} + {bug}"))
    }

    /// A model must pass; one with a bug must fail, and by itself.
    fn judge(&self, end: End) -> Result<&'static str, &'static str> {
        match (&self.canary, end) {
            (_, End::Limit) => Err("did not end"),
            (None, End::Exit(Some(0))) => Ok("holds"),
            (None, End::Exit(_)) => Err("FAILED"),
            (Some(_), End::Exit(Some(0))) => Err("the bug was NOT FOUND"),
            (Some(_), End::Exit(_)) => Ok("found"),
        }
    }
}

/// Runs the models whose name contains `filter`; true if all hold and find their bugs.
pub(crate) fn run(root: &Path, filter: &str) -> Result<bool, String> {
    let target = crate::target(root)?.join("models");
    let programs = build(root, &target)?;
    let cases = cases(root, &programs, filter)?;
    if cases.is_empty() {
        return Err(format!("no model's name contains `{filter}`"));
    }
    let jobs = jobs(&cases, &programs, &root.join("models"), &target.join("logs"))?;
    let ends = run_all(&jobs, SIDE_BY_SIDE, &|at, done| {
        let (Ok(word) | Err(word)) = cases[at].judge(done.end);
        say(&format!("{:>7.2} s  {word:<8} {}", done.took.as_secs_f64(), cases[at].name()));
    })?;
    Ok(report(&cases, &ends))
}

fn report(cases: &[Case], ends: &[Done]) -> bool {
    let mut bad = 0;
    for (case, done) in cases.iter().zip(ends) {
        if let Err(word) = case.judge(done.end) {
            bad += 1;
            say(&format!("\n{}: {word}; its log {} ends:", case.name(), done.log.display()));
            let output = done.output();
            let lines: Vec<&str> = output.lines().collect();
            lines[lines.len().saturating_sub(30)..].iter().for_each(|line| say(line));
        }
    }
    let bugs = cases.iter().filter(|case| case.canary.is_some()).count();
    say(&format!("models: {} models, {bugs} planted bugs, {bad} wrong", cases.len() - bugs));
    bad == 0
}

fn build(root: &Path, target: &Path) -> Result<Vec<Built>, String> {
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    flags.push_str(" --cfg shinkan_loom");
    let mut cargo = Command::new(crate::cargo());
    cargo
        .args(["test", "--package=shinkan-models", "--profile=models", "--tests", "--no-run"])
        .args(["--quiet", "--message-format=json-render-diagnostics"])
        .env("RUSTFLAGS", flags)
        .env("CARGO_TARGET_DIR", target)
        .stderr(std::process::Stdio::inherit())
        .current_dir(root);
    Ok(built(&crate::output(&mut cargo)?))
}

fn cases(root: &Path, programs: &[Built], filter: &str) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    for Built { target, program } in programs {
        for test in tests(program, root)? {
            cases.push(Case { file: target.clone(), test, canary: None });
        }
    }
    let list = std::fs::read_to_string(root.join("models/canaries.txt")).unwrap_or_default();
    for (line, canary) in canaries(&list) {
        let case = canary.ok_or_else(|| format!("models/canaries.txt:{line}: three words"))?;
        if !cases.iter().any(|model| model.file == case.file && model.test == case.test) {
            return Err(format!("models/canaries.txt:{line}: no such model: {}", case.name()));
        }
        cases.push(case);
    }
    cases.retain(|case| case.name().contains(filter));
    Ok(cases)
}

/// The lines `canary file test`, with their numbers; nothing for one that is something else.
fn canaries(list: &str) -> Vec<(usize, Option<Case>)> {
    let lines = list.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .filter(|(_, line)| !line.starts_with('#'))
        .map(|(at, line)| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let case = match words[..] {
                [canary, file, test] => Some(Case {
                    file: file.to_string(),
                    test: test.to_string(),
                    canary: Some(canary.to_string()),
                }),
                _ => None,
            };
            (at + 1, case)
        })
        .collect()
}

fn jobs(
    cases: &[Case],
    programs: &[Built],
    folder: &Path,
    logs: &Path,
) -> Result<Vec<Job>, String> {
    let program = |case: &Case| -> Option<PathBuf> {
        Some(programs.iter().find(|built| built.target == case.file)?.program.clone())
    };
    let job = |case: &Case| {
        let program = program(case).ok_or_else(|| format!("no program for {}", case.name()))?;
        let bounds = BOUNDS.iter().filter(|(name, _)| std::env::var_os(name).is_none());
        let mut env: Vec<(String, String)> =
            bounds.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        // Set in any case, so that one in the caller's environment plants nothing in a model.
        env.push(("SHINKAN_CANARY".into(), case.canary.clone().unwrap_or_default()));
        Ok(Job {
            program,
            args: vec!["--exact".into(), case.test.clone(), "--nocapture".into()],
            env,
            folder: folder.to_path_buf(),
            log: logs.join(case.name().replace([':', ' ', '+'], "_")),
            limit: LIMIT,
        })
    };
    cases.iter().map(job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(canary: Option<&str>) -> Case {
        Case { file: "ring".into(), test: "pop".into(), canary: canary.map(String::from) }
    }

    #[test]
    fn a_model_must_hold() {
        assert!(case(None).judge(End::Exit(Some(0))).is_ok());
        assert!(case(None).judge(End::Exit(Some(101))).is_err());
        assert!(case(None).judge(End::Exit(None)).is_err());
        assert!(case(None).judge(End::Limit).is_err());
    }

    #[test]
    fn a_planted_bug_must_be_found() {
        assert!(case(Some("bug")).judge(End::Exit(Some(101))).is_ok());
        assert!(case(Some("bug")).judge(End::Exit(Some(0))).is_err());
        assert!(case(Some("bug")).judge(End::Limit).is_err(), "a hang is no finding");
    }

    #[test]
    fn lines_of_the_list() {
        let list = "# planted\nring_relaxed ring pop\n\nring_swapped ring\n";
        let found: Vec<_> =
            canaries(list).iter().map(|(at, case)| (*at, case.as_ref().map(Case::name))).collect();
        assert_eq!(found, [(2, Some("ring::pop + ring_relaxed".into())), (4, None)]);
    }
}
