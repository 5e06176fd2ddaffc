//! `cargo xtask doctor [PATH]`: whether a program's packages would run on two runtimes.
//!
//! A `[patch]` that does not fit is no error for cargo: it takes Tokio from the registry, and what
//! was meant for one runtime looks for the other. This says which package asks for what, why the
//! patch was passed over, and what to type.

mod findings;
mod graph;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use semver::Version;

pub(crate) use graph::Graph;

/// The package that stands in for Tokio, as this checkout has it.
#[derive(Debug)]
struct Ours {
    version: Version,
    features: BTreeSet<String>,
    folder: PathBuf,
}

/// One thing that is wrong: what was found, and the lines that mend it.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    what: String,
    why: Vec<String>,
    remedy: Vec<String>,
}

/// Prints what is wrong with the workspace at `path`; true if nothing is.
pub(crate) fn run(root: &Path, path: &Path) -> Result<bool, String> {
    let (lines, healthy) = examine(root, path)?;
    for line in lines {
        println!("{line}");
    }
    Ok(healthy)
}

fn examine(root: &Path, path: &Path) -> Result<(Vec<String>, bool), String> {
    let folder = if path.is_file() { path.parent().unwrap_or(path) } else { path };
    if !folder.is_dir() {
        return Err(format!("{} is no folder of a package", path.display()));
    }
    let graph = Graph::load(folder)?;
    let findings = findings::all(&graph, &ours(root)?);
    let mut lines = vec![format!("doctor: {}", graph.root.display())];
    let runtimes = graph.packages.iter().filter(|package| package.name == "tokio");
    for package in runtimes {
        let what = if graph.is_ours(package) { "shinkan" } else { "Tokio itself" };
        lines.push(format!(
            "  {} {} ({}): {what}",
            package.name,
            package.version,
            package.origin()
        ));
    }
    for Finding { what, why, remedy } in &findings {
        lines.push(format!("finding: {what}"));
        lines.extend(why.iter().map(|line| format!("  {line}")));
        lines.push("remedy:".into());
        lines.extend(remedy.iter().map(|line| format!("  {line}")));
    }
    lines.push(match findings.len() {
        0 => "doctor: healthy, one runtime".into(),
        1 => "doctor: 1 finding".into(),
        many => format!("doctor: {many} findings"),
    });
    Ok((lines, findings.is_empty()))
}

fn ours(root: &Path) -> Result<Ours, String> {
    let metadata = crate::metadata(root, &["--no-deps", "--offline"])?;
    let packages = graph::packages(&metadata)?;
    let package = packages.into_iter().find(|package| package.name == "tokio");
    let package = package.ok_or("this checkout has no compat/tokio")?;
    Ok(Ours {
        version: package.version,
        features: package.features,
        folder: root.join("compat/tokio"),
    })
}
