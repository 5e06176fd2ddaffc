//! The packages under target/ecosystem: a copy for each side of what cargo downloaded, one lock file
//! for both, and the test programs that cargo builds of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::list::Package;
use super::{Side, manifest};
use crate::published::{errors, platform, published, tail};
use crate::run::{self, Built, built};

const TOKIO: &str = "1.54.1";

/// A package's folders.
pub(super) struct Generated {
    pub(super) logs: PathBuf,
    folders: BTreeMap<Side, PathBuf>,
    target: PathBuf,
    compat: PathBuf,
    /// The lock file in the repository, for packages that run with every change.
    lock: PathBuf,
}

/// What cargo built.
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    pub(super) programs: Vec<Built>,
    /// Test files that do not compile, with the first line of the error.
    pub(super) not_built: BTreeMap<String, String>,
}

impl Generated {
    pub(super) fn new(root: &Path, package: &Package) -> Result<Self, String> {
        let top = crate::target(root)?.join("ecosystem");
        let mut folders = BTreeMap::new();
        for side in [Side::Tokio, Side::Shinkan] {
            let name = format!("{}-{}", package.name, package.version);
            let folder = top.join(format!("on-{}", side.name())).join(name);
            if !package.own {
                let text = manifest::driver(root, package, side)?;
                crate::write(&folder.join("Cargo.toml"), &text)?;
                crate::write(&folder.join("src/lib.rs"), "//! Nothing: the driver is a test.\n")?;
            } else {
                let seen = published(&top.join("published"), &package.name, &package.version)?;
                let path = seen["manifest_path"].as_str().ok_or("a package without a manifest")?;
                let source = Path::new(path).parent().ok_or("a manifest without a folder")?;
                copy(source, &folder)?;
                let text = fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
                let text = manifest::own(&text, root, package, side)?;
                crate::write(&folder.join("Cargo.toml"), &text)?;
            }
            folders.insert(side, folder);
        }
        Ok(Self {
            logs: top.join("logs").join(&package.name),
            folders,
            // Both sides share what does not depend on `tokio`; cargo tells the rest apart.
            target: top.join("build"),
            compat: root.join("compat/tokio"),
            lock: root.join(format!("ecosystem/locks/{}.lock", package.name)),
        })
    }

    /// Builds each test file of one side for itself.
    pub(super) fn build(&self, package: &Package, side: Side) -> Result<Programs, String> {
        let folder = self.folders[&side].clone();
        self.put_lock(side)?;
        let metadata = self.metadata(package, &folder)?;
        check_graph(&metadata, side, &self.compat)?;
        let mut targets = targets(&metadata, &folder, package)?;
        let mut not_built = BTreeMap::new();
        while !targets.is_empty() {
            let done = self.cargo(package, &folder, &targets)?;
            let messages = String::from_utf8_lossy(&done.stdout).into_owned();
            if done.status.success() {
                return Ok(Programs { folder, programs: built(&messages), not_built });
            }
            let mut dropped = false;
            for (target, error) in first_errors(&messages, &folder) {
                if targets.remove(&target) {
                    crate::write(
                        &self.logs.join(format!("{target}.{}.build", side.name())),
                        &error,
                    )?;
                    let line = error.lines().next().unwrap_or_default().to_string();
                    not_built.insert(target, line);
                    dropped = true;
                }
            }
            if !dropped {
                let error = errors(&messages).find_map(|e| text(&e["message"]["rendered"]));
                return Err(error.unwrap_or_else(|| tail(&done.stderr)));
            }
        }
        Err(format!("no test file builds: {not_built:?}"))
    }

    /// Keeps the lock file for those runs that must not meet new versions.
    pub(super) fn keep_lock(&self) -> Result<(), String> {
        let path = self.folders[&Side::Shinkan].join("Cargo.lock");
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        crate::write(&self.lock, &text)
    }

    /// The repository's lock file first; then shinkan's side takes that of Tokio's.
    fn put_lock(&self, side: Side) -> Result<(), String> {
        let here = self.folders[&side].join("Cargo.lock");
        let tokio = self.folders[&Side::Tokio].join("Cargo.lock");
        let from = [&self.lock, &tokio].into_iter().find(|path| path.exists() && **path != here);
        if let Some(from) = from {
            let text = fs::read_to_string(from).map_err(|e| format!("{}: {e}", from.display()))?;
            return crate::write(&here, &text);
        }
        // The lock file that came with the package may hold an older Tokio.
        if here.exists() {
            fs::remove_file(&here).map_err(|e| format!("{}: {e}", here.display()))?;
        }
        Ok(())
    }

    fn metadata(&self, package: &Package, folder: &Path) -> Result<Value, String> {
        let mut args = vec![platform()];
        args.extend(feature_args(package));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        crate::metadata(folder, &args)
    }

    fn cargo(
        &self,
        package: &Package,
        folder: &Path,
        targets: &BTreeSet<String>,
    ) -> Result<std::process::Output, String> {
        let mut cargo = Command::new(crate::cargo());
        cargo.args(["test", "--no-run", "--no-fail-fast", "--quiet", "--message-format=json"]);
        for target in targets {
            match target.as_str() {
                "src" => cargo.arg("--lib"),
                file => cargo.args(["--test", file]),
            };
        }
        cargo
            .args(feature_args(package))
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
            // A newer compiler warns of more than the package's authors saw.
            .env("RUSTFLAGS", "--cap-lints=allow")
            .current_dir(folder)
            .output()
            .map_err(|e| format!("cannot start cargo: {e}"))
    }
}

/// The tests in a program, without those that are run only when asked for.
pub(super) fn tests_of(program: &Built, folder: &Path) -> Result<Vec<String>, String> {
    let ignored: BTreeSet<String> = run::ignored(&program.program, folder)?.into_iter().collect();
    let tests = run::tests(&program.program, folder)?;
    Ok(tests.into_iter().filter(|test| !ignored.contains(test)).collect())
}

/// A driver has its features in its manifest.
fn feature_args(package: &Package) -> Vec<String> {
    let mut args = Vec::new();
    if !package.own {
        return args;
    }
    if !package.default_features {
        args.push("--no-default-features".into());
    }
    if !package.features.is_empty() {
        args.push(format!("--features={}", package.features.join(",")));
    }
    args
}

/// Exactly one `tokio`, and the right one: cargo leaves a patch out without an error.
fn check_graph(metadata: &Value, side: Side, compat: &Path) -> Result<(), String> {
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let found: Vec<&Value> = packages.iter().filter(|one| one["name"] == "tokio").collect();
    let [tokio] = found[..] else {
        let versions: Vec<String> = found.iter().map(|one| one["version"].to_string()).collect();
        return Err(format!("there must be one `tokio`, there are: {}", versions.join(", ")));
    };
    let from_registry = tokio["source"].as_str().is_some_and(|from| from.starts_with("registry"));
    let ours = tokio["manifest_path"].as_str().map(Path::new) == Some(&compat.join("Cargo.toml"));
    let right = match side {
        Side::Tokio => from_registry && tokio["version"] == TOKIO,
        Side::Shinkan => tokio["source"].is_null() && ours,
    };
    let what = || format!("`tokio` is {} {}", tokio["version"], tokio["manifest_path"]);
    if right { Ok(()) } else { Err(format!("{}, on {}'s side", what(), side.name())) }
}

/// The test files that can be built with the features asked for; `src` is the library's own tests.
fn targets(metadata: &Value, folder: &Path, package: &Package) -> Result<BTreeSet<String>, String> {
    let manifest = folder.join("Cargo.toml");
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let this = packages
        .clone()
        .find(|one| one["manifest_path"].as_str().map(Path::new) == Some(&manifest))
        .ok_or("cargo does not see the generated package")?;
    let nodes = metadata["resolve"]["nodes"].as_array().into_iter().flatten();
    let active: BTreeSet<String> = nodes
        .filter(|node| node["id"] == this["id"])
        .flat_map(|node| node["features"].as_array().into_iter().flatten().filter_map(text))
        .collect();
    let mut found = BTreeSet::new();
    for target in this["targets"].as_array().into_iter().flatten() {
        let needs = target["required-features"].as_array().into_iter().flatten();
        let kinds = target["kind"].as_array().into_iter().flatten();
        let kinds: Vec<String> = kinds.filter_map(text).collect();
        if target["test"] != true || needs.filter_map(text).any(|name| !active.contains(&name)) {
            continue;
        }
        if kinds.iter().any(|kind| kind == "test") {
            found.extend(text(&target["name"]));
        } else if kinds.iter().any(|kind| kind.ends_with("lib") || kind == "proc-macro") {
            found.insert("src".to_string());
        }
    }
    if package.targets.is_empty() {
        return Ok(found);
    }
    let wanted: BTreeSet<String> = package.targets.iter().cloned().collect();
    if let Some(lost) = wanted.difference(&found).next() {
        return Err(format!("there is no test file `{lost}`"));
    }
    Ok(wanted)
}

/// The first error of each test file of the package in `folder`.
fn first_errors(messages: &str, folder: &Path) -> BTreeMap<String, String> {
    let manifest = folder.join("Cargo.toml");
    let mut found = BTreeMap::new();
    for error in errors(messages) {
        if error["manifest_path"].as_str().map(Path::new) != Some(&manifest) {
            continue;
        }
        let kinds = error["target"]["kind"].as_array().into_iter().flatten();
        let in_file = kinds.filter_map(text).any(|kind| kind == "test");
        let target = if in_file { text(&error["target"]["name"]) } else { Some("src".into()) };
        if let (Some(target), Some(error)) = (target, text(&error["message"]["rendered"])) {
            found.entry(target).or_insert(error);
        }
    }
    found
}

/// Copies a folder; what is the same already keeps its time, so that cargo does not build it again.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let say = |path: &Path, e| format!("{}: {e}", path.display());
    fs::create_dir_all(to).map_err(|e| say(to, e))?;
    for entry in fs::read_dir(from).map_err(|e| say(from, e))? {
        let entry = entry.map_err(|e| say(from, e))?;
        let (source, copied) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &copied)?;
            continue;
        }
        // These two are written after.
        if ["Cargo.toml", "Cargo.lock"].iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let bytes = fs::read(&source).map_err(|e| say(&source, e))?;
        if fs::read(&copied).ok().as_ref() != Some(&bytes) {
            fs::write(&copied, bytes).map_err(|e| say(&copied, e))?;
        }
    }
    Ok(())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn graph(packages: &[Value], side: Side) -> Result<(), String> {
        check_graph(&json!({ "packages": packages }), side, Path::new("/r/compat/tokio"))
    }

    #[test]
    fn the_graph_has_one_tokio_and_the_right_one() {
        let theirs = json!({
            "name": "tokio", "version": TOKIO, "source": "registry+https://x",
            "manifest_path": "/c/tokio-1.54.1/Cargo.toml",
        });
        let ours = json!({
            "name": "tokio", "version": TOKIO, "source": null,
            "manifest_path": "/r/compat/tokio/Cargo.toml",
        });
        assert_eq!(graph(std::slice::from_ref(&ours), Side::Shinkan), Ok(()));
        assert_eq!(graph(std::slice::from_ref(&theirs), Side::Tokio), Ok(()));
        assert!(graph(std::slice::from_ref(&theirs), Side::Shinkan).is_err());
        assert!(graph(std::slice::from_ref(&ours), Side::Tokio).is_err());
        assert!(graph(&[ours, theirs], Side::Shinkan).is_err());
        assert!(graph(&[], Side::Shinkan).is_err());
    }

    #[test]
    fn errors_are_sorted_by_test_file() {
        let error = |kind: &str, name: &str, folder: &str, text: &str| {
            json!({
                "manifest_path": format!("{folder}/Cargo.toml"),
                "target": { "kind": [kind], "name": name },
                "message": { "level": "error", "rendered": text },
            })
            .to_string()
        };
        let messages = [
            error("lib", "a", "/a", "1"),
            error("test", "b", "/a", "2"),
            error("test", "b", "/a", "3"),
            error("lib", "other", "/o", "4"),
        ];
        let found = first_errors(&messages.join("\n"), Path::new("/a"));
        let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(found, [("b", "2"), ("src", "1")]);
    }

    #[test]
    fn test_files_whose_features_are_off_are_left_out() {
        let target = |kind: &str, name: &str, needs: &[&str]| {
            json!({
                "kind": [kind], "name": name, "test": true, "required-features": needs,
            })
        };
        let metadata = json!({
            "packages": [{ "id": "a", "manifest_path": "/a/Cargo.toml", "targets": [
                target("lib", "a", &[]), target("test", "b", &["x"]), target("test", "c", &["y"]),
                target("bin", "d", &[]),
            ]}],
            "resolve": { "nodes": [{ "id": "a", "features": ["x"] }] },
        });
        let of = |text: &str| {
            let package = super::super::list::parse(text).unwrap().remove(0);
            targets(&metadata, Path::new("/a"), &package)
        };
        let found = of("[a]\nversion = \"1\"\n").unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["b", "src"]);
        assert_eq!(of("[a]\nversion = \"1\"\ntests = [\"b\"]\n").unwrap().len(), 1);
        assert!(of("[a]\nversion = \"1\"\ntests = [\"c\"]\n").is_err());
    }
}
