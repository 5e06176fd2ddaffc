//! The manifests of generated packages: the published one with `tokio` replaced, or one for a driver.

use std::path::Path;

use toml::{Table, Value};

use super::list::Package;
use super::{Side, list};

/// A package's own manifest as cargo published it, made to stand alone.
pub(super) fn own(
    published: &str,
    root: &Path,
    package: &Package,
    side: Side,
) -> Result<String, String> {
    let mut manifest: Table = published.parse().map_err(|e: toml::de::Error| e.to_string())?;
    for key in ["bench", "example", "lints", "profile", "patch", "replace"] {
        manifest.remove(key);
    }
    let tests = table(&mut manifest, "dev-dependencies")?;
    for name in &package.without {
        tests.remove(name);
    }
    // The same features for all, so that `tokio` and what stands on it compile once.
    tests.insert("tokio".into(), tokio_full());
    tests.extend(dependencies(root, package));
    // Cargo resolves what other systems need, too.
    let systems = manifest.get_mut("target").and_then(Value::as_table_mut).into_iter().flatten();
    let of_systems = systems.filter_map(|(_, system)| system.get_mut("dev-dependencies"));
    for tests in of_systems.filter_map(Value::as_table_mut) {
        tests.retain(|name, _| !package.without.iter().any(|lost| lost == name));
    }
    if package.driver {
        let files = manifest.entry("test").or_insert_with(|| Value::Array(Vec::new()));
        files.as_array_mut().ok_or("`test` is no array")?.push(file_of_driver(root, package));
    }
    stand_alone(&mut manifest, root, package, side)?;
    Ok(manifest.to_string())
}

/// The manifest of a package whose only test is the driver.
pub(super) fn driver(root: &Path, package: &Package, side: Side) -> Result<String, String> {
    let mut manifest: Table = "edition = \"2024\"\nversion = \"0.0.0\"\nautotests = false\n"
        .parse::<Table>()
        .map(|package| Table::from_iter([("package".to_string(), Value::Table(package))]))
        .map_err(|e| e.to_string())?;
    table(&mut manifest, "package")?.insert("name".into(), package.name_of_driver().into());
    manifest.insert("test".into(), Value::Array(vec![file_of_driver(root, package)]));
    let used = table(&mut manifest, "dependencies")?;
    used.insert("tokio".into(), tokio_full());
    used.extend(dependencies(root, package));
    if !package.version.is_empty() {
        let features: Vec<Value> =
            package.features.iter().map(|name| name.as_str().into()).collect();
        let subject = [
            ("version", format!("={}", package.version).into()),
            ("default-features", package.default_features.into()),
            ("features", Value::Array(features)),
        ];
        used.insert(package.name.clone(), Table::from_iter(subject.map(own_key)).into());
    }
    stand_alone(&mut manifest, root, package, side)?;
    Ok(manifest.to_string())
}

fn file_of_driver(root: &Path, package: &Package) -> Value {
    let path = root.join(package.path_of_driver()).display().to_string();
    Table::from_iter([("name", "driver".into()), ("path", path.into())].map(own_key)).into()
}

/// What the tests use; paths are those from the root.
fn dependencies(root: &Path, package: &Package) -> Table {
    let mut used = package.dependencies.clone();
    for (_, dependency) in &mut used {
        if let Some(Value::String(path)) = dependency.get_mut("path") {
            *path = root.join(&*path).display().to_string();
        }
    }
    used
}

impl list::Package {
    fn name_of_driver(&self) -> String {
        format!("driver-{}", self.name)
    }

    pub(super) fn path_of_driver(&self) -> String {
        format!("ecosystem/drivers/{}.rs", self.name.replace('-', "_"))
    }
}

fn own_key((key, value): (&str, Value)) -> (String, Value) {
    (key.to_string(), value)
}

fn tokio_full() -> Value {
    let features = Value::Array(vec!["full".into(), "test-util".into()]);
    Table::from_iter([("version", "1".into()), ("features", features)].map(own_key)).into()
}

/// A workspace of its own, with `tokio` from where this side has it.
fn stand_alone(
    manifest: &mut Table,
    root: &Path,
    package: &Package,
    side: Side,
) -> Result<(), String> {
    manifest.insert("workspace".into(), Table::new().into());
    let from =
        |path: String| -> Value { Table::from_iter([own_key(("path", path.into()))]).into() };
    let mut registry = Table::new();
    if side == Side::Shinkan {
        registry.insert("tokio".into(), from(root.join("compat/tokio").display().to_string()));
    }
    if package.itself {
        registry.insert(package.name.clone(), from(".".into()));
    }
    if !registry.is_empty() {
        table(manifest, "patch")?.insert("crates-io".into(), registry.into());
    }
    Ok(())
}

fn table<'a>(manifest: &'a mut Table, key: &str) -> Result<&'a mut Table, String> {
    let value = manifest.entry(key).or_insert_with(|| Table::new().into());
    value.as_table_mut().ok_or_else(|| format!("`{key}` is no table"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &str = "[package]\nname = \"a\"\nversion = \"1.0.0\"\n\
        [[bench]]\nname = \"b\"\n[dependencies.tokio]\nversion = \"1\"\n\
        [dev-dependencies.lost]\nversion = \"1\"\n\
        [target.other.dev-dependencies.lost]\nversion = \"1\"\n\
        [target.other.dev-dependencies.kept]\nversion = \"1\"\n";

    fn package(text: &str) -> Package {
        list::parse(text).unwrap().remove(0)
    }

    #[test]
    fn only_one_side_is_patched() {
        let package = package("[a]\nversion = \"1.0.0\"\nwithout = [\"lost\"]\n");
        let root = Path::new("/r");
        let text = own(PUBLISHED, root, &package, Side::Shinkan).unwrap();
        let ours: Table = text.parse().unwrap();
        assert_eq!(ours["patch"]["crates-io"]["tokio"]["path"].as_str(), Some("/r/compat/tokio"));
        assert!(ours.contains_key("workspace") && !ours.contains_key("bench"));
        assert!(ours["dev-dependencies"].get("lost").is_none());
        let of_others = ours["target"]["other"]["dev-dependencies"].as_table().unwrap();
        assert_eq!(of_others.keys().collect::<Vec<_>>(), ["kept"]);
        let text = own(PUBLISHED, root, &package, Side::Tokio).unwrap();
        assert!(!text.parse::<Table>().unwrap().contains_key("patch"));
    }

    #[test]
    fn what_own_tests_get_beside_the_manifest() {
        let package = package(
            "[a]\nversion = \"1.0.0\"\ndriver = true\nown = true\nitself = true\n\
             dependencies = { c = { path = \"d/c\" } }\n",
        );
        let text = own(PUBLISHED, Path::new("/r"), &package, Side::Tokio).unwrap();
        let made: Table = text.parse().unwrap();
        assert_eq!(made["dev-dependencies"]["c"]["path"].as_str(), Some("/r/d/c"));
        assert_eq!(made["test"][0]["path"].as_str(), Some("/r/ecosystem/drivers/a.rs"));
        assert_eq!(made["patch"]["crates-io"]["a"]["path"].as_str(), Some("."));
        assert!(made["patch"]["crates-io"].get("tokio").is_none());
    }

    #[test]
    fn a_driver_depends_on_exactly_its_package() {
        let package = package(
            "[a-b]\nversion = \"1.2.3\"\ndriver = true\nfeatures = [\"x\"]\n\
             default-features = false\ndependencies = { c = \"2\" }\n",
        );
        let text = driver(Path::new("/r"), &package, Side::Tokio).unwrap();
        let made: Table = text.parse().unwrap();
        assert_eq!(made["dependencies"]["a-b"]["version"].as_str(), Some("=1.2.3"));
        assert_eq!(made["dependencies"]["c"].as_str(), Some("2"));
        assert_eq!(made["test"][0]["path"].as_str(), Some("/r/ecosystem/drivers/a_b.rs"));
    }
}
