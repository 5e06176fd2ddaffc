//! `cfg` makes several programs of one, of which only one is tested at a time: it stands on `mod`
//! and `use` lines of a crate's root and in base's switch to the model checker, and is counted.

use proc_macro2::{Span, TokenTree};
use syn::visit::Visit;

use super::Finding;
use super::tree::{Tree, each_token, is_ident, is_test_file, is_test_only};

const LINES_MAX: usize = 60;
/// The switch to the model checker and to the planted bugs.
const SWITCHES: [&str; 2] = ["crates/base/src/atomics", "crates/base/src/canary"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut count = 0;
    for (path, text) in tree.rust().filter(|(path, _)| is_counted(path)) {
        let Ok(file) = syn::parse_file(text) else { continue };
        let mut cfgs =
            Cfgs { root: path.ends_with("/src/lib.rs"), lines: 0, elsewhere: Vec::new() };
        cfgs.visit_file(&file);
        count += cfgs.lines + cfgs.elsewhere.len();
        if SWITCHES.iter().any(|switch| path.starts_with(switch)) {
            continue;
        }
        for span in cfgs.elsewhere {
            let what = "cfg belongs on a mod or use line of lib.rs; make it a module";
            findings.push(Finding::new(path, span.start().line, what));
        }
    }
    if count > LINES_MAX {
        let what = format!("{count} cfg lines in the crates; the budget is {LINES_MAX}");
        findings.push(Finding::new("crates", 1, what));
    }
    findings
}

fn is_counted(path: &str) -> bool {
    path.starts_with("crates/") && path.contains("/src/") && !is_test_file(path)
}

struct Cfgs {
    /// This file is the root of its crate.
    root: bool,
    lines: usize,
    elsewhere: Vec<Span>,
}

impl Cfgs {
    /// Attributes of something that may carry a cfg if it stands in the root.
    fn allowed(&mut self, attributes: &[syn::Attribute]) {
        for attribute in attributes.iter().filter(|attribute| is_cfg(attribute)) {
            if self.root {
                self.lines += 1;
            } else {
                self.elsewhere.push(attribute.pound_token.spans[0]);
            }
        }
    }
}

fn is_cfg(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

impl Visit<'_> for Cfgs {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if is_test_only(&item.attrs) {
            return;
        }
        self.allowed(&item.attrs);
        for item in item.content.iter().flat_map(|(_, items)| items) {
            self.visit_item(item);
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.allowed(&item.attrs);
    }

    fn visit_item_macro(&mut self, item: &syn::ItemMacro) {
        if item.mac.path.is_ident("compile_error") {
            self.allowed(&item.attrs);
        } else {
            syn::visit::visit_item_macro(self, item);
        }
    }

    fn visit_attribute(&mut self, attribute: &syn::Attribute) {
        if is_cfg(attribute) {
            self.elsewhere.push(attribute.pound_token.spans[0]);
        }
    }

    fn visit_macro(&mut self, invocation: &syn::Macro) {
        if invocation.path.is_ident("cfg") {
            self.elsewhere.push(invocation.bang_token.spans[0]);
        }
        each_token(invocation.tokens.clone(), &mut |token: &TokenTree, next| {
            let called = matches!(next, Some(TokenTree::Group(_) | TokenTree::Punct(_)));
            if called && (is_ident(token, "cfg") || is_ident(token, "cfg_attr")) {
                self.elsewhere.push(token.span());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|f| f.line).collect()
    }

    const ROOT: &str = "crates/x/src/lib.rs";

    #[test]
    fn allowed_places() {
        let text = "#[cfg(a)]\nmod a;\n#[cfg(b)]\npub use b::c;\n#[cfg(not(linux))]\n\
            compile_error!(\"no\");\n#[cfg(test)]\nmod tests { #[cfg(x)] fn f() {} }\n";
        assert_eq!(lines(ROOT, text), [0; 0]);
        assert_eq!(lines("crates/base/src/canary_on.rs", "#[cfg(a)] fn f() {}"), [0; 0]);
        let tests = "fn f() {}\n#[cfg(all(test, not(loom)))]\nmod tests {}\n";
        assert_eq!(lines("crates/x/src/a.rs", tests), [0; 0]);
        assert_eq!(lines("crates/x/src/a/tests.rs", "#[cfg(a)] fn f() {}"), [0; 0]);
    }

    #[test]
    fn forbidden_places() {
        assert_eq!(lines(ROOT, "\n#[cfg(a)]\nfn f() {}"), [2]);
        assert_eq!(lines("crates/x/src/a.rs", "#[cfg(a)]\nmod a;"), [1]);
        assert_eq!(lines(ROOT, "fn f() -> bool {\n cfg!(a) }"), [2]);
        assert_eq!(lines(ROOT, "fn f() {\n assert!(cfg!(a)) }"), [2]);
        assert_eq!(lines(ROOT, "struct A {\n #[cfg(a)] b: u8 }"), [2]);
        assert_eq!(lines(ROOT, "macro_rules! m { () => {\n #[cfg(a)] fn f() {} } }"), [2]);
        assert_eq!(lines(ROOT, "#[cfg_attr(a, inline)]\nfn f() {}"), [1]);
    }

    #[test]
    fn over_the_budget() {
        let text = "#[cfg(a)]\nmod a;\n".repeat(61);
        let findings = check(&Tree::of(&[(ROOT, &text)]));
        assert!(findings[0].what.contains("61 cfg lines"), "{findings:?}");
    }
}
