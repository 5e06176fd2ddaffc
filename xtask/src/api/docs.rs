//! rustdoc's JSON of several crates, and the way from an id in one to its definition in another.
//! The only file that knows how the JSON of a crate is laid out; `render` knows types.
//!
//! Read as plain values, not through types of one version of the format: a newer toolchain may
//! add fields, and only what is used here has to stay.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// The crates of one side.
#[derive(Default)]
pub(super) struct Docs {
    crates: Vec<Crate>,
    by_name: HashMap<String, usize>,
}

struct Crate {
    index: Value,
    paths: Value,
    root: String,
    /// What is defined here, by path and kind.
    defined: HashMap<(String, String), String>,
}

/// An item: a crate, and its id there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) krate: usize,
    pub(super) id: String,
}

/// What an id means.
pub(super) enum Target {
    /// An item of a crate that is loaded.
    Here(Item),
    /// The path and kind of another crate's.
    Elsewhere(String, String),
}

impl Docs {
    /// Loads each `NAME.json` of the folder that `names` has.
    pub(super) fn load(folder: &Path, names: &[&str]) -> Result<Self, String> {
        let mut docs = Self::default();
        for name in names {
            let path = folder.join(format!("{name}.json"));
            let say = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
            let text = fs::read_to_string(&path).map_err(|e| say(&e))?;
            let doc: Value = serde_json::from_str(&text).map_err(|e| say(&e))?;
            docs.add(name, doc);
        }
        Ok(docs)
    }

    fn add(&mut self, name: &str, mut doc: Value) {
        let (index, paths) = (doc["index"].take(), doc["paths"].take());
        let mut defined = HashMap::new();
        for (id, path) in paths.as_object().into_iter().flatten() {
            if path["crate_id"] == 0 {
                let kind = path["kind"].as_str().unwrap_or_default().to_string();
                defined.insert((joined(&path["path"]), kind), id.clone());
            }
        }
        self.by_name.insert(name.to_string(), self.crates.len());
        self.crates.push(Crate { index, paths, root: id_text(&doc["root"]), defined });
    }

    pub(super) fn root(&self, name: &str) -> Result<Item, String> {
        let krate = *self.by_name.get(name).ok_or_else(|| format!("no crate `{name}`"))?;
        Ok(Item { krate, id: self.crates[krate].root.clone() })
    }

    /// The item's JSON; null, if there is none.
    pub(super) fn item(&self, item: &Item) -> &Value {
        &self.crates[item.krate].index[&item.id]
    }

    /// The item with an id that stands in crate `krate`, if it is that crate's own.
    pub(super) fn own(&self, krate: usize, id: &Value) -> Option<Item> {
        let item = Item { krate, id: id_text(id) };
        (self.item(&item)["crate_id"] == 0).then_some(item)
    }

    /// Follows an id that stands in crate `krate`.
    pub(super) fn follow(&self, krate: usize, id: &Value) -> Option<Target> {
        if let Some(item) = self.own(krate, id) {
            return Some(Target::Here(item));
        }
        let entry = &self.crates[krate].paths[&id_text(id)];
        let path = joined(&entry["path"]);
        if path.is_empty() {
            return None;
        }
        let kind = entry["kind"].as_str().unwrap_or_default().to_string();
        let name = path.split("::").next().unwrap_or_default();
        if let Some(&krate) = self.by_name.get(name) {
            let there = &self.crates[krate];
            if path == name {
                return Some(Target::Here(Item { krate, id: there.root.clone() }));
            }
            if let Some(id) = there.defined.get(&(path.clone(), kind.clone())) {
                let item = Item { krate, id: id.clone() };
                if !self.item(&item).is_null() {
                    return Some(Target::Here(item));
                }
            }
        }
        Some(Target::Elsewhere(path, kind))
    }
}

/// The one key of `inner`, and what it holds.
pub(super) fn inner(item: &Value) -> (&str, &Value) {
    let inner = item["inner"].as_object().and_then(|inner| inner.iter().next());
    inner.map_or(("", &Value::Null), |(kind, value)| (kind.as_str(), value))
}

/// The elements of an array; of anything else, none.
pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Whether the documentation leaves an item out.
pub(super) fn is_hidden(item: &Value) -> bool {
    list(&item["attrs"]).any(|attr| {
        let text = attr.to_string();
        text.contains("doc(hidden)") || text.contains("hidden: Some")
    })
}

fn joined(path: &Value) -> String {
    list(path).filter_map(Value::as_str).collect::<Vec<_>>().join("::")
}

fn id_text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), String::from)
}

/// Public paths by item.
pub(super) type Paths = BTreeMap<Item, Vec<String>>;
