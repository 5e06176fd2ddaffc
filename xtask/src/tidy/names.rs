//! Paths that the documents name exist: what stands in backticks with a `/` in it in the map, and
//! the targets of relative links in every document.

use super::Finding;
use super::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.all().filter(|(path, _)| path.ends_with(".md")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, line) in text.lines().enumerate() {
            let links = links(line).map(|link| join(folder, link));
            let quoted = (path == MAP).then(|| quoted(line)).into_iter().flatten();
            for name in links.chain(quoted.map(str::to_string)) {
                if !tree.has(&name) {
                    let what = format!("`{name}` does not exist; name what does");
                    findings.push(Finding::new(path, at + 1, what));
                }
            }
        }
    }
    findings
}

fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|name| {
        name.contains('/') && !name.contains(|c: char| c.is_whitespace() || "<*(:|".contains(c))
    })
}

fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).filter_map(|(target, _)| {
        let target = target.split('#').next().unwrap_or_default();
        (!target.is_empty() && !target.contains("://")).then_some(target)
    })
}

fn join(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(files: &[(&str, &str)]) -> Vec<usize> {
        check(&Tree::of(files)).into_iter().map(|f| f.line).collect()
    }

    #[test]
    fn names_that_exist() {
        let map = "`crates/a/src/b.rs`, `crates/a/`, `std::x`, `cargo test -p a/b`, `a | b/c`\n\
            [b](crates/a/src/b.rs#head) and [out](https://example.org/x)";
        let files = [(MAP, map), ("crates/a/src/b.rs", ""), ("docs/c.md", "[up](../crates/a)")];
        assert_eq!(lines(&files), [0; 0]);
    }

    #[test]
    fn names_that_do_not() {
        assert_eq!(lines(&[(MAP, "x\n`crates/gone.rs`")]), [2]);
        assert_eq!(lines(&[(MAP, "`crates/a`"), ("crates/ab/c.rs", "")]), [1]);
        assert_eq!(lines(&[("docs/c.md", "[b](b.md)"), ("b.md", "")]), [1]);
    }
}
