//! Every package from outside is argued in one line of docs/dependencies.md, and none is argued
//! that is not used.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::tree::Tree;

const LIST: &str = "docs/dependencies.md";
const REASON_MIN: usize = 20;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(list) = tree.text(LIST) else {
        return vec![Finding::new(LIST, 1, "is missing; argue the dependencies there")];
    };
    let mut findings = Vec::new();
    let mut argued = BTreeMap::new();
    for (at, text) in list.lines().enumerate() {
        let Some(text) = text.strip_prefix("- ") else { continue };
        let (name, why) = text.split_once(" — ").unwrap_or((text, ""));
        if why.trim().len() < REASON_MIN {
            findings.push(Finding::new(LIST, at + 1, "write `- name — why`, with a reason"));
        }
        argued.insert(name.trim().trim_matches('`'), at + 1);
    }
    let mut used = BTreeSet::new();
    for package in &tree.packages {
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.ours) {
            if used.insert(dependency.name.as_str()) && !argued.contains_key(&*dependency.name) {
                let what = format!("`{}` is not argued in {LIST}", dependency.name);
                findings.push(Finding::new(&format!("{}/Cargo.toml", package.folder), 1, what));
            }
        }
    }
    for (name, line) in argued {
        if !used.contains(name) {
            findings.push(Finding::new(LIST, line, format!("`{name}` is not used; drop the line")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(list: &str, deps: &[(&str, bool)]) -> Vec<String> {
        let tree = Tree::of(&[(LIST, list)]).with_package("x", "crates/x", deps);
        check(&tree).into_iter().map(|f| f.what).collect()
    }

    #[test]
    fn argued_and_used() {
        let list = "- `bytes` — the buffer type of the whole ecosystem\n";
        assert_eq!(whats(list, &[("bytes", false), ("x-base", true)]), [""; 0]);
    }

    #[test]
    fn not_argued_not_used_or_no_reason() {
        assert_eq!(
            whats("", &[("bytes", false)]),
            ["`bytes` is not argued in docs/dependencies.md"]
        );
        let list = "- `bytes` — the buffer type of the whole ecosystem\n";
        assert_eq!(whats(list, &[]), ["`bytes` is not used; drop the line"]);
        assert_eq!(whats("- bytes", &[("bytes", false)]), ["write `- name — why`, with a reason"]);
    }
}
