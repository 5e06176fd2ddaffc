//! `cargo xtask bench`: the comparison with Tokio, of all rows into docs/performance.md, of some to
//! the terminal alone.

use std::path::Path;
use std::process::Command;

const PAGE: &str = "docs";
/// Options of the comparison that are followed by a value.
const WITH_VALUE: [&str; 5] = ["--rounds", "--seconds", "--percent", "--workers", "--limit"];

/// Passes `args` on; true if the comparison found nothing to complain of.
pub(crate) fn start(root: &Path, args: &[&str]) -> Result<bool, String> {
    let mut command = command(root)?;
    command.args(args);
    if is_of_all_rows(args) {
        command.arg("--report").arg(root.join(PAGE));
    }
    let status = command.status().map_err(|e| format!("cannot start {command:?}: {e}"))?;
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(format!("the comparison ended with {status}")),
    }
}

/// `cargo xtask writes`: the same rows in a build whose atomics count who writes them, into
/// docs/scaling.md.
pub(crate) fn writes(root: &Path) -> Result<bool, String> {
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    flags.push_str(" --cfg shinkan_count");
    let mut command = below(root, "counted")?;
    command.env("RUSTFLAGS", flags.trim()).args(["--writes", "--report"]).arg(root.join(PAGE));
    let status = command.status().map_err(|e| format!("cannot start {command:?}: {e}"))?;
    Ok(status.success())
}

/// The comparison, to be given its arguments: a workspace of its own, built as its users build,
/// below cargo's target directory.
pub(crate) fn command(root: &Path) -> Result<Command, String> {
    below(root, "bench")
}

fn below(root: &Path, folder: &str) -> Result<Command, String> {
    let mut command = Command::new(crate::cargo());
    command
        .args(["run", "--quiet", "--release", "--locked", "--bin=shinkan-bench"])
        .arg("--manifest-path")
        .arg(root.join("bench/Cargo.toml"))
        .arg("--target-dir")
        .arg(crate::target(root)?.join(folder))
        .arg("--")
        .current_dir(root);
    Ok(command)
}

/// Whether the page can be written: nothing was left out, and nothing else was asked for.
fn is_of_all_rows(args: &[&str]) -> bool {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--busy" => {}
            arg if WITH_VALUE.contains(&arg) => drop(args.next()),
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_rows_or_another_report_leave_the_page_alone() {
        assert!(is_of_all_rows(&[]));
        assert!(is_of_all_rows(&["--rounds", "15", "--busy"]));
        assert!(!is_of_all_rows(&["--rounds", "15", "tcp"]));
        assert!(!is_of_all_rows(&["--allocations"]));
    }
}
