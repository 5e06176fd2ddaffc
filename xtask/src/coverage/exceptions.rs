//! The public functions that no test calls, each with the reason: `crate::path — why`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// By path, the number of its line.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    lines: BTreeMap<String, usize>,
}

impl Exceptions {
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&fs::read_to_string(path).map_err(|e| format!(": {e}"))?)
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut lines = BTreeMap::new();
        for (at, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once(" — ") {
                Some((path, why)) if why.split_whitespace().count() > 1 => {
                    if lines.insert(path.to_string(), at).is_some() {
                        return Err(format!(", line {at}: `{path}` stands there twice"));
                    }
                }
                _ => return Err(format!(", line {at}: a path, a dash and the reason")),
            }
        }
        Ok(Self { lines })
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.lines.contains_key(path)
    }

    /// The lines that say nothing of what is uncalled now.
    pub(super) fn idle(&self, uncalled: &BTreeSet<&str>) -> Vec<String> {
        let idle = self.lines.iter().filter(|(path, _)| !uncalled.contains(path.as_str()));
        idle.map(|(path, at)| format!("line {at}: `{path}` is called, or is no more")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_reason() {
        let list = Exceptions::parse("# why\n\ncrate::a — ends the process\n").unwrap();
        assert!(list.has("crate::a"));
        assert!(Exceptions::parse("crate::a").is_err());
        assert!(Exceptions::parse("crate::a — x").is_err());
        assert!(Exceptions::parse("crate::a — one two\ncrate::a — one two").is_err());
    }

    #[test]
    fn the_list_in_the_tree_is_well_formed() {
        Exceptions::read(&crate::root().join(super::super::LIST)).unwrap();
    }
}
