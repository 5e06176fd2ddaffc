//! Where `unsafe` may stand: UNSAFE.md against the tree, both ways.

use std::collections::BTreeMap;
use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

use super::Finding;
use super::tree::{Tree, each_token, is_ident, is_test_only};

const LIST: &str = "UNSAFE.md";
/// Crates whose work is unsafe; elsewhere the list names single files.
const WHOLE: [&str; 3] = ["crates/base/", "crates/sys/", "crates/task/"];
const REASON_MIN: usize = 20;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(list) = tree.text(LIST) else {
        return vec![Finding::new(LIST, 1, "is missing; list the files that use unsafe")];
    };
    let mut findings = Vec::new();
    let listed = entries(list, &mut findings);
    let uses: BTreeMap<&str, usize> = tree
        .rust()
        .filter_map(|(path, text)| first_unsafe(text).map(|line| (path, line)))
        .collect();
    for (&path, &line) in &uses {
        if !listed.keys().any(|entry| covers(entry, path)) {
            let what = format!("unsafe in a file that is not in {LIST}; remove it or argue it");
            findings.push(Finding::new(path, line, what));
        }
    }
    for (entry, &line) in &listed {
        if entry.ends_with('/') && !WHOLE.contains(&entry.as_str()) {
            findings.push(Finding::new(
                LIST,
                line,
                format!("`{entry}`: list its files one by one"),
            ));
        }
        if !uses.keys().any(|path| covers(entry, path)) {
            let what = format!("`{entry}` has no unsafe (any more); drop the line");
            findings.push(Finding::new(LIST, line, what));
        }
    }
    roots(tree, &mut findings);
    findings
}

fn covers(entry: &str, path: &str) -> bool {
    if entry.ends_with('/') { path.starts_with(entry) } else { path == entry }
}

/// The list's lines are `- path — why`.
fn entries(list: &str, findings: &mut Vec<Finding>) -> BTreeMap<String, usize> {
    let mut entries = BTreeMap::new();
    for (at, text) in list.lines().enumerate() {
        let Some(text) = text.strip_prefix("- ") else { continue };
        let (path, why) = text.split_once(" — ").unwrap_or((text, ""));
        if why.trim().len() < REASON_MIN {
            findings.push(Finding::new(LIST, at + 1, "write `- path — why`, with a reason"));
        }
        entries.insert(path.trim().trim_matches('`').to_string(), at + 1);
    }
    entries
}

/// The line of the first keyword `unsafe`; names, strings and comments do not count.
fn first_unsafe(text: &str) -> Option<usize> {
    let mut line = None;
    each_token(TokenStream::from_str(text).ok()?, &mut |token: &TokenTree, _| {
        if line.is_none() && is_ident(token, "unsafe") {
            line = Some(token.span().start().line);
        }
    });
    line
}

/// Every other crate denies unsafe code at its root.
fn roots(tree: &Tree, findings: &mut Vec<Finding>) {
    for package in &tree.packages {
        if WHOLE.iter().any(|whole| whole.trim_end_matches('/') == package.folder) {
            continue;
        }
        for name in ["src/lib.rs", "src/main.rs"] {
            let path = format!("{}/{name}", package.folder);
            let Some(text) = tree.text(&path) else { continue };
            if !denies(text) {
                findings.push(Finding::new(&path, 1, "write `#![deny(unsafe_code)]` at its head"));
            }
        }
    }
}

fn denies(text: &str) -> bool {
    let Ok(file) = syn::parse_file(text) else { return false };
    file.attrs.iter().filter(|_| !is_test_only(&file.attrs)).any(|attribute| {
        let level = attribute.path().is_ident("deny") || attribute.path().is_ident("forbid");
        let syn::Meta::List(list) = &attribute.meta else { return false };
        level && list.tokens.clone().into_iter().any(|token| is_ident(&token, "unsafe_code"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: &str = "fn f() { g!(unsafe { h() }) }";
    const FINE: &str = "//! unsafe\n#![deny(unsafe_code)]\nconst WORD: &str = \"unsafe\";";

    fn found(files: &[(&str, &str)], part: &str) {
        let findings = check(&Tree::of(files).with_package("x", "crates/x", &[]));
        assert!(findings.iter().any(|f| f.what.contains(part)), "{part}: {findings:?}");
    }

    #[test]
    fn agreement_has_no_finding() {
        let list = "- crates/base/ — the ground on which all stands\n\
                    - `crates/x/src/slot.rs` — memory that the kernel writes into\n";
        let tree = Tree::of(&[
            (LIST, list),
            ("crates/base/src/a.rs", BAD),
            ("crates/x/src/slot.rs", BAD),
            ("crates/x/src/lib.rs", FINE),
        ]);
        assert_eq!(check(&tree.with_package("x", "crates/x", &[])), []);
    }

    #[test]
    fn unsafe_that_is_not_listed() {
        found(&[(LIST, ""), ("crates/x/src/lib.rs", BAD)], "not in UNSAFE.md");
        found(&[("crates/x/src/lib.rs", BAD)], "is missing");
    }

    #[test]
    fn an_entry_without_unsafe_or_reason() {
        let list = "- crates/x/src/lib.rs — the reason why it must be so\n";
        found(&[(LIST, list), ("crates/x/src/lib.rs", FINE)], "has no unsafe");
        found(&[(LIST, "- crates/x/src/lib.rs"), ("crates/x/src/lib.rs", BAD)], "with a reason");
    }

    #[test]
    fn a_whole_crate_that_may_not_be() {
        let list = "- crates/x/ — the reason why it must be so\n";
        found(&[(LIST, list), ("crates/x/src/a.rs", BAD)], "one by one");
    }

    #[test]
    fn a_root_that_does_not_deny() {
        found(&[(LIST, ""), ("crates/x/src/lib.rs", "//! deny(unsafe_code)")], "at its head");
    }
}
