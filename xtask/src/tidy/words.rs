//! What must not be in the tree at all: work left for later, tests that do not run, traces of one
//! machine, macros that define public items.

use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

use super::Finding;
use super::tree::{Tree, each_token, is_ident, is_sign};

/// Spelled apart, so that this file does not find itself.
const TRACES: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/tm", "p/h/"),
    concat!("../sha", "red"),
    concat!("/ro", "ot/"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.all().filter(|(path, _)| *path != "Cargo.lock") {
        for (at, line) in text.lines().enumerate() {
            for trace in TRACES.iter().filter(|trace| line.contains(*trace)) {
                let what = format!("`{trace}` is a place on one machine; say it without");
                findings.push(Finding::new(path, at + 1, what));
            }
        }
    }
    for (path, text) in tree.rust() {
        unfinished(path, text, &mut findings);
    }
    findings
}

fn unfinished(path: &str, text: &str, findings: &mut Vec<Finding>) {
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let fence = doc.and_then(|doc| doc.trim_start().strip_prefix("```"));
        if fence.is_some_and(|marks| marks.split(',').any(|mark| mark.trim() == "ignore")) {
            findings.push(Finding::new(path, at + 1, "an example that is never compiled"));
        }
    }
    let Ok(tokens) = TokenStream::from_str(text) else { return };
    each_token(tokens, &mut |token: &TokenTree, next| {
        let left = is_ident(token, "todo") || is_ident(token, "unimplemented");
        if left && is_sign(next, '!') {
            let what = format!("`{token}!` is work left for later; do it or leave it out");
            findings.push(Finding::new(path, token.span().start().line, what));
        }
        if let (true, Some(TokenTree::Group(group))) = (is_sign(Some(token), '#'), next) {
            let first = group.stream().into_iter().next();
            if first.is_some_and(|first| is_ident(&first, "ignore")) {
                let what = "a test that does not run; mend it or drop it";
                findings.push(Finding::new(path, token.span().start().line, what));
            }
        }
    });
}

/// No macro of a crate defines public items: readers and tools find items by reading them.
pub(super) fn check_macros(tree: &Tree) -> Vec<Finding> {
    const ITEMS: [&str; 11] = [
        "fn", "struct", "enum", "union", "trait", "mod", "use", "const", "static", "type", "async",
    ];
    let mut findings = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| !path.contains("/tests/")) {
        let Ok(file) = syn::parse_file(text) else { continue };
        for item in &file.items {
            let syn::Item::Macro(item) = item else { continue };
            if !item.mac.path.is_ident("macro_rules") {
                continue;
            }
            each_token(item.mac.tokens.clone(), &mut |token: &TokenTree, next| {
                let item = next.is_some_and(|next| ITEMS.iter().any(|kind| is_ident(next, kind)));
                if item && is_ident(token, "pub") {
                    let what = "a macro that defines a public item; write the items out";
                    findings.push(Finding::new(path, token.span().start().line, what));
                }
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(check: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|f| f.line).collect()
    }

    #[test]
    fn work_left_for_later() {
        assert_eq!(lines(check, "a.rs", concat!("fn f() {\n to", "do!() }")), [2]);
        assert_eq!(lines(check, "a.rs", concat!("fn f() {\n g!(unimple", "mented!()) }")), [2]);
        assert_eq!(lines(check, "a.rs", "#[test]\n#[ignore]\nfn f() {}"), [2]);
        assert_eq!(lines(check, "a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"), [2]);
        assert_eq!(lines(check, "a.rs", "/// ```rust,ignore\n/// x\n/// ```\nfn f() {}"), [1]);
        assert_eq!(lines(check, "a.rs", "// todo!\nfn todo() { ignore() }"), [0; 0]);
    }

    #[test]
    fn traces_of_one_machine() {
        for trace in TRACES {
            assert_eq!(lines(check, "a.md", &format!("x\nsee {trace}y")), [2], "{trace}");
        }
        assert_eq!(lines(check, "a.md", "a shared epoll, /workers, and/or work"), [0; 0]);
    }

    #[test]
    fn macros_that_define_public_items() {
        let bad = "macro_rules! m { () => {\n pub fn f() {} } }";
        assert_eq!(lines(check_macros, "a.rs", bad), [2]);
        let fine = "macro_rules! m { ($vis:vis) => { $vis fn f() {} } }\npub fn f() {}";
        assert_eq!(lines(check_macros, "a.rs", fine), [0; 0]);
    }
}
