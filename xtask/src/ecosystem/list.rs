//! ecosystem/packages.toml: which packages, in which version, and how each is built.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use toml::{Table, Value};

pub(super) const FILE: &str = "ecosystem/packages.toml";
const LIMIT_S: i64 = 60;
const REASON_MIN: usize = 20;
const KEYS: [&str; 14] = [
    "ci",
    "default-features",
    "dependencies",
    "driver",
    "env",
    "excepted",
    "features",
    "itself",
    "limit-s",
    "own",
    "server",
    "tests",
    "version",
    "without",
];

/// One package.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) name: String,
    /// Exactly this one.
    pub(super) version: String,
    pub(super) features: Vec<String>,
    pub(super) default_features: bool,
    /// Few dependencies and quick tests: one of those that run with every change.
    pub(super) ci: bool,
    /// It publishes tests that can be built here.
    pub(super) own: bool,
    /// It publishes none, or few: ecosystem/drivers has a file of its name.
    pub(super) driver: bool,
    /// What the tests use stands on the package, and gets the copy that is tested.
    pub(super) itself: bool,
    /// What the tests use beside what the manifest says, or in place of it.
    pub(super) dependencies: Table,
    /// Dependencies of the tests that are left out, because they cannot be had.
    pub(super) without: Vec<String>,
    /// The test files that are built; all, if there are none here. `src` is the library's own.
    pub(super) targets: Vec<String>,
    /// The script under ecosystem/servers that must run beside the tests.
    pub(super) server: Option<String>,
    pub(super) env: Vec<(String, String)>,
    /// For each test.
    pub(super) limit: Duration,
    /// Tests that are not run, by `target::test` or by how their names start with a `*` after it, and
    /// why.
    pub(super) excepted: BTreeMap<String, String>,
}

impl Package {
    pub(super) fn is_excepted(&self, test: &str) -> bool {
        self.excepted.keys().any(|name| match name.strip_suffix('*') {
            Some(start) => test.starts_with(start),
            None => test == name,
        })
    }
}

pub(super) fn load(root: &Path) -> Result<Vec<Package>, String> {
    let text = std::fs::read_to_string(root.join(FILE)).map_err(|e| format!("{FILE}: {e}"))?;
    parse(&text).map_err(|e| format!("{FILE}: {e}"))
}

pub(super) fn parse(text: &str) -> Result<Vec<Package>, String> {
    let table: Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
    table.into_iter().map(|(name, value)| package(name, &value)).collect()
}

fn package(name: String, value: &Value) -> Result<Package, String> {
    let say = |what: &str| format!("[{name}] {what}");
    let table = value.as_table().ok_or_else(|| say("is no table"))?;
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(say(&format!("`{key}` is not known; known are {}", KEYS.join(", "))));
    }
    let version = table.get("version").and_then(Value::as_str);
    let flag = |key: &str, or| table.get(key).map_or(Some(or), Value::as_bool);
    let flag = |key: &str, or| flag(key, or).ok_or_else(|| say(&format!("`{key}`: true or false")));
    let limit = table.get("limit-s").map_or(Some(LIMIT_S), Value::as_integer);
    let limit = limit.and_then(|s| u64::try_from(s).ok()).ok_or_else(|| say("`limit-s`"))?;
    let excepted: BTreeMap<String, String> = pairs(table, "excepted").into_iter().collect();
    if let Some((test, _)) = excepted.iter().find(|(_, why)| why.len() < REASON_MIN) {
        return Err(say(&format!("the exception `{test}` needs a reason")));
    }
    let driver = flag("driver", false)?;
    Ok(Package {
        version: version.ok_or_else(|| say("has no version"))?.to_string(),
        features: strings(table, "features"),
        default_features: flag("default-features", true)?,
        ci: flag("ci", false)?,
        own: flag("own", !driver)?,
        driver,
        itself: flag("itself", false)?,
        dependencies: table
            .get("dependencies")
            .and_then(Value::as_table)
            .cloned()
            .unwrap_or_default(),
        without: strings(table, "without"),
        targets: strings(table, "tests"),
        server: table.get("server").and_then(Value::as_str).map(String::from),
        env: pairs(table, "env"),
        limit: Duration::from_secs(limit),
        excepted,
        name,
    })
}

fn strings(table: &Table, key: &str) -> Vec<String> {
    let list = table.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|one| one.as_str().map(String::from)).collect()
}

fn pairs(table: &Table, key: &str) -> Vec<(String, String)> {
    let pairs = table.get(key).and_then(Value::as_table).into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.into()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said() {
        let packages = parse("[a]\nversion = \"1.0.0\"\n").unwrap();
        let [package] = &packages[..] else { panic!("{packages:?}") };
        assert!(package.default_features && package.own);
        assert!(!package.ci && !package.driver && !package.itself);
        assert_eq!(package.limit, Duration::from_secs(60));
    }

    #[test]
    fn exceptions_by_name_and_by_start() {
        let text = "[a]\nversion = \"1\"\n[a.excepted]\n\"src::a\" = \"asks the internet for names\"\n\
                    \"src::b::*\" = \"reads files that are not published\"\n";
        let package = parse(text).unwrap().remove(0);
        let excepted =
            ["src::a", "src::a2", "src::b::c", "src::b"].map(|name| package.is_excepted(name));
        assert_eq!(excepted, [true, false, true, false]);
    }

    #[test]
    fn what_is_wrong() {
        assert!(parse("[a]\n").is_err());
        assert!(parse("[a]\nversion = \"1\"\nversoin = \"1\"\n").is_err());
        assert!(parse("[a]\nversion = \"1\"\nci = 1\n").is_err());
        assert!(parse("[a]\nversion = \"1\"\nexcepted = { \"src::b\" = \"slow\" }\n").is_err());
    }
}
