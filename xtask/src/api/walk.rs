//! From a crate's root to every path under which something is public. Follows re-exports into
//! other crates.

use std::collections::{BTreeMap, BTreeSet};

use super::docs::{Docs, Item, Paths, Target, inner, is_hidden, list};

/// What stands at a public path.
pub(super) enum Place {
    Item(Item),
    /// Defined in a crate that is not loaded: its kind.
    Elsewhere(String),
}

/// All public places of a crate.
pub(super) struct Walk<'a> {
    docs: &'a Docs,
    /// By path and kind: a macro and a module may have one name.
    pub(super) places: BTreeMap<(String, String), Place>,
    pub(super) paths: Paths,
    seen: BTreeSet<(Item, String)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(docs: &'a Docs, name: &str) -> Result<Self, String> {
        let root = docs.root(name)?;
        let mut walk =
            Self { docs, places: BTreeMap::new(), paths: Paths::new(), seen: BTreeSet::new() };
        walk.put(root, "crate");
        Ok(walk)
    }

    fn put(&mut self, item: Item, path: &str) {
        if !self.seen.insert((item.clone(), path.to_string())) {
            return;
        }
        let json = self.docs.item(&item);
        let (kind, _) = inner(json);
        self.paths.entry(item.clone()).or_default().push(path.to_string());
        self.places.insert((path.to_string(), word(kind).to_string()), Place::Item(item.clone()));
        if kind == "module" {
            self.children(&item, path);
        }
    }

    fn children(&mut self, module: &Item, path: &str) {
        let (_, module_inner) = inner(self.docs.item(module));
        for id in list(&module_inner["items"]) {
            if let Some(child) = self.docs.own(module.krate, id) {
                self.place(child, path);
            }
        }
    }

    /// Puts an item, or what a re-export means, under a module.
    fn place(&mut self, item: Item, module: &str) {
        let json = self.docs.item(&item);
        if is_hidden(json) {
            return;
        }
        let (kind, reexport) = inner(json);
        if kind != "use" {
            if let Some(name) = json["name"].as_str() {
                self.put(item, &format!("{module}::{name}"));
            }
            return;
        }
        let name = reexport["name"].as_str().unwrap_or_default();
        let target = self.docs.follow(item.krate, &reexport["id"]);
        match (target, reexport["is_glob"] == true) {
            (Some(Target::Here(target)), true) => self.children(&target, module),
            (Some(Target::Here(target)), false) => self.put(target, &format!("{module}::{name}")),
            (Some(Target::Elsewhere(_, kind)), false) => {
                let kind = word(&kind).to_string();
                let key = (format!("{module}::{name}"), kind.clone());
                self.places.insert(key, Place::Elsewhere(kind));
            }
            (Some(Target::Elsewhere(..)), true) | (None, _) => {}
        }
    }
}

/// The word for a kind: what is called like a macro is a macro to its user.
fn word(kind: &str) -> &str {
    match kind {
        "module" => "mod",
        "function" => "fn",
        "proc_macro" | "proc_attribute" | "proc_derive" => "macro",
        "constant" => "const",
        kind => kind,
    }
}
