//! `cargo xtask tidy`: rules that a compiler does not know, held against the tree.
//!
//! A check is a function from the tree to findings and touches nothing else, so that its test can
//! feed it a small tree with a planted bug. Each has such a test: a checker that cannot fail is
//! a defect itself.

mod canaries;
mod cfgs;
mod dependencies;
mod kernel;
mod layers;
mod names;
mod one_runtime;
mod size;
mod tree;
mod unsafety;
mod words;

use std::path::Path;

use tree::Tree;

/// One thing that is wrong, where, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_string(), line, what: what.into() }
    }
}

type Check = fn(&Tree) -> Vec<Finding>;

const CHECKS: [(&str, Check); 11] = [
    ("layers", layers::check),
    ("kernel", kernel::check),
    ("unsafe", unsafety::check),
    ("size", size::check),
    ("cfg", cfgs::check),
    ("canaries", canaries::check),
    ("names", names::check),
    ("words", words::check),
    ("macros", words::check_macros),
    ("dependencies", dependencies::check),
    ("one-runtime", one_runtime::check),
];

/// Runs all checks; true if none has a finding.
pub(crate) fn run(root: &Path) -> Result<bool, String> {
    let tree = Tree::load(root)?;
    let mut count = 0;
    for (name, check) in CHECKS {
        let mut findings = check(&tree);
        findings.sort();
        for Finding { path, line, what } in &findings {
            println!("{path}:{line}: [{name}] {what}");
        }
        count += findings.len();
    }
    println!("tidy: {} files, {} checks, {count} findings", tree.len(), CHECKS.len());
    Ok(count == 0)
}
