//! Only sys enters the kernel, starts threads, or reads a clock or the environment: what the
//! runtime takes from outside can then be simulated. Tests, tools and what stands above the API
//! are free.

use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;

use super::Finding;
use super::tree::{Kind, Tree, is_ident, is_sign, is_test_file, is_test_only};

const SYS: &str = "crates/sys/";
const PACKAGES: [&str; 5] = ["libc", "mio", "nix", "rustix", "socket2"];
/// `module::function` in the standard library. Types may be named; the API returns them.
const CALLS: [(&str, &str); 16] = [
    ("thread", "spawn"),
    ("thread", "scope"),
    ("thread", "Builder"),
    ("thread", "sleep"),
    ("thread", "park"),
    ("thread", "park_timeout"),
    ("StdInstant", "now"),
    ("SystemTime", "now"),
    ("env", "var"),
    ("env", "var_os"),
    ("env", "set_var"),
    ("File", "open"),
    ("fs", "OpenOptions"),
    ("fs", "read"),
    ("fs", "metadata"),
    ("process", "Command"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in tree.packages.iter().filter(|package| is_below(&format!("{}/", package.folder)))
    {
        for dependency in package.dependencies.iter().filter(|d| d.kind == Kind::Normal) {
            if PACKAGES.contains(&&*dependency.name) {
                let what = format!("depends on `{}`; only sys may", dependency.name);
                findings.push(Finding::new(&format!("{}/Cargo.toml", package.folder), 1, what));
            }
        }
    }
    for (path, text) in tree.rust() {
        if is_below(path) && !is_test_file(path) && path.contains("/src/") {
            calls(path, text, &mut findings);
        }
    }
    findings
}

fn is_below(path: &str) -> bool {
    // services.rs parks a thread that is in no runtime, for `sync`'s blocking methods, so that
    // `sync` alone compiles no kernel wrappers.
    let apart = [SYS, "crates/context/src/services.rs", "crates/macros/", "crates/base/src/canary"];
    path.starts_with("crates/") && !apart.iter().any(|start| path.starts_with(start))
}

fn calls(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let (Ok(file), Ok(tokens)) = (syn::parse_file(text), TokenStream::from_str(text)) else {
        return;
    };
    let tests: Vec<_> = file.items.iter().filter_map(test_lines).collect();
    pairs(tokens, &mut |first, second, line| {
        // The API has an `Instant` of its own, which reads the runtime's clock.
        let api = path.starts_with("crates/shinkan/") || path.starts_with("crates/compat/");
        let clock = first == "Instant" && second == "now" && !api;
        let called = clock || CALLS.contains(&(first, second));
        if called && !tests.iter().any(|lines| lines.contains(&line)) {
            let what = format!("`{first}::{second}` enters the kernel; go through sys or driver");
            findings.push(Finding::new(path, line, what));
        }
    });
}

fn test_lines(item: &syn::Item) -> Option<std::ops::RangeInclusive<usize>> {
    match item {
        syn::Item::Mod(item) if is_test_only(&item.attrs) => {
            Some(item.span().start().line..=item.span().end().line)
        }
        _ => None,
    }
}

/// Calls `each` with the two names around each `::`, and their line; not for what is a name in sys.
fn pairs(tokens: TokenStream, each: &mut dyn FnMut(&str, &str, usize)) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, window) in tokens.windows(4).enumerate() {
        let [TokenTree::Ident(first), colon, again, TokenTree::Ident(second)] = window else {
            continue;
        };
        let of_sys = at >= 3
            && (is_ident(&tokens[at - 3], "sys") || is_ident(&tokens[at - 3], "shinkan_sys"));
        if is_sign(Some(colon), ':') && is_sign(Some(again), ':') && !of_sys {
            each(&first.to_string(), &second.to_string(), first.span().start().line);
        }
    }
    for token in tokens {
        if let TokenTree::Group(group) = token {
            pairs(group.stream(), each);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|f| f.line).collect()
    }

    #[test]
    fn calls_that_are_for_sys() {
        let bad = "fn f() {\n std::thread::spawn(g) }";
        assert_eq!(lines("crates/rt/src/a.rs", bad), [2]);
        assert_eq!(lines("crates/rt/src/a.rs", "fn f() { (g(Instant::now())) }"), [1]);
        assert_eq!(lines("crates/rt/src/a.rs", "fn f() { fs::read(g) }"), [1]);
        assert_eq!(lines("crates/rt/src/a.rs", "fn f() { shinkan_sys::env::var(g) }"), [0; 0]);
        assert_eq!(lines("crates/sys/src/a.rs", bad), [0; 0]);
        assert_eq!(lines("crates/rt/tests/a.rs", bad), [0; 0]);
        assert_eq!(lines("crates/shinkan/src/time/a.rs", "fn f() { Instant::now() }"), [0; 0]);
        let test = "fn f() {}\n#[cfg(test)]\nmod tests { fn f() { std::thread::spawn(g) } }";
        assert_eq!(lines("crates/rt/src/a.rs", test), [0; 0]);
    }

    #[test]
    fn packages_that_are_for_sys() {
        let with = |folder| check(&Tree::of(&[]).with_package("x", folder, &[("rustix", false)]));
        assert_eq!(with("crates/rt").len(), 1);
        assert_eq!(with("crates/sys"), []);
    }
}
