//! Planted bugs: what the code plants and what models/canaries.txt lists are the same, and each
//! protocol has at least three. Models of one protocol share the first word of their files' names.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

use super::Finding;
use super::tree::{Tree, each_token, is_ident};

const LIST: &str = "models/canaries.txt";
/// An ordering weakened, a re-check removed, a step swapped.
const BUGS_MIN: usize = 3;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut bugs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (at, line) in tree.text(LIST).unwrap_or_default().lines().enumerate() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(file)) = (words.next(), words.next())
            && !name.starts_with('#')
        {
            listed.insert(name, at + 1);
            bugs.entry(protocol(file)).or_default().insert(name);
        }
    }
    let planted = planted(tree);
    for (name, (path, line)) in &planted {
        if !listed.contains_key(&**name) {
            let what = format!("the planted bug `{name}` is not in {LIST}; say who finds it");
            findings.push(Finding::new(path, *line, what));
        }
    }
    for (name, line) in listed {
        if !planted.contains_key(name) {
            findings.push(Finding::new(LIST, line, format!("`{name}` is planted nowhere")));
        }
    }
    for (path, _) in tree.rust() {
        let Some(file) = path.strip_prefix("models/tests/") else { continue };
        let count = bugs.get(protocol(file.trim_end_matches(".rs"))).map_or(0, BTreeSet::len);
        if count < BUGS_MIN && !file.contains('/') {
            let what = format!("its protocol has {count} planted bugs; plant {BUGS_MIN}");
            findings.push(Finding::new(path, 1, what));
        }
    }
    findings
}

fn protocol(file: &str) -> &str {
    file.split('_').next().unwrap_or_default()
}

/// Every `canary("name")` in crates and models, with its first place.
fn planted(tree: &Tree) -> BTreeMap<String, (&str, usize)> {
    let mut planted = BTreeMap::new();
    for (path, text) in tree.rust().filter(|(path, _)| !path.starts_with("xtask/")) {
        let Ok(tokens) = TokenStream::from_str(text) else { continue };
        each_token(tokens, &mut |token: &TokenTree, next| {
            let Some(TokenTree::Group(group)) = next else { return };
            if is_ident(token, "canary")
                && let Ok(name) = syn::parse2::<syn::LitStr>(group.stream())
            {
                planted.entry(name.value()).or_insert((path, token.span().start().line));
            }
        });
    }
    planted
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str =
        "fn f() { if canary(\"a\") {} assert!(!canary(\"b\")); base::canary(\"c\") }";

    fn whats(code: &str, list: &str) -> Vec<String> {
        let files = [("crates/x/src/a.rs", code), ("models/tests/m.rs", ""), (LIST, list)];
        check(&Tree::of(&files)).into_iter().map(|f| f.what).collect()
    }

    #[test]
    fn planted_and_listed() {
        assert_eq!(whats(CODE, "# which\na m t\nb m t\nc m_close u\n"), [""; 0]);
    }

    #[test]
    fn not_listed_not_planted_or_too_few() {
        let what = "the planted bug `c` is not in models/canaries.txt; say who finds it";
        assert_eq!(whats(CODE, "a m t\nb m t\nd m t\n"), [what, "`d` is planted nowhere"]);
        assert_eq!(
            whats("fn f() { canary(\"a\"); }", "a m t"),
            ["its protocol has 1 planted bugs; plant 3"]
        );
    }
}
