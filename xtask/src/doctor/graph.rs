//! Cargo's view of a workspace: packages, what each asks for, and what it got.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(super) version: Version,
    source: Option<String>,
    pub(super) features: BTreeSet<String>,
    pub(super) requirements: Vec<Requirement>,
}

/// What a manifest asks of a package called `name`.
#[derive(Debug)]
pub(super) struct Requirement {
    pub(super) name: String,
    pub(super) versions: VersionReq,
    pub(super) features: Vec<String>,
    /// Nothing, if it may come from the registry and so be patched.
    pub(super) elsewhere: Option<String>,
}

/// A patch that cargo found no use for, as the lock file records it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unused {
    pub(super) version: Version,
}

#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) root: PathBuf,
    pub(crate) packages: Vec<Package>,
    members: BTreeSet<String>,
    edges: BTreeMap<String, Vec<String>>,
    /// Patches named `tokio` in `[[patch.unused]]`.
    pub(super) unused: Vec<Unused>,
}

impl Package {
    pub(crate) fn is_published(&self) -> bool {
        self.source.as_deref().is_some_and(|source| source.starts_with("registry"))
    }

    pub(super) fn origin(&self) -> &str {
        match &self.source {
            None => "a path",
            Some(_) if self.is_published() => "the registry",
            Some(source) => source,
        }
    }

    /// Its name and version, as cargo's messages write them.
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

impl Graph {
    pub(crate) fn load(folder: &Path) -> Result<Self, String> {
        // Without the network where it can be: what is asked about is there already.
        let metadata =
            crate::metadata(folder, &["--offline"]).or_else(|_| crate::metadata(folder, &[]))?;
        let root = metadata["workspace_root"].as_str().unwrap_or_default();
        let lock = fs::read_to_string(Path::new(root).join("Cargo.lock")).unwrap_or_default();
        Self::of(&metadata, &lock)
    }

    pub(crate) fn of(metadata: &Value, lock: &str) -> Result<Self, String> {
        let strings = |list: &Value| -> Vec<String> {
            list.as_array().into_iter().flatten().filter_map(text).collect()
        };
        let nodes = metadata["resolve"]["nodes"].as_array().cloned().unwrap_or_default();
        let edges = nodes
            .iter()
            .filter_map(|node| Some((text(&node["id"])?, strings(&node["dependencies"]))));
        Ok(Self {
            root: metadata["workspace_root"].as_str().unwrap_or_default().into(),
            packages: packages(metadata)?,
            members: strings(&metadata["workspace_members"]).into_iter().collect(),
            edges: edges.collect(),
            unused: unused(lock),
        })
    }

    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }

    /// Whether a package named `tokio` is a front of this project.
    pub(super) fn is_ours(&self, package: &Package) -> bool {
        let below = self.edges.get(&package.id).into_iter().flatten();
        below.filter_map(|id| self.package(id)).any(|below| below.name == "shinkan")
    }

    pub(super) fn is_member(&self, package: &Package) -> bool {
        self.members.contains(&package.id)
    }

    /// The packages that got `target`.
    pub(super) fn users<'a>(&'a self, target: &'a Package) -> impl Iterator<Item = &'a Package> {
        let uses = |id: &str| self.edges.get(id).is_some_and(|below| below.contains(&target.id));
        self.packages.iter().filter(move |package| uses(&package.id))
    }

    /// The shortest way from a package of the workspace down to `target`.
    pub(crate) fn way(&self, target: &str) -> Vec<&Package> {
        let mut from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open: VecDeque<&str> = self.members.iter().map(String::as_str).collect();
        while let Some(id) = open.pop_front() {
            if id == target {
                let mut way = vec![id];
                while let Some(&above) = from.get(way[way.len() - 1]) {
                    way.push(above);
                }
                return way.into_iter().rev().filter_map(|id| self.package(id)).collect();
            }
            for below in self.edges.get(id).into_iter().flatten() {
                if !self.members.contains(below) && !from.contains_key(below.as_str()) {
                    from.insert(below, id);
                    open.push_back(below);
                }
            }
        }
        Vec::new()
    }
}

pub(super) fn packages(metadata: &Value) -> Result<Vec<Package>, String> {
    let list = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    list.iter().map(package).collect()
}

fn package(package: &Value) -> Result<Package, String> {
    let name = text(&package["name"]).ok_or("a package without a name")?;
    let say = |e: semver::Error| format!("{name}: {e}");
    let version = Version::parse(package["version"].as_str().unwrap_or_default()).map_err(say)?;
    let features = package["features"].as_object();
    let mut requirements = Vec::new();
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let versions = dependency["req"].as_str().unwrap_or("*");
        let source = text(&dependency["source"]).or_else(|| text(&dependency["path"]));
        requirements.push(Requirement {
            name: text(&dependency["name"]).unwrap_or_default(),
            versions: VersionReq::parse(versions).map_err(say)?,
            features: dependency["features"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(text)
                .collect(),
            elsewhere: source.filter(|source| !source.starts_with("registry")),
        });
    }
    Ok(Package {
        id: text(&package["id"]).unwrap_or_default(),
        version,
        source: text(&package["source"]),
        features: features.into_iter().flatten().map(|(name, _)| name.clone()).collect(),
        requirements,
        name,
    })
}

/// The lock file's blocks are lines of `key = "value"`, in cargo's own hand.
fn unused(lock: &str) -> Vec<Unused> {
    let blocks = lock.split("\n[[").filter(|block| block.starts_with("patch.unused]]"));
    let value = |block: &str, key: &str| {
        let start = format!("{key} = \"");
        let line = block.lines().find_map(|line| line.strip_prefix(start.as_str()))?;
        Some(line.trim_end_matches('"').to_string())
    };
    blocks
        .filter(|block| value(block, "name").as_deref() == Some("tokio"))
        .filter_map(|block| Version::parse(&value(block, "version")?).ok())
        .map(|version| Unused { version })
        .collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(String::from)
}
