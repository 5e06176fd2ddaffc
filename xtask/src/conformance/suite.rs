//! The package under target/conformance that holds Tokio's published tests: found where cargo
//! downloaded them, one test target a file, with the dependencies that the published manifest
//! states and `tokio` replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::half::Half;
use crate::published::{errors, published, tail};
use crate::run::{Built, built};

const VERSION: &str = "1.54.1";
/// Dependencies of the library itself that its tests name.
const SHARED: [&str; 5] = ["bytes", "libc", "pin-project-lite", "socket2", "tracing"];

/// The generated package.
pub(super) struct Suite {
    /// Its folder, which is also where the tests run.
    pub(super) folder: PathBuf,
    pub(super) logs: PathBuf,
    /// The names of its test files.
    pub(super) files: Vec<String>,
    target: PathBuf,
}

impl Suite {
    pub(super) fn new(root: &Path, half: &Half, filter: &str) -> Result<Self, String> {
        let top = crate::target(root)?.join("conformance");
        let published = published(&top.join("published"), "tokio", VERSION)?;
        let manifest = published["manifest_path"].as_str().ok_or("tokio has no manifest")?;
        let source = Path::new(manifest).with_file_name("tests");
        let files = files(&source, half)?;
        let folder = top.join(half.folder);
        let lock = root.join("conformance/Cargo.lock");
        if lock.exists() {
            crate::write(&folder.join("Cargo.lock"), &read(&lock)?)?;
        }
        crate::write(
            &folder.join("Cargo.toml"),
            &manifest_of(&published, root, half, &source, &files)?,
        )?;
        crate::write(&folder.join("build.rs"), &build_script(half))?;
        crate::write(&folder.join("src/lib.rs"), "//! Nothing: the tests are elsewhere.\n")?;
        let files = files.into_iter().filter(|file| file.contains(filter)).collect();
        Ok(Self {
            folder,
            logs: top.join("logs").join(half.folder),
            files,
            target: top.join("build"),
        })
    }

    /// Builds each test file for itself; notes the first error of each that does not compile.
    pub(super) fn build(
        &self,
        not_built: &mut BTreeMap<String, String>,
    ) -> Result<Vec<Built>, String> {
        let mut cargo = Command::new(crate::cargo());
        cargo.args(["build", "--keep-going", "--quiet", "--message-format=json"]);
        for file in &self.files {
            cargo.args(["--test", file]);
        }
        let done = cargo
            .env("CARGO_TARGET_DIR", &self.target)
            .current_dir(&self.folder)
            .stderr(Stdio::piped())
            .output()
            .map_err(|e| format!("cannot start cargo: {e}"))?;
        let messages = String::from_utf8_lossy(&done.stdout);
        let programs = built(&messages);
        for file in &self.files {
            if programs.iter().any(|program| program.target == *file) {
                continue;
            }
            let error = first_error(&messages, Some(file))
                .or_else(|| first_error(&messages, None))
                .ok_or_else(|| format!("no test file builds:\n{}", tail(&done.stderr)))?;
            crate::write(&self.logs.join(format!("{file}.build")), &error)?;
            let line = error.lines().next().unwrap_or_default();
            not_built.insert(file.clone(), line.to_string());
        }
        Ok(programs)
    }
}

fn files(source: &Path, half: &Half) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(source).map_err(|e| format!("{}: {e}", source.display()))?;
    let mut files: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".rs").map(String::from))
        .collect();
    files.sort();
    let mut chosen = Vec::new();
    for file in files {
        if half.has(&file, &read(&source.join(format!("{file}.rs")))?) {
            chosen.push(file);
        }
    }
    Ok(chosen)
}

/// Sets the cfg for this package alone: what it depends on is the same in both halves.
fn build_script(half: &Half) -> String {
    let set = half.cfg.map(|cfg| format!("println!(\"cargo::rustc-cfg={cfg}\");"));
    format!("fn main() {{ {} }}\n", set.unwrap_or_default())
}

fn manifest_of(
    published: &Value,
    root: &Path,
    half: &Half,
    source: &Path,
    files: &[String],
) -> Result<String, String> {
    let edition = published["edition"].as_str().unwrap_or("2021");
    // Some tests read this very file, and look for it.
    let homepage = published["homepage"].as_str().unwrap_or_default();
    let mut out = format!(
        "[package]\nname = \"suite\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\
         homepage = \"{homepage}\"\n\
         autotests = false\n\n[workspace]\n\n[profile.dev]\ndebug = \"line-tables-only\"\n\
         incremental = false\n\n[lints.rust]\nwarnings = {{ level = \"allow\", priority = -1 }}\n\
         unexpected_cfgs = \"allow\"\n"
    );
    let features = features(published, half.features);
    let quoted: Vec<String> = features.iter().map(|name| format!("\"{name}\"")).collect();
    let _ = writeln!(out, "\n[features]\ndefault = [{}]", quoted.join(", "));
    for name in &features {
        let _ = writeln!(out, "{name} = []");
    }
    let compat = root.join("compat/tokio");
    let wanted: Vec<String> = half.features.iter().map(|name| format!("\"{name}\"")).collect();
    let wanted = wanted.join(", ");
    let _ = writeln!(
        out,
        "\n[dependencies]\ntokio = {{ path = {compat:?}, features = [{wanted}] }}\n\n\
         [patch.crates-io]\ntokio = {{ path = {compat:?} }}"
    );
    let text = all_text(source)?;
    for dependency in published["dependencies"].as_array().into_iter().flatten() {
        let name = dependency["name"].as_str().unwrap_or_default();
        let dev = dependency["kind"] == "dev";
        if (dev || SHARED.contains(&name)) && text.contains(&name.replace('-', "_")) {
            out.push_str(&dependency_table(name, dev, dependency, half));
        }
    }
    for file in files {
        let path = source.join(format!("{file}.rs"));
        let _ = writeln!(out, "\n[[test]]\nname = \"{file}\"\npath = {path:?}");
    }
    Ok(out)
}

/// A table of its own for each, since targets differ: cargo decides which applies.
fn dependency_table(name: &str, dev: bool, dependency: &Value, half: &Half) -> String {
    let kind = if dev { "dev-dependencies" } else { "dependencies" };
    // Cargo does not see the cfg that the build script sets, so what asks for it is not asked.
    let met = |target: &&str| half.cfg.is_some_and(|cfg| target.contains(cfg));
    let target = dependency["target"].as_str().filter(|target| !met(target));
    let head =
        target.map_or(format!("{kind}.{name}"), |cfg| format!("target.'{cfg}'.{kind}.{name}"));
    let features = dependency["features"].as_array().cloned().unwrap_or_default();
    format!(
        "\n[{head}]\nversion = {}\ndefault-features = {}\nfeatures = {}\n",
        dependency["req"],
        dependency["uses_default_features"],
        Value::Array(features),
    )
}

/// The features that `wanted` stand for, those that name optional dependencies apart.
fn features(published: &Value, wanted: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = wanted.iter().map(|name| name.to_string()).collect();
    while let Some(name) = open.pop() {
        let Some(parts) = published["features"][&name].as_array() else { continue };
        if !name.contains(':') && !name.contains('/') && found.insert(name) {
            open.extend(parts.iter().filter_map(|part| part.as_str().map(String::from)));
        }
    }
    found
}

fn all_text(folder: &Path) -> Result<String, String> {
    let mut text = String::new();
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        text.push_str(&if path.is_dir() { all_text(&path)? } else { read(&path)? });
    }
    Ok(text)
}

/// The first error that the compiler gave for a test file, or for anything.
fn first_error(messages: &str, file: Option<&str>) -> Option<String> {
    errors(messages)
        .filter(|message| file.is_none_or(|file| message["target"]["name"] == file))
        .find_map(|message| message["message"]["rendered"].as_str().map(String::from))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::half::{STABLE, UNSTABLE};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_build_script_sets_the_cfg_of_its_half() {
        assert_eq!(build_script(&STABLE), "fn main() {  }\n");
        assert!(build_script(&UNSTABLE).contains("cargo::rustc-cfg=tokio_unstable"));
    }

    #[test]
    fn features_are_followed() {
        let published = json!({ "features": {
            "full": ["fs", "net"], "fs": ["dep:x"], "net": ["libc", "x/y"], "test-util": [],
            "other": [],
        }});
        let found: Vec<_> = features(&published, &["full", "test-util"]).into_iter().collect();
        assert_eq!(found, ["fs", "full", "net", "test-util"]);
    }

    #[test]
    fn dependencies_keep_their_conditions() {
        let dependency = json!({
            "req": "^0.31", "features": ["fs"], "uses_default_features": false,
            "target": "cfg(unix)",
        });
        assert_eq!(
            dependency_table("nix", true, &dependency, &UNSTABLE),
            "\n[target.'cfg(unix)'.dev-dependencies.nix]\nversion = \"^0.31\"\n\
             default-features = false\nfeatures = [\"fs\"]\n"
        );
        let mut behind = dependency;
        behind["target"] = "cfg(all(tokio_unstable, unix))".into();
        let table = dependency_table("nix", true, &behind, &UNSTABLE);
        assert!(table.starts_with("\n[dev-dependencies.nix]\n"), "{table}");
        assert!(dependency_table("nix", true, &behind, &STABLE).contains("tokio_unstable"));
    }

    #[test]
    fn the_first_error_of_a_file() {
        let message = |file: &str, level: &str, text: &str| {
            json!({ "target": { "name": file }, "message": { "level": level, "rendered": text }})
                .to_string()
        };
        let messages = [
            message("a", "warning", "1"),
            message("b", "error", "2"),
            message("a", "error", "3"),
            message("a", "error", "4"),
        ];
        assert_eq!(first_error(&messages.join("\n"), Some("a")).as_deref(), Some("3"));
        assert_eq!(first_error(&messages.join("\n"), None).as_deref(), Some("2"));
        assert_eq!(first_error(&messages.join("\n"), Some("c")), None);
    }
}
