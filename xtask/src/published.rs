//! Packages as the registry published them, and what cargo says while it builds their tests.
//! Called by `conformance` and `ecosystem`.

use std::path::Path;

use serde_json::Value;

/// How many of the last lines of a failed cargo are told.
const TAIL_LINES: usize = 60;

/// Has cargo download `name`; answers what cargo reads in its manifest.
pub(crate) fn published(folder: &Path, name: &str, version: &str) -> Result<Value, String> {
    let manifest = format!(
        "[package]\nname = \"published\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\n{name} = {{ version = \"={version}\", default-features = false }}\n"
    );
    crate::write(&folder.join("Cargo.toml"), &manifest)?;
    crate::write(&folder.join("src/lib.rs"), "")?;
    let metadata = crate::metadata(folder, &[&platform()])?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    packages
        .into_iter()
        .find(|package| package["name"] == name && package["version"] == version)
        .ok_or_else(|| format!("cargo found no {name} {version}"))
}

/// The argument with which `cargo metadata` looks at Linux alone.
pub(crate) fn platform() -> String {
    format!("--filter-platform={}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// Errors of the compiler in cargo's JSON messages.
pub(crate) fn errors(messages: &str) -> impl Iterator<Item = Value> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    messages.filter(|message: &Value| message["message"]["level"] == "error")
}

/// The last lines of what a cargo that failed wrote.
pub(crate) fn tail(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
