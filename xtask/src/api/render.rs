//! Writes types, bounds and signatures so that equal ones have equal text, whoever named their
//! parameters and wherever they are defined.
//!
//! Type parameters and lifetimes are numbered as they appear, elided lifetimes are written out,
//! `Self` is replaced, bounds stand sorted in one `where`, paths are the public ones, aliases of
//! `Result` are opened, and an `async fn` is a function that returns a future.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::docs::{Docs, Item, Target, list};

/// The public name of each item of a side.
pub(super) type Names = BTreeMap<Item, String>;

/// Between a signature and its bounds.
pub(super) const WHERE: &str = " where ";
/// Between bounds, each of one type and one trait.
pub(super) const AND: &str = " & ";

/// What stands for a lifetime that is not written.
#[derive(Clone)]
enum Elided {
    Fresh,
    Is(String),
    Unknown,
}

pub(super) struct Render<'a> {
    docs: &'a Docs,
    names: &'a Names,
    krate: usize,
    types: Vec<(String, String)>,
    lifetimes: Vec<(String, String)>,
    /// Every lifetime that was written, in order.
    written: Vec<String>,
    fresh: usize,
    elided: Elided,
    this: Option<String>,
}

impl<'a> Render<'a> {
    pub(super) fn new(docs: &'a Docs, names: &'a Names, krate: usize) -> Self {
        Self {
            docs,
            names,
            krate,
            types: Vec::new(),
            lifetimes: Vec::new(),
            written: Vec::new(),
            fresh: 0,
            elided: Elided::Fresh,
            this: None,
        }
    }

    /// What `Self` stands for from here on.
    pub(super) fn set_this(&mut self, this: String) {
        self.this = Some(this);
    }

    /// Declares the parameters of an item, so that the names of others are not taken for them.
    pub(super) fn declare(&mut self, generics: &Value) {
        for param in list(&generics["params"]) {
            let name = param["name"].as_str().unwrap_or_default();
            if param["kind"].get("lifetime").is_none() {
                self.types.push((name.to_string(), String::new()));
            }
        }
    }

    /// `fn(…) -> …` with the bounds of its own and of what it stands in.
    pub(super) fn function(&mut self, function: &Value, outer: &[&Value]) -> String {
        let (sig, header) = (&function["sig"], &function["header"]);
        self.declare(&function["generics"]);
        self.elided = Elided::Fresh;
        let before = self.written.len();
        let mut receiver = None;
        let mut inputs = Vec::new();
        for input in list(&sig["inputs"]) {
            inputs.push(self.ty(&input[1]));
            if input[0] == "self" {
                receiver = self.written.get(before).cloned();
            }
        }
        let seen: BTreeSet<&String> = self.written[before..].iter().collect();
        let only = seen.first().filter(|_| seen.len() == 1).map(|only| only.to_string());
        self.elided = receiver.or(only).map_or(Elided::Unknown, Elided::Is);
        let mut output =
            if sig["output"].is_null() { "()".into() } else { self.ty(&sig["output"]) };
        if header["is_async"] == true {
            output = format!("future<{output}>");
        }
        self.elided = Elided::Fresh;
        let order = self.order(&function["generics"]);
        let mut all = outer.to_vec();
        all.push(&function["generics"]);
        let bounds = self.bounds(&all);
        let is_unsafe = if header["is_unsafe"] == true { "unsafe " } else { "" };
        format!("{is_unsafe}fn{order}({}) -> {output}{bounds}", inputs.join(", "))
    }

    /// The parameters in the order in which a caller may name them.
    pub(super) fn order(&mut self, generics: &Value) -> String {
        let mut names = Vec::new();
        for param in list(&generics["params"]) {
            let name = param["name"].as_str().unwrap_or_default().to_string();
            let kind = &param["kind"];
            if let Some(ty) = kind.get("type") {
                if ty["is_synthetic"] != true {
                    let default = &ty["default"];
                    let name = self.param(&name);
                    let is = if default.is_null() { String::new() } else { self.ty(default) };
                    names.push(if is.is_empty() { name } else { format!("{name} = {is}") });
                }
            } else if let Some(constant) = kind.get("const") {
                let name = self.param(&name);
                let ty = self.ty(&constant["type"]);
                names.push(format!("const {name}: {ty}"));
            }
        }
        if names.is_empty() { String::new() } else { format!("<{}>", names.join(", ")) }
    }

    /// All bounds, sorted, as one `where`; empty if there are none.
    pub(super) fn bounds(&mut self, generics: &[&Value]) -> String {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for generics in generics {
            for param in list(&generics["params"]) {
                let name = param["name"].as_str().unwrap_or_default();
                if let Some(ty) = param["kind"].get("type").filter(|ty| ty["is_synthetic"] != true)
                {
                    let name = self.param(name);
                    let bounds = self.bound_list(&ty["bounds"]);
                    all.entry(name).or_default().extend(bounds);
                } else if let Some(lifetime) = param["kind"].get("lifetime") {
                    let longer = self.lifetime(name);
                    let outlives = list(&lifetime["outlives"]).filter_map(Value::as_str);
                    let outlives: Vec<_> = outlives.map(|shorter| self.lifetime(shorter)).collect();
                    all.entry(longer).or_default().extend(outlives);
                }
            }
            for predicate in list(&generics["where_predicates"]) {
                if let Some(bound) = predicate.get("bound_predicate") {
                    let subject = self.ty(&bound["type"]);
                    let bounds = self.bound_list(&bound["bounds"]);
                    all.entry(subject).or_default().extend(bounds);
                } else if let Some(bound) = predicate.get("lifetime_predicate") {
                    let longer = self.lifetime(bound["lifetime"].as_str().unwrap_or_default());
                    let outlives = list(&bound["outlives"]).filter_map(Value::as_str);
                    let outlives: Vec<_> = outlives.map(|shorter| self.lifetime(shorter)).collect();
                    all.entry(longer).or_default().extend(outlives);
                } else {
                    all.entry(predicate.to_string()).or_default().insert("=".into());
                }
            }
        }
        let mut lines = Vec::new();
        for (subject, mut bounds) in all {
            // The default, which may be written beside its opposite.
            if bounds.remove("core::marker::Sized") {
                bounds.remove("?core::marker::Sized");
            }
            lines.extend(bounds.iter().map(|bound| format!("{subject}: {bound}")));
        }
        if lines.is_empty() { String::new() } else { format!("{WHERE}{}", lines.join(AND)) }
    }

    pub(super) fn bound_list(&mut self, bounds: &Value) -> Vec<String> {
        let mut out: Vec<String> = list(bounds).filter_map(|bound| self.bound(bound)).collect();
        out.sort();
        out
    }

    fn bound(&mut self, bound: &Value) -> Option<String> {
        if let Some(lifetime) = bound["outlives"].as_str() {
            return Some(self.lifetime(lifetime));
        }
        let bound = bound.get("trait_bound")?;
        let maybe = if bound["modifier"] == "maybe" { "?" } else { "" };
        Some(format!("{maybe}{}", self.path(&bound["trait"])))
    }

    /// A path with its arguments.
    pub(super) fn path(&mut self, path: &Value) -> String {
        let Some(name) = self.name(&path["id"]) else { return "private".into() };
        let mut args = Vec::new();
        let given = &path["args"];
        if let Some(given) = given.get("angle_bracketed") {
            for arg in list(&given["args"]) {
                args.push(if let Some(lifetime) = arg["lifetime"].as_str() {
                    self.lifetime(lifetime)
                } else if let Some(ty) = arg.get("type") {
                    self.ty(ty)
                } else if let Some(constant) = arg.get("const") {
                    self.param(constant["expr"].as_str().unwrap_or_default())
                } else {
                    arg.to_string()
                });
            }
            for constraint in list(&given["constraints"]) {
                let name = constraint["name"].as_str().unwrap_or_default();
                let binding = &constraint["binding"];
                args.push(match binding.get("equality") {
                    Some(equal) => format!("{name} = {}", self.ty(&equal["type"])),
                    None => {
                        format!("{name}: {}", self.bound_list(&binding["constraint"]).join(" + "))
                    }
                });
            }
        } else if let Some(given) = given.get("parenthesized") {
            let saved = std::mem::replace(&mut self.elided, Elided::Unknown);
            let inputs: Vec<_> = list(&given["inputs"]).map(|input| self.ty(input)).collect();
            let output = &given["output"];
            let output = if output.is_null() { "()".into() } else { self.ty(output) };
            self.elided = saved;
            return format!("{name}({}) -> {output}", inputs.join(", "));
        }
        if let ("std::io::error::Result", [ok]) = (name.as_str(), &args[..]) {
            return format!("core::result::Result<{ok}, std::io::error::Error>");
        }
        match (name.as_str(), args.is_empty()) {
            ("std::os::raw::c_int" | "core::ffi::primitives::c_int", _) => "i32".into(),
            ("core::fmt::Result", _) => "core::result::Result<(), core::fmt::Error>".into(),
            (_, true) => name,
            (_, false) => format!("{name}<{}>", args.join(", ")),
        }
    }

    /// The public path; none, if nobody can name it, so that its own name says nothing.
    fn name(&self, id: &Value) -> Option<String> {
        match self.docs.follow(self.krate, id)? {
            Target::Here(item) => self.names.get(&item).cloned(),
            Target::Elsewhere(path, _) => Some(path),
        }
    }

    pub(super) fn ty(&mut self, ty: &Value) -> String {
        let Some((kind, ty)) = ty.as_object().and_then(|ty| ty.iter().next()) else {
            return ty.as_str().unwrap_or("()").to_string();
        };
        match kind.as_str() {
            "resolved_path" => self.path(ty),
            "generic" => match (ty.as_str().unwrap_or_default(), &self.this) {
                ("Self", Some(this)) => this.clone(),
                (name, _) => self.param(name),
            },
            "primitive" => ty.as_str().unwrap_or_default().to_string(),
            "tuple" => {
                let parts: Vec<_> = list(ty).map(|part| self.ty(part)).collect();
                format!("({})", parts.join(", "))
            }
            "slice" => format!("[{}]", self.ty(ty)),
            "array" => {
                let len = self.param(ty["len"].as_str().unwrap_or_default());
                format!("[{}; {len}]", self.ty(&ty["type"]))
            }
            "borrowed_ref" => {
                let lifetime = self.lifetime(ty["lifetime"].as_str().unwrap_or("'_"));
                let mutable = if ty["is_mutable"] == true { "mut " } else { "" };
                format!("&{lifetime} {mutable}{}", self.ty(&ty["type"]))
            }
            "raw_pointer" => {
                let mutable = if ty["is_mutable"] == true { "mut" } else { "const" };
                format!("*{mutable} {}", self.ty(&ty["type"]))
            }
            "impl_trait" => self.opaque(ty),
            "dyn_trait" => {
                let mut traits: Vec<_> =
                    list(&ty["traits"]).map(|one| self.path(&one["trait"])).collect();
                traits.sort();
                if let Some(lifetime) = ty["lifetime"].as_str() {
                    traits.push(self.lifetime(lifetime));
                }
                format!("dyn {}", traits.join(" + "))
            }
            "qualified_path" => {
                let name = ty["name"].as_str().unwrap_or_default();
                let this = self.ty(&ty["self_type"]);
                if ty["trait"].is_null() {
                    return format!("{this}::{name}");
                }
                format!("<{this} as {}>::{name}", self.path(&ty["trait"]))
            }
            "function_pointer" => {
                let inputs: Vec<_> =
                    list(&ty["sig"]["inputs"]).map(|input| self.ty(&input[1])).collect();
                let output = &ty["sig"]["output"];
                let output = if output.is_null() { "()".into() } else { self.ty(output) };
                format!("fn({}) -> {output}", inputs.join(", "))
            }
            _ => format!("{kind} {ty}"),
        }
    }

    /// A future is written as what it gives; what else it is, its auto traits say.
    fn opaque(&mut self, bounds: &Value) -> String {
        for bound in list(bounds) {
            let bound = &bound["trait_bound"]["trait"];
            let output = list(&bound["args"]["angle_bracketed"]["constraints"])
                .find(|constraint| constraint["name"] == "Output");
            if let Some(output) = output {
                return format!("future<{}>", self.ty(&output["binding"]["equality"]["type"]));
            }
        }
        format!("impl {}", self.bound_list(bounds).join(" + "))
    }

    fn param(&mut self, name: &str) -> String {
        let count = self.types.iter().filter(|(_, number)| !number.is_empty()).count();
        // The innermost of that name.
        match self.types.iter_mut().rev().find(|(known, _)| known == name) {
            None => name.to_string(),
            Some((_, number)) => {
                if number.is_empty() {
                    *number = format!("T{}", count + 1);
                }
                number.clone()
            }
        }
    }

    fn lifetime(&mut self, name: &str) -> String {
        let written = match name {
            "'static" => return name.to_string(),
            "'_" => match self.elided.clone() {
                Elided::Unknown => return name.to_string(),
                Elided::Is(lifetime) => lifetime,
                Elided::Fresh => self.next_lifetime(),
            },
            _ => match self.lifetimes.iter().rev().find(|(known, _)| known == name) {
                Some((_, number)) => number.clone(),
                None => {
                    let number = self.next_lifetime();
                    self.lifetimes.push((name.to_string(), number.clone()));
                    number
                }
            },
        };
        self.written.push(written.clone());
        written
    }

    fn next_lifetime(&mut self) -> String {
        self.fresh += 1;
        format!("'{}", self.fresh)
    }
}
