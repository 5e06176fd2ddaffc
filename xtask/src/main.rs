//! The project's chores, run as `cargo xtask NAME`. Each is a test with a report: it prints one
//! line for each finding and ends with 1 if there is one. Nothing here is part of the runtime.

#![deny(unsafe_code)]

mod api;
mod bench;
mod conformance;
mod coverage;
mod doctor;
mod ecosystem;
mod features;
mod instructions;
mod models;
mod published;
mod run;
mod service;
mod tidy;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;

const USAGE: &str = "\
usage: cargo xtask NAME
  tidy              holds the tree against ARCHITECTURE.md, UNSAFE.md and the rules of style
  models [FILTER]   walks the protocols between threads with loom, and the bugs planted in them
  conformance [--bless] [--unstable] [FILTER]
                    builds and runs the tests that Tokio publishes, against compat/tokio
  ecosystem [--again] [NAME...]
                    runs the tests of published packages on Tokio and on shinkan, and tells them apart
  ecosystem --ci    a few of them, on shinkan alone
  ecosystem --pages writes docs/ecosystem.md and the figures in docs/from-tokio.md again
  api [--names]     compares what compat/tokio and shinkan show to users with what Tokio does
  coverage          runs the tests and names the public functions that none of them calls
  features          compiles every feature alone, none and all, without a warning
  bench [--rounds N] [ROWS]
                    compares with Tokio; without ROWS, writes docs/performance.md and its plots
  instructions [--bless] [ROWS]
                    counts the instructions of the fixed costs and holds them against the kept ones
  service [--on shinkan|tokio|both] [--servers] [--stops N] [--bench]
                    tests, stops and measures the service of examples/service
  writes            counts the writes of words that workers share, into docs/scaling.md
  doctor [PATH]     says whether the workspace at PATH has two runtimes, why, and what to type";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["tidy"] => tidy::run(&root()),
        ["models"] => models::run(&root(), ""),
        ["models", filter] => models::run(&root(), filter),
        ["api", ref rest @ ..] => api::start(&root(), rest),
        ["coverage"] => coverage::start(&root()),
        ["features"] => features::start(&root()),
        ["bench", ref rest @ ..] => bench::start(&root(), rest),
        ["writes"] => bench::writes(&root()),
        ["instructions", ref rest @ ..] => instructions::start(&root(), rest),
        ["service", ref rest @ ..] => service::start(&root(), rest),
        ["doctor"] => doctor::run(&root(), Path::new(".")),
        ["doctor", path] => doctor::run(&root(), Path::new(path)),
        ["ecosystem", ref rest @ ..] => ecosystem::start(&root(), rest),
        ["conformance", ref rest @ ..] => conformance::start(&root(), rest),
        _ => Err(USAGE.to_string()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

/// The top of the repository: this package's folder is one below it.
fn root() -> PathBuf {
    let mut here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.pop();
    here
}

/// The cargo that runs this.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// What `cargo metadata` says of the workspace in `folder`.
fn metadata(folder: &Path, args: &[&str]) -> Result<Value, String> {
    let mut command = Command::new(cargo());
    command.args(["metadata", "--format-version=1"]).args(args).current_dir(folder);
    serde_json::from_str(&output(&mut command)?).map_err(|e| e.to_string())
}

/// Where cargo puts what it builds from the repository.
fn target(root: &Path) -> Result<PathBuf, String> {
    let metadata = metadata(root, &["--no-deps", "--offline"])?;
    Ok(metadata["target_directory"].as_str().ok_or("cargo names no target directory")?.into())
}

/// Writes a file, and the folders that it stands in; nothing where it has that text already.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let say = |e| format!("cannot write {}: {e}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(say)?;
    }
    // The same text again would look like a change to cargo.
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text).map_err(say)
}

/// A command's standard output, or why there is none.
fn output(command: &mut Command) -> Result<String, String> {
    let done = command.output().map_err(|e| format!("cannot start {command:?}: {e}"))?;
    if !done.status.success() {
        return Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&done.stderr)));
    }
    String::from_utf8(done.stdout).map_err(|e| e.to_string())
}
