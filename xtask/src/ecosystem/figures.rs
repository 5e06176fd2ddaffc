//! The figures in docs/from-tokio.md: which packages were tried, and how many of their tests pass.

use super::list::Package;
use super::results::{Results, Row};

const BEGIN: &str = "<!-- figures: cargo xtask ecosystem -->\n";
const END: &str = "<!-- end of figures -->\n";
const WIDTH: usize = 110;

/// The page with the figures of these rows between its marks.
pub(super) fn page(old: &str, packages: &[Package], results: &Results) -> Result<String, String> {
    let lost = || format!("the page has no `{}`", BEGIN.trim_end());
    let (before, rest) = old.split_once(BEGIN).ok_or_else(lost)?;
    let (_, after) = rest.split_once(END).ok_or_else(lost)?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", wrapped(&text(packages, results))))
}

fn text(packages: &[Package], results: &Results) -> String {
    let mut rows: Vec<(&str, &Row)> = packages
        .iter()
        .filter_map(|package| Some((package.name.as_str(), results.row(&package.name)?)))
        .collect();
    rows.sort_by_key(|(name, _)| *name);
    let sum = |of: fn(&Row) -> usize| rows.iter().map(|(_, row)| of(row)).sum::<usize>();
    let names: Vec<String> =
        rows.iter().map(|(name, row)| format!("{name} {}", row.version)).collect();
    let worse = match sum(|row| row.worse.len()) {
        0 => "none of them fails on shinkan alone".to_string(),
        1 => "1 of them fails on shinkan alone".to_string(),
        n => format!("{n} of them fail on shinkan alone"),
    };
    format!(
        "{} packages with {} tests: {} pass on Tokio 1.54.1, {} on shinkan; {worse}. They are {}.",
        rows.len(),
        sum(|row| row.tests),
        sum(|row| row.tokio),
        sum(|row| row.shinkan),
        names.join(", "),
    )
}

fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for part in text.split_inclusive(' ') {
        let line = lines.last().map_or(0, String::len);
        if line > 0 && line + part.trim_end().len() > WIDTH {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(part);
        }
    }
    lines.iter().map(|line| line.trim_end().to_string() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystem::list;

    #[test]
    fn the_page_has_the_sums_of_the_rows() {
        let packages = list::parse("[b]\nversion = \"2.0.0\"\n[a]\nversion = \"1.0.0\"\n").unwrap();
        let mut results = Results::default();
        for (name, version) in [("a", "1.0.0"), ("b", "2.0.0")] {
            let row = Row { version: version.into(), tests: 5, tokio: 5, ..Row::default() };
            results.put(name, Row { shinkan: 4, worse: vec!["src::w".into()], ..row });
        }
        let old = format!("x\n{BEGIN}old\n{END}y\n");
        let new = page(&old, &packages, &results).unwrap();
        let figures = "2 packages with 10 tests: 10 pass on Tokio 1.54.1, 8 on shinkan; 2 of them \
                       fail on shinkan alone. They are a 1.0.0, b 2.0.0.";
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(words(&new), words(&format!("x {BEGIN} {figures} {END} y")));
        assert!(page("no marks", &packages, &results).is_err());
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        let text = "word ".repeat(60);
        let lines = wrapped(text.trim_end());
        assert!(lines.lines().all(|line| line.len() <= WIDTH && !line.ends_with(' ')));
        assert_eq!(lines.split_whitespace().count(), 60);
    }
}
