//! docs/ecosystem.md, written from the rows and the list.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::figures;
use super::list::Package;
use super::results::{Results, Row};

const DOCUMENT: &str = "docs/ecosystem.md";
/// Has figures between marks.
const FIGURES: &str = "docs/from-tokio.md";

/// One row, for the terminal.
pub(super) fn line(name: &str, row: &Row) -> String {
    format!(
        "{name} {}: {} tests; {} pass on Tokio, {} on shinkan",
        row.version, row.tests, row.tokio, row.shinkan
    )
}

pub(super) fn write(root: &Path, packages: &[Package], results: &Results) -> Result<(), String> {
    for (path, text) in pages(root, packages, results)? {
        crate::write(&root.join(path), &text)?;
    }
    Ok(())
}

/// The pages that do not say what the rows say.
pub(super) fn stale(
    root: &Path,
    packages: &[Package],
    results: &Results,
) -> Result<Vec<&'static str>, String> {
    let pages = pages(root, packages, results)?;
    let differs = |(path, text): &(&str, String)| {
        std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(text)
    };
    Ok(pages.into_iter().filter(differs).map(|(path, _)| path).collect())
}

fn pages(
    root: &Path,
    packages: &[Package],
    results: &Results,
) -> Result<[(&'static str, String); 2], String> {
    let old = std::fs::read_to_string(root.join(FIGURES)).map_err(|e| format!("{FIGURES}: {e}"))?;
    let figures = figures::page(&old, packages, results).map_err(|e| format!("{FIGURES}: {e}"))?;
    Ok([(DOCUMENT, page(packages, results)), (FIGURES, figures)])
}

/// A list of tests of one row, with a sentence about it.
type Section = (&'static str, fn(&Row) -> &[String]);

const SECTIONS: [Section; 5] = [
    ("## Pass on Tokio and not here", |row| &row.worse),
    ("## Fail on both", |row| &row.both),
    ("## Pass at times, on both", |row| &row.flaky),
    ("## Pass here and not on Tokio", |row| &row.better),
    (
        "## Failed once beside others\n\nOn one of the two; they passed on both, three times of \
         three, alone.",
        |row| &row.alone,
    ),
];

fn page(packages: &[Package], results: &Results) -> String {
    let mut text = String::from(
        "# The ecosystem on shinkan\n\n\
         Published packages as cargo downloads them, built and tested twice on Linux: on Tokio \
         1.54.1, and with\n`[patch.crates-io] tokio = { path = \"compat/tokio\" }`. \"Own\" are the \
         tests that a package publishes, in its\nsource and beside it; where it publishes none, or \
         few, a [driver](../ecosystem/drivers) of this project does\nwhat the package is used for. \
         Each test is a process of its own, without a way to the internet. A test that\nfails on \
         Tokio or here runs again alone, up to three times on both.\n\n\
         `cargo xtask ecosystem` measures and writes this page, a row at a time. The commit is the \
         last that changed\nthe runtime.\n\n\
         | package | version | tests | number | pass on Tokio | pass on shinkan | commit | day |\n\
         |---|---|---|---:|---:|---:|---|---|\n",
    );
    let rows: BTreeMap<&str, &Row> = packages
        .iter()
        .filter_map(|package| Some((package.name.as_str(), results.row(&package.name)?)))
        .collect();
    let (mut tests, mut tokio, mut shinkan) = (0, 0, 0);
    for (name, row) in &rows {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            row.version,
            kind(row),
            row.tests,
            row.tokio,
            row.shinkan,
            row.commit,
            row.date
        );
        tests += row.tests;
        tokio += row.tokio;
        shinkan += row.shinkan;
    }
    let _ =
        writeln!(text, "| **{} packages** | | | {tests} | {tokio} | {shinkan} | | |", rows.len());
    for (head, of) in SECTIONS {
        let named: Vec<_> = rows.iter().filter(|(_, row)| !of(row).is_empty()).collect();
        let none = if named.is_empty() { "\n\nNone." } else { "\n" };
        let _ = writeln!(text, "\n{head}{none}");
        for (name, row) in named {
            for test in of(row) {
                let _ = writeln!(text, "- {name}: `{test}`");
            }
        }
    }
    left_out(&mut text, packages, &rows);
    text
}

fn kind(row: &Row) -> &'static str {
    match (row.own, row.driver) {
        (_, false) => "own",
        (true, true) => "own, driver",
        (false, true) => "driver",
    }
}

/// What was not run at all, and why.
fn left_out(text: &mut String, packages: &[Package], rows: &BTreeMap<&str, &Row>) {
    text.push_str("\n## Not run\n");
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for package in packages.iter().filter(|package| rows.contains_key(package.name.as_str())) {
        for (test, why) in &package.excepted {
            reasons.entry((&package.name, why)).or_default().push(test);
        }
    }
    let mut any = false;
    for ((name, why), tests) in &reasons {
        let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
        let _ = writeln!(text, "\n{name}: {why}: {}", tests.join(", "));
        any = true;
    }
    for (name, row) in rows {
        for (target, error) in &row.not_built {
            let _ = writeln!(text, "\n{name}: `{target}` builds on neither: {error}");
            any = true;
        }
    }
    if !any {
        text.push_str("\nNone.\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystem::list;

    #[test]
    fn the_page_names_what_fails() {
        let packages = list::parse(
            "[a]\nversion = \"1.0.0\"\nexcepted = { \"src::t\" = \"asks the internet for names\" }\n\
             [b]\nversion = \"2.0.0\"\n",
        );
        let mut results = Results::default();
        let row = Row {
            version: "1.0.0".into(),
            own: true,
            tests: 5,
            tokio: 4,
            shinkan: 3,
            worse: vec!["src::w".into()],
            both: vec!["src::x".into()],
            ..Row::default()
        };
        results.put("a", row);
        let text = page(&packages.unwrap(), &results);
        assert!(text.contains("| a | 1.0.0 | own | 5 | 4 | 3 |"), "{text}");
        assert!(text.contains("| **1 packages** | | | 5 | 4 | 3 | | |"), "{text}");
        assert!(text.contains("not here\n\n- a: `src::w`\n"), "{text}");
        assert!(text.contains("both\n\n- a: `src::x`\n"), "{text}");
        assert!(text.contains("a: asks the internet for names: `src::t`"), "{text}");
        assert!(text.contains("## Pass at times, on both\n\nNone.\n"), "{text}");
    }
}
