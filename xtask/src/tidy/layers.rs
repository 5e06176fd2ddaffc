//! The crate graph: the table of ARCHITECTURE.md is Cargo's, and no arrow points upwards.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::{Kind, Package, Tree};

const MAP: &str = "ARCHITECTURE.md";

/// A row of the map's table: `| L1 | `wheel` | base | what it is |`.
#[derive(Debug)]
struct Row {
    line: usize,
    layer: u32,
    /// The folder's last name, which is the crate's short name too.
    name: String,
    uses: BTreeSet<String>,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.text(MAP) else {
        return vec![Finding::new(MAP, 1, "is missing; the map of the crates belongs there")];
    };
    let rows = rows(map);
    let mut findings = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if !tree.packages.iter().any(|package| short(package) == row.name) {
            let what = format!("no package `{}` in the workspace; drop the row", row.name);
            findings.push(Finding::new(MAP, row.line, what));
        }
        arrows(&rows[..at], row, &mut findings);
    }
    for package in tree.packages.iter().filter(|package| is_layered(package)) {
        match rows.iter().find(|row| row.name == short(package)) {
            Some(row) => agree(tree, package, row, &mut findings),
            None => {
                let what = format!("no row for `{}`; say its layer and uses", short(package));
                findings.push(Finding::new(MAP, 1, what));
            }
        }
    }
    findings
}

/// What a row names must stand above it, and not in a higher layer.
fn arrows(above: &[Row], row: &Row, findings: &mut Vec<Finding>) {
    for name in &row.uses {
        let fine = above.iter().any(|other| other.name == *name && other.layer <= row.layer);
        if !fine {
            let what = format!("`{}` may not use `{name}`: it is not below", row.name);
            findings.push(Finding::new(MAP, row.line, what));
        }
    }
}

/// The row and the manifest name the same crates.
fn agree(tree: &Tree, package: &Package, row: &Row, findings: &mut Vec<Finding>) {
    let manifest = format!("{}/Cargo.toml", package.folder);
    let actual: BTreeSet<String> = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.ours && dependency.kind != Kind::Dev)
        .filter_map(|dependency| tree.packages.iter().find(|p| p.name == dependency.name))
        .map(|package| short(package).to_string())
        .collect();
    for name in actual.difference(&row.uses) {
        let what = format!("uses `{name}`, which {MAP}:{} does not allow", row.line);
        findings.push(Finding::new(&manifest, 1, what));
    }
    for name in row.uses.difference(&actual) {
        let what = format!("`{}` does not use `{name}` (Cargo.toml); drop it", row.name);
        findings.push(Finding::new(MAP, row.line, what));
    }
}

fn is_layered(package: &Package) -> bool {
    package.folder.starts_with("crates/") || package.folder.starts_with("compat/")
}

fn short(package: &Package) -> &str {
    package.folder.rsplit('/').next().unwrap_or_default()
}

fn rows(map: &str) -> Vec<Row> {
    let lines = map.lines().enumerate().map(|(at, line)| (at + 1, line));
    lines.filter_map(|(line, text)| row(line, text)).collect()
}

fn row(line: usize, text: &str) -> Option<Row> {
    let mut cells = text.strip_prefix('|')?.split('|').map(str::trim);
    let layer = cells.next()?.strip_prefix('L')?.parse().ok()?;
    let name = cells.next()?.trim_matches('`').to_string();
    let uses = cells.next()?.split_whitespace().map(|name| name.trim_matches('`').to_string());
    Some(Row { line, layer, name, uses: uses.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "| layer | crate | uses | is |\n|---|---|---|---|\n\
        | L0 | `base` | | ground |\n| L1 | `wheel` | base | timers |\n";

    fn tree(map: &str, wheel: &[(&str, bool)]) -> Tree {
        Tree::of(&[(MAP, map)]).with_package("x-base", "crates/base", &[]).with_package(
            "x-wheel",
            "crates/wheel",
            wheel,
        )
    }

    fn found(tree: &Tree, part: &str) {
        let findings = check(tree);
        assert!(findings.iter().any(|f| f.what.contains(part)), "{part}: {findings:?}");
    }

    #[test]
    fn agreement_has_no_finding() {
        assert_eq!(check(&tree(GOOD, &[("x-base", true), ("bytes", false)])), []);
    }

    #[test]
    fn an_arrow_that_points_upwards() {
        let map = GOOD.replace("`base` | |", "`base` | wheel |");
        let tree = Tree::of(&[(MAP, &map)])
            .with_package("x-base", "crates/base", &[("x-wheel", true)])
            .with_package("x-wheel", "crates/wheel", &[("x-base", true)]);
        found(&tree, "`base` may not use `wheel`");
    }

    #[test]
    fn a_dependency_that_the_map_does_not_have() {
        let map = GOOD.replace("`wheel` | base", "`wheel` | ");
        found(&tree(&map, &[("x-base", true)]), "uses `base`, which");
    }

    #[test]
    fn a_dependency_that_only_the_map_has() {
        found(&tree(GOOD, &[]), "does not use `base`");
    }

    #[test]
    fn a_row_or_a_crate_without_the_other() {
        let map = format!("{GOOD}| L1 | `probe` | base | gone |\n");
        found(&tree(&map, &[("x-base", true)]), "no package `probe`");
        let map = GOOD.replace("| L1 | `wheel` | base | timers |\n", "");
        found(&tree(&map, &[("x-base", true)]), "no row for `wheel`");
        found(&Tree::of(&[]), "is missing");
    }
}
