//! Runs programs side by side, each with a time limit and a log. A program that does not end is
//! killed with all that it started.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Logs are cut to this many bytes when they are read back.
const LOG_BYTES_MAX: u64 = 1 << 20;
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A program to run.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) folder: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) limit: Duration,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With this exit code; a signal counts as `None`.
    Exit(Option<i32>),
    /// It was killed at its limit.
    Limit,
}

/// A program's end, its time and where its output is.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) end: End,
    pub(crate) took: Duration,
    pub(crate) log: PathBuf,
}

impl Done {
    /// What it printed.
    pub(crate) fn output(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(file) = File::open(&self.log) {
            // A log that cannot be read is as empty as one that was not written.
            drop(file.take(LOG_BYTES_MAX).read_to_end(&mut bytes));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Runs one program to its end.
pub(crate) fn run(job: &Job) -> Result<Done, String> {
    let say = |what: &str, e: std::io::Error| format!("{what} {}: {e}", job.program.display());
    if let Some(folder) = job.log.parent() {
        std::fs::create_dir_all(folder).map_err(|e| say("cannot make the log's folder for", e))?;
    }
    let log = File::create(&job.log).map_err(|e| say("cannot write the log of", e))?;
    let twin = log.try_clone().map_err(|e| say("cannot write the log of", e))?;
    let started = Instant::now();
    let mut child = Command::new(&job.program)
        .args(&job.args)
        .envs(job.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&job.folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(twin)
        .process_group(0)
        .spawn()
        .map_err(|e| say("cannot start", e))?;
    let end = loop {
        match child.try_wait().map_err(|e| say("cannot wait for", e))? {
            Some(status) => break End::Exit(status.code()),
            None if started.elapsed() > job.limit => {
                kill(&mut child);
                break End::Limit;
            }
            None => std::thread::sleep(LOOK_EVERY),
        }
    };
    Ok(Done { end, took: started.elapsed(), log: job.log.clone() })
}

/// The child leads a process group of its own, so that what it started goes with it.
fn kill(child: &mut Child) {
    let group = format!("-{}", child.id());
    // Both calls fail only where there is nothing left to kill.
    drop(Command::new("kill").args(["-KILL", "--", &group]).status());
    drop(child.kill());
    drop(child.wait());
}

/// Runs all, `side_by_side` at a time; `each` is told of every end as it comes. The answers have
/// the order of the jobs.
pub(crate) fn run_all(
    jobs: &[Job],
    side_by_side: usize,
    each: &(dyn Fn(usize, &Done) + Sync),
) -> Result<Vec<Done>, String> {
    let next = Mutex::new(0..jobs.len());
    let done: Vec<Mutex<Option<Result<Done, String>>>> =
        jobs.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        loop {
            let Some(at) = next.lock().ok().and_then(|mut next| next.next()) else { return };
            let result = run(&jobs[at]);
            if let Ok(done) = &result {
                each(at, done);
            }
            if let Ok(mut slot) = done[at].lock() {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..side_by_side.max(1) {
            scope.spawn(work);
        }
    });
    let lost = || Err("a thread of the runner died".to_string());
    done.into_iter().map(|slot| slot.into_inner().ok().flatten().unwrap_or_else(lost)).collect()
}

/// A test program that cargo built.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The file's name; `src` for the tests that stand inside the library.
    pub(crate) target: String,
    pub(crate) program: PathBuf,
}

/// The names of the tests in a program, as the standard harness lists them.
pub(crate) fn tests(program: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let mut command = Command::new(program);
    let listed = crate::output(command.args(["--list", "--format=terse"]).current_dir(folder))?;
    Ok(names(&listed))
}

/// The names of those that are not run unless they are asked for.
pub(crate) fn ignored(program: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let mut command = Command::new(program);
    let command = command.args(["--list", "--ignored", "--format=terse"]).current_dir(folder);
    Ok(names(&crate::output(command)?))
}

fn names(listed: &str) -> Vec<String> {
    listed.lines().filter_map(|line| line.strip_suffix(": test")).map(String::from).collect()
}

/// The test programs named in cargo's JSON messages.
pub(crate) fn built(messages: &str) -> Vec<Built> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter_map(|message: serde_json::Value| {
            let program = message["executable"].as_str()?;
            let in_file = message["target"]["kind"].as_array()?.iter().any(|kind| kind == "test");
            let name = if in_file { message["target"]["name"].as_str()? } else { "src" };
            let is_test = message["profile"]["test"] == true;
            is_test.then(|| Built { target: name.to_string(), program: program.into() })
        })
        .collect()
}

/// Prints a line at once, also where standard output is a pipe.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody is left to tell when standard output is closed.
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(script: &str, limit_ms: u64) -> Job {
        let log = std::env::temp_dir().join(format!(
            "xtask-run-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        Job {
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![("WORD".into(), "hello".into())],
            folder: "/".into(),
            log,
            limit: Duration::from_millis(limit_ms),
        }
    }

    #[test]
    fn ends_and_output() {
        let done = run(&job("echo $WORD; exit 3", 60_000)).unwrap();
        assert_eq!(done.end, End::Exit(Some(3)));
        assert_eq!(done.output(), "hello\n");
        std::fs::remove_file(done.log).unwrap();
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let done = run(&job("sleep 1000 & echo $!; wait", 300)).unwrap();
        assert_eq!(done.end, End::Limit);
        let child = done.output().trim().to_string();
        let gone = || Path::new(&format!("/proc/{child}/cwd")).read_link().is_err();
        while !gone() {
            std::thread::yield_now();
        }
        std::fs::remove_file(done.log).unwrap();
    }

    #[test]
    fn answers_keep_the_order_of_the_jobs() {
        let mut jobs: Vec<Job> = (0..6).map(|code| job(&format!("exit {code}"), 60_000)).collect();
        for (at, job) in jobs.iter_mut().enumerate() {
            job.log.as_mut_os_string().push(format!(".{at}"));
        }
        let done = run_all(&jobs, 3, &|_, _| {}).unwrap();
        for (code, done) in (0..).zip(done) {
            assert_eq!(done.end, End::Exit(Some(code)));
            std::fs::remove_file(done.log).unwrap();
        }
    }
}
