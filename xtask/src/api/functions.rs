//! The functions that a crate's users can call, and where in the source each stands.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::docs::{Docs, Item, inner, is_hidden, list};
use super::walk::{Place, Walk};

/// A public function, a method, or a method that a trait provides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// The shortest of its public paths.
    pub(crate) path: String,
    /// As rustdoc wrote it: from the folder where it ran.
    pub(crate) file: String,
    /// From the line of its head to that of its last brace.
    pub(crate) lines: (u64, u64),
}

/// Those of `shinkan`, in the order of their paths. Compiles its documentation.
pub(crate) fn of_shinkan(root: &Path) -> Result<Vec<Function>, String> {
    read(&super::ours(root)?, "shinkan")
}

/// Those of crate `name`.
pub(super) fn read(docs: &Docs, name: &str) -> Result<Vec<Function>, String> {
    let mut found = Found { docs, by_source: BTreeMap::new() };
    for ((path, kind), place) in &Walk::new(docs, name)?.places {
        if let Place::Item(item) = place {
            found.item(path, kind, item);
        }
    }
    let mut all: Vec<Function> = found.by_source.into_values().collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

/// By file, line and column: a function with several public paths is one.
struct Found<'a> {
    docs: &'a Docs,
    by_source: BTreeMap<(String, u64, u64), Function>,
}

impl Found<'_> {
    fn item(&mut self, path: &str, kind: &str, item: &Item) {
        let json = self.docs.item(item);
        let (_, shape) = inner(json);
        match kind {
            "fn" => self.put(path.to_string(), json),
            "trait" => {
                let is_provided = |json: &Value| inner(json).1["has_body"] == true;
                self.members(path, item.krate, &shape["items"], is_provided);
            }
            _ => {
                for block in list(&shape["impls"]) {
                    let Some(block) = self.docs.own(item.krate, block) else { continue };
                    let (_, shape) = inner(self.docs.item(&block));
                    self.block(path, block.krate, shape);
                }
            }
        }
    }

    /// What a type has of itself, or as some trait's type.
    fn block(&mut self, path: &str, krate: usize, shape: &Value) {
        if shape["is_synthetic"] == true || !shape["blanket_impl"].is_null() {
            return;
        }
        if shape["trait"].is_null() {
            self.members(path, krate, &shape["items"], |json| json["visibility"] == "public");
        }
    }

    fn members(
        &mut self,
        path: &str,
        krate: usize,
        ids: &Value,
        is_callable: impl Fn(&Value) -> bool,
    ) {
        for id in list(ids) {
            let Some(member) = self.docs.own(krate, id) else { continue };
            let json = self.docs.item(&member);
            if inner(json).0 == "function" && is_callable(json) && !is_hidden(json) {
                self.put(format!("{path}::{}", json["name"].as_str().unwrap_or_default()), json);
            }
        }
    }

    fn put(&mut self, path: String, json: &Value) {
        let span = &json["span"];
        let at = |end: &str, part: usize| span[end][part].as_u64().unwrap_or_default();
        let file = span["filename"].as_str().unwrap_or_default().to_string();
        let lines = (at("begin", 0), at("end", 0));
        let key = (file.clone(), lines.0, at("begin", 1));
        let rank = |path: &str| (path.matches("::").count(), path.to_string());
        let function = Function { path, file, lines };
        match self.by_source.get_mut(&key) {
            Some(known) if rank(&known.path) <= rank(&function.path) => {}
            Some(known) => *known = function,
            None => drop(self.by_source.insert(key, function)),
        }
    }
}
