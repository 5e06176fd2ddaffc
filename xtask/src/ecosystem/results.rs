//! ecosystem/results.json: one row a package, with the commit and the day it was measured.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

const FILE: &str = "ecosystem/results.json";

/// What came out for one package. Tests are named `target::test`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) version: String,
    /// The last one that changed the runtime.
    pub(super) commit: String,
    pub(super) date: String,
    pub(super) own: bool,
    pub(super) driver: bool,
    pub(super) tests: usize,
    pub(super) tokio: usize,
    pub(super) shinkan: usize,
    /// Pass on Tokio and not here.
    pub(super) worse: Vec<String>,
    /// Pass here and not on Tokio.
    pub(super) better: Vec<String>,
    /// Fail on both.
    pub(super) both: Vec<String>,
    /// Pass at times on both.
    pub(super) flaky: Vec<String>,
    /// Failed once beside others, and passed three times alone.
    pub(super) alone: Vec<String>,
    /// Test files that build on neither, with the first line of the error.
    pub(super) not_built: BTreeMap<String, String>,
}

/// All rows.
#[derive(Debug, Default)]
pub(super) struct Results(BTreeMap<String, Row>);

impl Results {
    pub(super) fn load(root: &Path) -> Result<Self, String> {
        let path = root.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(path).map_err(|e| format!("{FILE}: {e}"))?;
        Self::parse(&text).map_err(|e| format!("{FILE}: {e}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let rows: Map<String, Value> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let rows = rows.iter().map(|(name, row)| {
            let row = Row::parse(row).ok_or_else(|| format!("the row of `{name}`"))?;
            Ok((name.clone(), row))
        });
        Ok(Self(rows.collect::<Result<_, String>>()?))
    }

    pub(super) fn save(&self, root: &Path) -> Result<(), String> {
        crate::write(&root.join(FILE), &self.render()?)
    }

    fn render(&self) -> Result<String, String> {
        let rows: Map<String, Value> =
            self.0.iter().map(|(name, row)| (name.clone(), row.value())).collect();
        Ok(serde_json::to_string_pretty(&rows).map_err(|e| e.to_string())? + "\n")
    }

    pub(super) fn row(&self, name: &str) -> Option<&Row> {
        self.0.get(name)
    }

    pub(super) fn put(&mut self, name: &str, row: Row) {
        self.0.insert(name.to_string(), row);
    }
}

impl Row {
    fn value(&self) -> Value {
        json!({
            "version": self.version,
            "commit": self.commit,
            "date": self.date,
            "own": self.own,
            "driver": self.driver,
            "tests": self.tests,
            "tokio": self.tokio,
            "shinkan": self.shinkan,
            "worse": self.worse,
            "better": self.better,
            "both": self.both,
            "flaky": self.flaky,
            "alone": self.alone,
            "not_built": self.not_built,
        })
    }

    fn parse(value: &Value) -> Option<Self> {
        let text = |key: &str| value[key].as_str().map(String::from);
        let count = |key: &str| usize::try_from(value[key].as_u64()?).ok();
        let list = |key: &str| -> Option<Vec<String>> {
            value[key].as_array()?.iter().map(|one| Some(one.as_str()?.to_string())).collect()
        };
        let pairs = value["not_built"].as_object()?.iter();
        Some(Self {
            version: text("version")?,
            commit: text("commit")?,
            date: text("date")?,
            own: value["own"].as_bool()?,
            driver: value["driver"].as_bool()?,
            tests: count("tests")?,
            tokio: count("tokio")?,
            shinkan: count("shinkan")?,
            worse: list("worse")?,
            better: list("better")?,
            both: list("both")?,
            flaky: list("flaky")?,
            alone: list("alone")?,
            not_built: pairs
                .map(|(name, error)| Some((name.clone(), error.as_str()?.to_string())))
                .collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_went() {
        let mut results = Results::default();
        let row = Row {
            version: "1.0.0".into(),
            commit: "abc".into(),
            date: "2026-01-02".into(),
            own: true,
            driver: true,
            tests: 3,
            tokio: 2,
            shinkan: 1,
            worse: vec!["src::a".into()],
            not_built: [("b".to_string(), "error".to_string())].into(),
            ..Row::default()
        };
        results.put("a", row.clone());
        let read = Results::parse(&results.render().unwrap()).unwrap();
        assert_eq!(read.row("a"), Some(&row));
        assert!(Results::parse("{\"a\": {}}").is_err());
    }
}
