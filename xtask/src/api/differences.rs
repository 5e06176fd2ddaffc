//! Two surfaces, and the list of differences that were argued.

use std::collections::{BTreeMap, BTreeSet};

use super::render::{AND, WHERE};
use super::surface::{Key, Surface};

/// Where fewer bounds are another promise too: to who writes an `impl`, or names the type.
const EXACT: [&str; 5] = ["struct", "enum", "union", "trait", "trait-item"];
/// What may be said of an item, besides what it is.
const SAID: [&str; 4] = ["track_caller", "must_use", "non_exhaustive", "deprecated"];

/// How a fact differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    pub(super) key: Key,
    pub(super) theirs: Vec<String>,
    /// Nothing, where it is missing.
    pub(super) ours: Vec<String>,
}

impl Difference {
    pub(super) fn label(&self) -> String {
        format!("{} — {}", self.key.0, self.key.1)
    }
}

/// What Tokio's users may rely on and do not find, or find different. What there is more of on
/// our side is none.
pub(super) fn all(theirs: &Surface, ours: &Surface) -> Vec<Difference> {
    let mut found: BTreeSet<Difference> = BTreeSet::new();
    for (key, texts) in &theirs.facts {
        let none = BTreeSet::new();
        let have = ours.facts.get(key).unwrap_or(&none);
        let exact = EXACT.contains(&key.1.as_str());
        let serves = |text: &&String| {
            have.contains(*text) || !exact && have.iter().any(|ours| is_wider(ours, text))
        };
        let lacking: Vec<String> = texts.iter().filter(|text| !serves(text)).cloned().collect();
        if !lacking.is_empty() {
            let theirs = lacking;
            let ours = have.difference(texts).cloned().collect();
            found.insert(Difference { key: key.clone(), theirs, ours });
        }
    }
    let shown: BTreeSet<&str> = theirs.facts.keys().map(|(path, _)| path.as_str()).collect();
    // A new variant or a required method breaks who matches or implements.
    for (key, texts) in &ours.facts {
        let breaks = match key.1.as_str() {
            "variant" => parent_is_theirs(theirs, key, "enum"),
            "trait-item" => {
                parent_is_theirs(theirs, key, "trait")
                    && texts.iter().any(|text| text.starts_with("required"))
            }
            // The last two warn, and who denies warnings does not compile.
            "non_exhaustive" | "deprecated" | "must_use" => shown.contains(key.0.as_str()),
            _ => false,
        };
        if breaks && !theirs.facts.contains_key(key) {
            let ours = texts.iter().map(|text| format!("{text} (new)")).collect();
            found.insert(Difference { key: key.clone(), theirs: Vec::new(), ours });
        }
    }
    // Of what is missing as a whole, one line is enough.
    let gone: BTreeSet<&str> = theirs.paths.difference(&ours.paths).map(String::as_str).collect();
    let missing: BTreeSet<String> = found
        .iter()
        .filter(|one| one.ours.is_empty() && is_main(&one.key.1))
        .map(|one| one.key.0.clone())
        .collect();
    let tells = |difference: &Difference| {
        let (path, about) = &difference.key;
        let above = path.rsplit_once("::").map_or("", |(above, _)| above);
        !gone.contains(above)
            && !missing.contains(above)
            && (is_main(about) || !missing.contains(path))
    };
    found.into_iter().filter(tells).collect()
}

/// Whether a fact is what stands at its path, not one more thing that is said of it.
fn is_main(about: &str) -> bool {
    !about.contains(' ') && !SAID.contains(&about)
}

/// Whether who uses `theirs` can use `ours`: the same signature, and no bound that is not there.
fn is_wider(ours: &str, theirs: &str) -> bool {
    let (ours, ours_bounds) = ours.split_once(WHERE).unwrap_or((ours, ""));
    let (theirs, theirs_bounds) = theirs.split_once(WHERE).unwrap_or((theirs, ""));
    let ours_bounds: BTreeSet<&str> = ours_bounds.split(AND).collect();
    let theirs_bounds: BTreeSet<&str> = theirs_bounds.split(AND).collect();
    // `?Sized` asks for less.
    let asks = |bound: &&&str| !bound.is_empty() && !bound.contains(": ?");
    let allows = |bound: &&&str| bound.contains(": ?");
    ours == theirs
        && ours_bounds.iter().filter(asks).all(|bound| theirs_bounds.contains(bound))
        && theirs_bounds.iter().filter(allows).all(|bound| ours_bounds.contains(bound))
}

fn parent_is_theirs(theirs: &Surface, key: &Key, kind: &str) -> bool {
    let Some((parent, _)) = key.0.rsplit_once("::") else { return false };
    theirs.facts.contains_key(&(parent.to_string(), kind.to_string()))
}

/// The argued differences by label: the reason, and the line.
#[derive(Debug, Default)]
pub(super) struct Argued(BTreeMap<String, usize>);

impl Argued {
    /// Lines of `path — what — reason`; those with `#` are for the reader.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut argued = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || format!("line {}: write `path — what — reason`", at + 1);
            let (label, reason) = line.rsplit_once(" — ").ok_or_else(wrong)?;
            if reason.trim().len() < 8 || !label.contains(" — ") {
                return Err(wrong());
            }
            if argued.insert(label.to_string(), at + 1).is_some() {
                return Err(format!("line {}: `{label}` stands twice", at + 1));
            }
        }
        Ok(Self(argued))
    }

    pub(super) fn has(&self, difference: &Difference) -> bool {
        self.0.contains_key(&difference.label())
    }

    /// The lines that argue for nothing.
    pub(super) fn idle(&self, found: &BTreeSet<String>) -> Vec<String> {
        let idle = self.0.iter().filter(|(label, _)| !found.contains(*label));
        idle.map(|(label, line)| format!("line {line}: `{label}` is no difference any more"))
            .collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
