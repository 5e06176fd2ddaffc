//! What a crate shows to its users, as facts that can be compared: a key (a public path and what
//! about it) and a text (a signature, a condition, a shape).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::docs::{Docs, Item, inner, is_hidden, list};
use super::render::{Names, Render};
use super::walk::{Place, Walk};

/// The auto traits that a user can rely on.
const AUTO: [&str; 5] = ["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];
/// What a drop does needs no `impl` of its own; the other is the compiler's note to itself.
const NOT_SEEN: [&str; 2] = ["Drop", "TrivialClone"];
/// Of attributes, what a user can see.
const ATTRS: [&str; 2] = ["non_exhaustive", "must_use"];

#[derive(Default)]
pub(super) struct Surface {
    /// Items by name and arity, methods and traits of types among them.
    pub(super) names: BTreeSet<String>,
    /// What is said of each; several texts where several `impl` blocks say it.
    pub(super) facts: BTreeMap<Key, BTreeSet<String>>,
    pub(super) paths: BTreeSet<String>,
}

/// A public path, and what about it.
pub(super) type Key = (String, String);

struct Reader<'a> {
    docs: &'a Docs,
    names: &'a Names,
    out: Surface,
}

/// Reads crate `name`. An item with several public paths is written by one of those that the
/// other side has too.
pub(super) fn read(
    docs: &Docs,
    name: &str,
    other: Option<&BTreeSet<String>>,
) -> Result<Surface, String> {
    let walk = Walk::new(docs, name)?;
    let known = |path: &&String| other.is_none_or(|other| other.contains(*path));
    let rank = |path: &&String| (!known(path), path.matches("::").count(), path.to_string());
    let named = walk
        .paths
        .iter()
        .filter_map(|(item, paths)| Some((item.clone(), paths.iter().min_by_key(rank)?.clone())));
    let names: Names = named.collect();
    let mut reader = Reader { docs, names: &names, out: Surface::default() };
    for ((path, kind), place) in &walk.places {
        if path == "crate" {
            continue;
        }
        reader.out.paths.insert(path.clone());
        match place {
            Place::Elsewhere(kind) => reader.named(path, kind, String::new()),
            Place::Item(item) => reader.item(path, kind, item),
        }
    }
    Ok(reader.out)
}

impl<'a> Reader<'a> {
    fn render(&self, krate: usize) -> Render<'a> {
        Render::new(self.docs, self.names, krate)
    }

    fn fact(&mut self, path: &str, about: &str, text: String) {
        let key = (path.to_string(), about.to_string());
        self.out.facts.entry(key).or_default().insert(text);
    }

    fn named(&mut self, path: &str, kind: &str, text: String) {
        self.out.names.insert(format!("{path} {kind}"));
        self.fact(path, kind, text);
    }

    fn item(&mut self, path: &str, kind: &str, item: &Item) {
        let json = self.docs.item(item);
        let (_, shape) = inner(json);
        match kind {
            "struct" | "enum" | "union" => self.of_type(path, kind, item),
            "trait" => self.of_trait(path, item),
            "fn" => self.function(path, "fn", json, &mut self.render(item.krate), &[]),
            "type_alias" | "const" | "static" => {
                let text = self.render(item.krate).ty(&shape["type"]);
                self.named(path, kind, text);
            }
            _ => self.named(path, kind, String::new()),
        }
    }

    fn function(
        &mut self,
        path: &str,
        kind: &str,
        json: &Value,
        render: &mut Render<'_>,
        outer: &[&Value],
    ) {
        let (_, function) = inner(json);
        let text = render.function(function, outer);
        let arity = list(&function["sig"]["inputs"]).count();
        self.out.names.insert(format!("{path} {kind}({arity})"));
        self.fact(path, kind, text);
        self.attributes(path, json);
        if function["header"]["is_const"] == true {
            self.fact(path, "const fn", String::new());
        }
    }

    fn attributes(&mut self, path: &str, json: &Value) {
        for attr in list(&json["attrs"]) {
            let text = attr.to_string();
            for name in ATTRS.iter().filter(|name| text.contains(**name)) {
                self.fact(path, name, String::new());
            }
            if text.contains("TrackCaller") || text.contains("track_caller") {
                self.fact(path, "track_caller", String::new());
            }
        }
        if !json["deprecation"].is_null() {
            self.fact(path, "deprecated", String::new());
        }
    }

    fn of_type(&mut self, path: &str, kind: &str, item: &Item) {
        let json = self.docs.item(item);
        let (_, shape) = inner(json);
        let mut render = self.render(item.krate);
        render.declare(&shape["generics"]);
        let order = render.order(&shape["generics"]);
        let bounds = render.bounds(&[&shape["generics"]]);
        self.out.names.insert(format!("{path} type"));
        self.fact(path, kind, format!("{kind}{order}{bounds}"));
        self.attributes(path, json);
        let fields = &shape["kind"]["plain"]["fields"];
        let tuple = &shape["kind"]["tuple"];
        for id in list(fields).chain(list(tuple)) {
            self.field(path, item.krate, id);
        }
        for id in list(&shape["variants"]) {
            self.variant(path, item.krate, id);
        }
        for id in list(&shape["impls"]) {
            if let Some(block) = self.docs.own(item.krate, id) {
                self.block(path, &block);
            }
        }
    }

    fn field(&mut self, path: &str, krate: usize, id: &Value) {
        let Some(field) = self.docs.own(krate, id) else { return };
        let json = self.docs.item(&field);
        let name = json["name"].as_str().unwrap_or_default();
        let text = self.render(krate).ty(inner(json).1);
        self.fact(&format!("{path}::{name}"), "field", text);
    }

    fn variant(&mut self, path: &str, krate: usize, id: &Value) {
        let Some(variant) = self.docs.own(krate, id) else { return };
        let json = self.docs.item(&variant);
        let path = format!("{path}::{}", json["name"].as_str().unwrap_or_default());
        let (_, shape) = inner(json);
        let kind = &shape["kind"];
        let text = kind.as_object().and_then(|kind| kind.keys().next().cloned());
        self.named(&path, "variant", text.unwrap_or_else(|| "plain".into()));
        for id in list(&kind["tuple"]).chain(list(&kind["struct"]["fields"])) {
            self.field(&path, krate, id);
        }
    }

    fn block(&mut self, path: &str, block: &Item) {
        let (_, shape) = inner(self.docs.item(block));
        if !shape["blanket_impl"].is_null() {
            return;
        }
        let generics = &shape["generics"];
        let mut render = self.render(block.krate);
        render.declare(generics);
        let this = render.ty(&shape["for"]);
        if shape["trait"].is_null() {
            for id in list(&shape["items"]) {
                self.member(path, block.krate, id, generics, &shape["for"]);
            }
            return;
        }
        render.set_this(this.clone());
        let name = render.path(&shape["trait"]);
        let last = last(&name);
        let bounds = render.bounds(&[generics]);
        let text = format!("for {this}{bounds}");
        if AUTO.contains(&last) {
            // Written out or not, and nothing where the type never is.
            if shape["is_negative"] != true {
                self.fact(path, &format!("auto {last}"), text);
            }
            return;
        }
        if shape["is_synthetic"] == true || NOT_SEEN.contains(&last) {
            return;
        }
        self.out.names.insert(format!("{path} impl {last}"));
        let types = self.associated(block, generics, &shape["for"]);
        self.fact(path, &format!("impl {}", short(&name)), format!("for {this}{types}{bounds}"));
    }

    /// The types that an `impl` of a trait names.
    fn associated(&self, block: &Item, generics: &Value, this: &Value) -> String {
        let (_, shape) = inner(self.docs.item(block));
        let mut out = String::new();
        for id in list(&shape["items"]) {
            let Some(item) = self.docs.own(block.krate, id) else { continue };
            let json = self.docs.item(&item);
            let ("assoc_type", shape) = inner(json) else { continue };
            let mut render = self.render(block.krate);
            render.declare(generics);
            let this = render.ty(this);
            render.set_this(this);
            let ty = render.ty(&shape["type"]);
            out.push_str(&format!(", {} = {ty}", json["name"].as_str().unwrap_or_default()));
        }
        out
    }

    /// One public item of a type's own `impl` block.
    fn member(&mut self, path: &str, krate: usize, id: &Value, generics: &Value, this: &Value) {
        let Some(item) = self.docs.own(krate, id) else { return };
        let json = self.docs.item(&item);
        if json["visibility"] != "public" || is_hidden(json) {
            return;
        }
        let path = format!("{path}::{}", json["name"].as_str().unwrap_or_default());
        let mut render = self.render(krate);
        render.declare(generics);
        let this = render.ty(this);
        render.set_this(this);
        match inner(json) {
            ("function", _) => self.function(&path, "fn", json, &mut render, &[generics]),
            ("assoc_const", shape) => {
                let ty = render.ty(&shape["type"]);
                self.fact(&path, "const", ty);
            }
            _ => {}
        }
    }

    fn of_trait(&mut self, path: &str, item: &Item) {
        let json = self.docs.item(item);
        let (_, shape) = inner(json);
        let mut render = self.render(item.krate);
        render.declare(&shape["generics"]);
        let order = render.order(&shape["generics"]);
        let supertraits = render.bound_list(&shape["bounds"]).join(" + ");
        let bounds = render.bounds(&[&shape["generics"]]);
        let is_unsafe = shape["is_unsafe"] == true;
        // Renamed once by rustdoc.
        let is_dyn = shape["is_dyn_compatible"] == true || shape["is_object_safe"] == true;
        let text = format!("{order}: {supertraits}{bounds}, unsafe {is_unsafe}, dyn {is_dyn}");
        self.named(path, "trait", text);
        self.attributes(path, json);
        for id in list(&shape["items"]) {
            self.trait_item(path, item.krate, id, &shape["generics"]);
        }
    }

    fn trait_item(&mut self, path: &str, krate: usize, id: &Value, generics: &Value) {
        let Some(item) = self.docs.own(krate, id) else { return };
        let json = self.docs.item(&item);
        let path = format!("{path}::{}", json["name"].as_str().unwrap_or_default());
        self.out.names.insert(format!("{path} trait-item"));
        let mut render = self.render(krate);
        render.declare(generics);
        render.set_this("Self".into());
        let (kind, shape) = inner(json);
        let text = match kind {
            "function" => {
                let provided = if shape["has_body"] == true { "provided " } else { "required " };
                provided.to_string() + &render.function(shape, &[generics])
            }
            "assoc_type" => {
                let bounds = render.bound_list(&shape["bounds"]).join(" + ");
                format!("type: {bounds}")
            }
            kind => format!("{kind} {}", render.ty(&shape["type"])),
        };
        self.fact(&path, "trait-item", text);
        self.attributes(&path, json);
    }
}

/// The last name of a path, without its arguments.
fn last(path: &str) -> &str {
    path.split(['<', '(']).next().unwrap_or_default().rsplit("::").next().unwrap_or_default()
}

/// A trait with its arguments, but without the modules that it stands in.
fn short(path: &str) -> String {
    let head = path.split(['<', '(']).next().unwrap_or_default();
    format!("{}{}", last(path), &path[head.len()..])
}
