//! `cargo xtask features`: each of Tokio's features alone, none, and all, for compat/tokio and for
//! shinkan, compiled without a warning; what a feature must not pull in; and what becomes of
//! `#[main]` and `#[test]` with `rt-multi-thread`, with `rt`, and with neither.

mod entries;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::run::say;

/// The packages whose users choose features.
const FRONTS: [&str; 2] = ["tokio", "shinkan"];
/// With these alone, neither the scheduler nor anything that enters the kernel is compiled.
const LIGHT: [&str; 5] = ["", "sync", "io-util", "macros", "parking_lot"];
const HEAVY: [&str; 4] = ["shinkan-rt", "shinkan-sys", "shinkan-driver", "shinkan-task"];

/// True if nothing is wrong.
pub(crate) fn start(root: &Path) -> Result<bool, String> {
    let target = crate::target(root)?.join("features");
    let metadata = crate::metadata(root, &["--no-deps", "--offline"])?;
    let mut findings = Vec::new();
    let mut builds = 0;
    for front in FRONTS {
        let sets = sets(&features(&metadata, front)?);
        for set in &sets {
            builds += 1;
            findings.extend(check(root, &target, front, set)?);
        }
        for set in LIGHT {
            findings.extend(pulled_in(root, front, set)?);
        }
        findings.extend(entries::check(root, &target, front)?);
    }
    findings.iter().for_each(|finding| say(finding));
    say(&format!("features: {builds} builds, {} findings", findings.len()));
    Ok(findings.is_empty())
}

fn features(metadata: &Value, package: &str) -> Result<BTreeSet<String>, String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.into_iter().find(|one| one["name"] == package);
    let features = package.and_then(|package| package["features"].as_object());
    Ok(features.ok_or("no such package")?.keys().cloned().collect())
}

/// None, each alone, and all of them.
fn sets(features: &BTreeSet<String>) -> Vec<String> {
    let alone = features.iter().filter(|name| *name != "default").cloned();
    let all: Vec<&str> = features.iter().map(String::as_str).collect();
    std::iter::once(String::new()).chain(alone).chain([all.join(",")]).collect()
}

/// Compiles one set; warnings fail, those of the crates below too.
fn check(root: &Path, target: &Path, front: &str, set: &str) -> Result<Option<String>, String> {
    let mut cargo = Command::new(crate::cargo());
    cargo.args(["check", "--quiet", "--locked", "--no-default-features", "-p", front]);
    cargo.args(["--features", set, "--target-dir"]).arg(target);
    cargo.env("RUSTFLAGS", "-D warnings").current_dir(root);
    let done = cargo.output().map_err(|e| format!("cannot start cargo: {e}"))?;
    if done.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&done.stderr);
    let errors = text.lines().filter(|line| line.starts_with("error")).count();
    Ok(Some(format!("{front} with features \"{set}\": {errors} errors or warnings\n{text}")))
}

/// What is compiled that must not be.
fn pulled_in(root: &Path, front: &str, set: &str) -> Result<Option<String>, String> {
    let mut cargo = Command::new(crate::cargo());
    cargo.args(["tree", "--offline", "--edges=normal", "--prefix=none", "--format={p}"]);
    cargo.args(["--no-default-features", "-p", front, "--features", set]).current_dir(root);
    Ok(heavy(&crate::output(&mut cargo)?)
        .map(|names| format!("{front} with features \"{set}\" alone compiles {names}")))
}

/// Of the packages that cargo lists, those that are too much.
fn heavy(tree: &str) -> Option<String> {
    let found: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| HEAVY.contains(name))
        .collect();
    (!found.is_empty()).then(|| found.into_iter().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_each_and_all() {
        let features = ["default", "rt", "sync"].map(String::from).into_iter().collect();
        assert_eq!(sets(&features), ["", "rt", "sync", "default,rt,sync"]);
    }

    #[test]
    fn what_is_too_much_is_found() {
        let light = "shinkan v0.1.0 (/x)\nshinkan-sync v0.1.0 (/x)\nlibc v0.2.1\n";
        assert_eq!(heavy(light), None);
        let tree = format!("{light}shinkan-sys v0.1.0 (/x)\nshinkan-rt v0.1.0 (/x)\n");
        assert_eq!(heavy(&tree).as_deref(), Some("shinkan-rt, shinkan-sys"));
    }
}
