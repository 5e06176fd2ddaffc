//! The project's chores, run as `cargo xtask NAME`. Each is a test with a report: it prints one
//! line for each finding and ends with 1 if there is one. Nothing here is part of the runtime.

#![deny(unsafe_code)]

mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask NAME
  tidy                  holds the tree against ARCHITECTURE.md, UNSAFE.md and the rules of style";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let done = match (name.as_str(), rest.as_slice()) {
        ("tidy", []) => tidy::run(&root()),
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
