//! `cargo xtask api [--names]`: what users see of Tokio 1.54.1, as cargo downloads it, held against
//! compat/tokio and shinkan: names and arity, and (without `--names`) signatures, bounds, trait
//! impls, auto traits and what attributes say. conformance/api-differences.txt lists the
//! differences that were argued; any other is a finding, and so is a line of it without one.

mod differences;
mod docs;
pub(crate) mod functions;
mod render;
mod surface;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use differences::{Argued, Difference};
use docs::Docs;
use surface::{Surface, read};

const VERSION: &str = "1.54.1";
const LIST: &str = "conformance/api-differences.txt";
/// rustdoc's JSON is not stable yet; what is read of it has stood for years. With hidden items,
/// since a module may be hidden of which an item is public under another path.
const FLAGS: &str = "-Z unstable-options --output-format json --document-hidden-items";
const THEIRS: [&str; 2] = ["tokio", "tokio_macros"];
/// The crates whose items users of `tokio` and `shinkan` can name.
const OURS: [&str; 11] = [
    "tokio",
    "shinkan",
    "shinkan_base",
    "shinkan_context",
    "shinkan_driver",
    "shinkan_io",
    "shinkan_macros",
    "shinkan_rt",
    "shinkan_sync",
    "shinkan_sys",
    "shinkan_task",
];

/// Those that Tokio has.
pub(crate) const FEATURES: &str = "tokio/full,tokio/test-util";

/// Compares; true if there is nothing but what was argued.
pub(crate) fn start(root: &Path, args: &[&str]) -> Result<bool, String> {
    let names_only = match args {
        [] => false,
        ["--names"] => true,
        _ => return Err("usage: cargo xtask api [--names]".into()),
    };
    let top = crate::target(root)?.join("api");
    let theirs = Docs::load(&published(&top.join("published"))?, &THEIRS)?;
    let theirs = read(&theirs, "tokio", None)?;
    let ours = ours(root)?;
    let fronts = [("compat/tokio", "tokio"), ("shinkan", "shinkan")];
    let argued = fs::read_to_string(root.join(LIST)).map_err(|e| format!("{LIST}: {e}"))?;
    let argued = Argued::parse(&argued).map_err(|e| format!("{LIST}: {e}"))?;
    let (mut found, mut labels, mut missing) = (0, BTreeSet::new(), 0);
    for (title, name) in fronts {
        let ours = read(&ours, name, Some(&theirs.paths))?;
        let names = names_missing(&theirs, &ours);
        let all = differences::all(&theirs, &ours);
        labels.extend(all.iter().map(Difference::label));
        let open: Vec<_> = all.iter().filter(|one| !argued.has(one)).collect();
        if names_only {
            names.iter().for_each(|name| println!("{title}: missing {name}"));
        } else {
            open.iter().for_each(|one| print(title, one));
            found += open.len();
        }
        missing += names.len();
        println!(
            "{title}: {} of {} names, {} differences, {} argued",
            theirs.names.len() - names.len(),
            theirs.names.len(),
            all.len(),
            all.len() - open.len()
        );
    }
    if names_only {
        return Ok(missing == 0);
    }
    let idle = argued.idle(&labels);
    idle.iter().for_each(|line| println!("{LIST}, {line}"));
    println!(
        "api: {found} differences that are not argued, {} of {} lines idle",
        idle.len(),
        argued.len()
    );
    Ok(found == 0 && idle.is_empty())
}

fn names_missing<'a>(theirs: &'a Surface, ours: &'a Surface) -> Vec<&'a String> {
    theirs.names.difference(&ours.names).collect()
}

fn print(title: &str, one: &Difference) {
    println!("{title}: {}", one.label());
    one.theirs.iter().for_each(|text| println!("    theirs: {text}"));
    one.ours.iter().for_each(|text| println!("    ours:   {text}"));
    if one.ours.is_empty() {
        println!("    ours:   missing");
    }
}

/// Where the JSON of the published Tokio is.
fn published(folder: &Path) -> Result<PathBuf, String> {
    let manifest = format!(
        "[package]\nname = \"published\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\ntokio = {{ version = \"={VERSION}\", features = [\"full\", \"test-util\"] }}\n"
    );
    crate::write(&folder.join("Cargo.toml"), &manifest)?;
    crate::write(&folder.join("src/lib.rs"), "")?;
    let mut cargo = Command::new(crate::cargo());
    cargo.args(["doc", "-p", "tokio", "-p", "tokio-macros"]).current_dir(folder);
    document(cargo, &folder.join("target"))
}

/// What our own crates show, with every feature.
fn ours(root: &Path) -> Result<Docs, String> {
    let mut cargo = Command::new(crate::cargo());
    cargo.arg("doc").current_dir(root);
    for name in OURS {
        cargo.args(["-p", &name.replace('_', "-")]);
    }
    cargo.args(["--features", FEATURES]);
    let folder = document(cargo, &crate::target(root)?.join("api/ours"))?;
    Docs::load(&folder, &OURS)
}

fn document(mut cargo: Command, target: &Path) -> Result<PathBuf, String> {
    cargo.args(["--no-deps", "--quiet", "--target-dir"]).arg(target);
    cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTDOCFLAGS", FLAGS).env_remove("RUSTFLAGS");
    crate::output(&mut cargo)?;
    Ok(target.join("doc"))
}
