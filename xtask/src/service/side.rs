//! The service with the line that patches Tokio, and a copy of its manifest without it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which runtime stands behind the name `tokio`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Shinkan,
    Tokio,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shinkan => "shinkan",
            Self::Tokio => "Tokio",
        })
    }
}

impl Side {
    pub(super) fn parse(word: &str) -> Result<Vec<Self>, String> {
        match word {
            "shinkan" => Ok(vec![Self::Shinkan]),
            "tokio" => Ok(vec![Self::Tokio]),
            "both" => Ok(vec![Self::Tokio, Self::Shinkan]),
            _ => Err("--on takes shinkan, tokio or both".into()),
        }
    }
}

/// The service's binary on one of the two.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) side: Side,
    pub(super) program: PathBuf,
}

impl Built {
    /// Builds it, and puts it where building the other one does not replace it.
    pub(super) fn new(root: &Path, side: Side, release: bool) -> Result<Self, String> {
        let folder = prepare(root, side)?;
        let target = target(root)?;
        let profile = if release { "release" } else { "debug" };
        let mut command = Command::new(crate::cargo());
        command.arg("build").current_dir(folder).env("CARGO_TARGET_DIR", &target);
        if release {
            command.arg("--release");
        }
        let status = command.status().map_err(|e| format!("cannot start cargo: {e}"))?;
        if !status.success() {
            return Err(format!("the service does not build on {side}"));
        }
        let kept = target.join(format!("on-{side}-{profile}"));
        // A program that runs cannot be written to, but its name can be given to another file.
        drop(fs::remove_file(&kept));
        fs::copy(target.join(profile).join("service"), &kept)
            .map_err(|e| format!("cannot copy the service's program: {e}"))?;
        Ok(Self { side, program: kept })
    }
}

/// Both are built here, so that what does not stand on a runtime is built once.
pub(super) fn target(root: &Path) -> Result<PathBuf, String> {
    Ok(crate::target(root)?.join("service"))
}

/// The folder in which cargo builds the service for this side.
pub(super) fn prepare(root: &Path, side: Side) -> Result<PathBuf, String> {
    let service = root.join("examples/service");
    let folder = match side {
        Side::Shinkan => service,
        Side::Tokio => copy(root, &service)?,
    };
    let metadata = crate::metadata(&folder, &[])?;
    let found = metadata["packages"].as_array().into_iter().flatten();
    let mut found = found.filter(|package| package["name"] == "tokio");
    let (first, second) = (found.next(), found.next());
    match (first, second) {
        (Some(one), None) if one["source"].is_null() == (side == Side::Shinkan) => Ok(folder),
        _ => Err(format!("the service in {} does not run on {side} alone", folder.display())),
    }
}

/// Links to all that the service is, beside a manifest without the line.
fn copy(root: &Path, service: &Path) -> Result<PathBuf, String> {
    let folder = target(root)?.join("on-tokio");
    let say = |what: &str, e: std::io::Error| format!("{what}: {e}");
    let manifest =
        fs::read_to_string(service.join("Cargo.toml")).map_err(|e| say("manifest", e))?;
    crate::write(&folder.join("Cargo.toml"), &without_the_line(&manifest)?)?;
    for name in ["build.rs", "proto", "src", "tests"] {
        let link = folder.join(name);
        if !link.exists() {
            drop(fs::remove_file(&link));
            let made = std::os::unix::fs::symlink(service.join(name), &link);
            made.map_err(|e| say("cannot link", e))?;
        }
    }
    // The same versions, but for what Tokio itself brings in.
    let lock = fs::read_to_string(service.join("Cargo.lock")).map_err(|e| say("lock file", e))?;
    let (kept, from) = (folder.join("Cargo.lock"), folder.join("Cargo.lock.from"));
    if !kept.exists() || fs::read_to_string(&from).ok().as_deref() != Some(&lock) {
        crate::write(&kept, &lock)?;
        let version = compatible_version(root)?;
        let cargo = |args: &[&str]| {
            crate::output(Command::new(crate::cargo()).args(args).current_dir(&folder))
        };
        // The first finds that the patch is gone, the second takes the version it stood for.
        cargo(&["metadata", "--format-version=1"])?;
        cargo(&["update", "tokio", "--precise", &version])?;
        crate::write(&from, &lock)?;
    }
    Ok(folder)
}

/// The Tokio that `compat/tokio` stands for.
fn compatible_version(root: &Path) -> Result<String, String> {
    let metadata = crate::metadata(root, &["--no-deps", "--offline"])?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let tokio = packages.find(|package| package["name"] == "tokio");
    let version = tokio.and_then(|package| package["version"].as_str());
    version.map(String::from).ok_or_else(|| "this checkout has no compat/tokio".to_string())
}

fn without_the_line(manifest: &str) -> Result<String, String> {
    let is_it = |line: &str| line.starts_with("tokio = { path = ");
    if manifest.lines().filter(|line| is_it(line)).count() != 1 {
        return Err("the service's manifest does not have one line that patches Tokio".into());
    }
    Ok(manifest.lines().filter(|line| !is_it(line)).map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_goes_and_nothing_else() {
        let manifest = "[patch.crates-io]\ntokio = { path = \"x\" }\n\n[dependencies]\n\
            tokio = { version = \"1\" }\n";
        let expected = "[patch.crates-io]\n\n[dependencies]\ntokio = { version = \"1\" }\n";
        assert_eq!(without_the_line(manifest).unwrap(), expected);
        assert!(without_the_line(expected).is_err());
    }
}
