//! Sizes: a file without its tests, a function. The exceptions may only shrink.

use std::collections::BTreeMap;

use syn::spanned::Spanned;
use syn::visit::Visit;

use super::Finding;
use super::tree::{Tree, is_test_file, is_test_only};

const EXCEPTIONS: &str = "xtask/exceptions.txt";
/// How many exceptions there are; lower it with the list, never raise it.
const EXCEPTIONS_MAX: usize = 0;
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Something longer than its limit: a file (name empty) or a function in it.
#[derive(Debug)]
struct Long {
    path: String,
    line: usize,
    name: String,
    lines: usize,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, EXCEPTIONS_MAX)
}

fn check_with(tree: &Tree, exceptions_max: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut long = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| !is_test_file(path)) {
        match syn::parse_file(text) {
            Ok(file) => measure(path, text, &file, &mut long),
            Err(error) => findings.push(Finding::new(path, error.span().start().line, "no Rust")),
        }
    }
    let mut exceptions = exceptions(tree.text(EXCEPTIONS).unwrap_or_default(), &mut findings);
    if exceptions.len() > exceptions_max {
        let what = format!("{} exceptions; there were {exceptions_max}", exceptions.len());
        findings.push(Finding::new(EXCEPTIONS, 1, what));
    }
    for Long { path, line, name, lines } in long {
        let max = if name.is_empty() { FILE_LINES_MAX } else { FUNCTION_LINES_MAX };
        let key = if name.is_empty() { path.clone() } else { format!("{path}::{name}") };
        let allowed = exceptions.remove(&key);
        let what = match allowed {
            Some((_, allowed)) if lines == allowed => continue,
            Some((_, allowed)) if lines < allowed => {
                format!("{key}: the exception says {allowed}, it has {lines}; lower it")
            }
            _ => format!("{key} has {lines} lines; the limit is {max}; split it"),
        };
        findings.push(Finding::new(&path, line, what));
    }
    for (key, (line, _)) in exceptions {
        findings.push(Finding::new(EXCEPTIONS, line, format!("`{key}` is not needed; drop it")));
    }
    findings
}

/// The list's lines are `path lines` or `path::function lines`.
fn exceptions(text: &str, findings: &mut Vec<Finding>) -> BTreeMap<String, (usize, usize)> {
    let mut exceptions = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once(' ').map(|(key, lines)| (key, lines.trim().parse())) {
            Some((key, Ok(lines))) => drop(exceptions.insert(key.to_string(), (at + 1, lines))),
            _ => findings.push(Finding::new(EXCEPTIONS, at + 1, "write `path[::function] lines`")),
        }
    }
    exceptions
}

fn measure(path: &str, text: &str, file: &syn::File, long: &mut Vec<Long>) {
    let mut measure = Measure { path, tests: 0, long };
    measure.visit_file(file);
    let lines = text.lines().count() - measure.tests;
    if lines > FILE_LINES_MAX {
        long.push(Long { path: path.to_string(), line: 1, name: String::new(), lines });
    }
}

struct Measure<'a> {
    path: &'a str,
    /// Lines of test modules seen so far.
    tests: usize,
    long: &'a mut Vec<Long>,
}

impl Measure<'_> {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let line = signature.span().start().line;
        let lines = block.span().end().line + 1 - line;
        if lines > FUNCTION_LINES_MAX {
            let name = signature.ident.to_string();
            self.long.push(Long { path: self.path.to_string(), line, name, lines });
        }
    }
}

impl Visit<'_> for Measure<'_> {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if is_test_only(&item.attrs) {
            let span = item.span();
            self.tests += span.end().line + 1 - span.start().line;
        } else {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        self.function(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("/// Why.\nfn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    }

    fn whats(files: &[(&str, &str)], exceptions_max: usize) -> Vec<String> {
        check_with(&Tree::of(files), exceptions_max).into_iter().map(|f| f.what).collect()
    }

    #[test]
    fn sizes_at_the_limit() {
        let fits = function(70) + &"// x\n".repeat(500 - 71);
        let tests = format!("{fits}#[cfg(test)]\nmod tests {{\n{}}}\n", function(100));
        assert_eq!(whats(&[("a.rs", &fits), ("b.rs", &tests)], 0), [""; 0]);
    }

    #[test]
    fn a_function_of_one_line_too_many() {
        let what = "a.rs::f has 71 lines; the limit is 70; split it";
        assert_eq!(whats(&[("a.rs", &function(71))], 0), [what]);
        let inside = format!("impl X {{ {} }}", function(71));
        assert_eq!(whats(&[("a.rs", &inside)], 0), [what]);
    }

    #[test]
    fn a_file_of_one_line_too_many() {
        let what = "a.rs has 501 lines; the limit is 500; split it";
        assert_eq!(whats(&[("a.rs", &"// x\n".repeat(501))], 0), [what]);
    }

    #[test]
    fn exceptions_only_shrink() {
        let long = function(80);
        let with = |list| whats(&[("a.rs", &long), (EXCEPTIONS, list)], 1);
        assert_eq!(with("# why\na.rs::f 80\n"), [""; 0]);
        assert_eq!(with("a.rs::f 90\n"), ["a.rs::f: the exception says 90, it has 80; lower it"]);
        assert_eq!(with("a.rs::f 75\n"), ["a.rs::f has 80 lines; the limit is 70; split it"]);
        assert_eq!(with("a.rs::f 80\nb.rs 600\n").len(), 2, "one too many, and not needed");
        assert_eq!(with("a.rs::f\n").len(), 2, "malformed, and so not excepted");
    }
}
