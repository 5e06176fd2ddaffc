//! The files of the repository and Cargo's view of it, read once. Never reads build products.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;

use crate::doctor::Graph;

/// Paths (relative, with `/`) to text, and the workspace's packages by folder.
#[derive(Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
    pub(crate) packages: Vec<Package>,
    /// All that the workspace is built of.
    pub(crate) graph: Option<Graph>,
}

/// One package of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The folder of its manifest, relative to the root.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency as the manifest states it.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// It has a path inside this repository.
    pub(crate) ours: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

impl Tree {
    /// Reads what git tracks or would track, so that build products and editors' files are out.
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        let listed = crate::output(
            Command::new("git")
                .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
                .current_dir(root),
        )?;
        let mut files = BTreeMap::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // A file that was deleted but not yet committed is listed and not there; what is not
            // UTF-8 is no text of ours.
            if let Ok(text) = std::fs::read_to_string(root.join(path)) {
                files.insert(path.to_string(), text);
            }
        }
        let metadata = crate::metadata(root, &["--no-deps", "--offline"])?;
        Ok(Self { files, packages: packages(&metadata), graph: Some(Graph::load(root)?) })
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| (path.to_string(), text.to_string()));
        Self { files: files.collect(), packages: Vec::new(), graph: None }
    }

    #[cfg(test)]
    pub(crate) fn with_package(mut self, name: &str, folder: &str, deps: &[(&str, bool)]) -> Self {
        let dependencies = deps
            .iter()
            .map(|&(name, ours)| Dependency { name: name.into(), kind: Kind::Normal, ours })
            .collect();
        self.packages.push(Package { name: name.into(), folder: folder.into(), dependencies });
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every file, in the order of paths.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every Rust file.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// Whether `path` names a file, or a folder with files in it.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.contains_key(path)
            || self.files.range(format!("{path}/")..).next().is_some_and(|(next, _)| {
                next.starts_with(path) && next[path.len()..].starts_with('/')
            })
    }
}

fn packages(metadata: &Value) -> Vec<Package> {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let empty = Vec::new();
    let list = metadata["packages"].as_array().unwrap_or(&empty);
    list.iter()
        .map(|package| {
            let manifest = package["manifest_path"].as_str().unwrap_or_default();
            let folder = manifest.trim_start_matches(root).trim_end_matches("Cargo.toml");
            let dependencies = package["dependencies"].as_array().unwrap_or(&empty);
            Package {
                name: package["name"].as_str().unwrap_or_default().to_string(),
                folder: folder.trim_matches('/').to_string(),
                dependencies: dependencies.iter().map(dependency).collect(),
            }
        })
        .collect()
}

fn dependency(value: &Value) -> Dependency {
    let kind = match value["kind"].as_str() {
        Some("dev") => Kind::Dev,
        Some("build") => Kind::Build,
        _ => Kind::Normal,
    };
    let name = value["name"].as_str().unwrap_or_default().to_string();
    Dependency { name, kind, ours: value["path"].is_string() }
}

/// Calls `each` with every token, groups opened, and with the one after it in the same group.
pub(crate) fn each_token(
    tokens: TokenStream,
    each: &mut dyn FnMut(&TokenTree, Option<&TokenTree>),
) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        each(&token, tokens.peek());
        if let TokenTree::Group(group) = token {
            each_token(group.stream(), each);
        }
    }
}

/// Whether `token` is the identifier `name`.
pub(crate) fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

/// Whether `token` is the character `sign`.
pub(crate) fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// Whether the attributes hold `#[cfg(test)]` or `#[cfg(all(test, …))]`.
pub(crate) fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|a| a.path().is_ident("cfg")).any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let mut tokens = list.tokens.clone().into_iter();
        match tokens.next() {
            Some(first) if is_ident(&first, "test") => true,
            Some(first) if is_ident(&first, "all") => match tokens.next() {
                Some(TokenTree::Group(inner)) => {
                    inner.stream().into_iter().any(|token| is_ident(&token, "test"))
                }
                _ => false,
            },
            _ => false,
        }
    })
}

/// Whether the whole file is tests: they may be as long as their situations are many.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "benches")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
        || path.starts_with("models/")
}
