//! No program or test of the workspace has Tokio's own runtime in it: `tokio` is always ours. The
//! workspaces that compare the two stand apart and are not looked at.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(graph) = &tree.graph else { return Vec::new() };
    let published =
        graph.packages.iter().filter(|package| package.name == "tokio" && package.is_published());
    published
        .map(|package| {
            let way: Vec<&str> = graph.way(&package.id).iter().map(|one| &*one.name).collect();
            let what = format!("{}: the registry's; see `cargo xtask doctor`", way.join(" > "));
            Finding::new("Cargo.toml", 1, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Graph;
    use serde_json::json;

    fn whats(source: Option<&str>) -> Vec<String> {
        let package = |name: &str, source: Option<&str>| {
            json!({
                "id": name, "name": name, "version": "1.54.1", "source": source,
                "features": {}, "dependencies": [],
            })
        };
        let metadata = json!({
            "packages": [package("fetch", None), package("hyper", None), package("tokio", source)],
            "workspace_members": ["fetch"],
            "workspace_root": "/",
            "resolve": { "nodes": [
                { "id": "fetch", "dependencies": ["hyper"] },
                { "id": "hyper", "dependencies": ["tokio"] },
            ]},
        });
        let mut tree = Tree::of(&[]);
        tree.graph = Some(Graph::of(&metadata, "").unwrap());
        check(&tree).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn ours_by_path() {
        assert_eq!(whats(None), [""; 0]);
    }

    #[test]
    fn the_registrys() {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        assert_eq!(
            whats(Some(source)),
            ["fetch > hyper > tokio: the registry's; see `cargo xtask doctor`"]
        );
    }
}
