//! From a graph of packages to what is wrong with it. Reads nothing else.

use super::graph::{Package, Requirement};
use super::{Finding, Graph, Ours};

/// What cargo writes before the version of Tokio that a patch can stand in for.
const MAJOR: u64 = 1;

pub(super) fn all(graph: &Graph, ours: &Ours) -> Vec<Finding> {
    let mut found = Vec::new();
    for package in tokios(graph).filter(|package| !graph.is_ours(package)) {
        found.push(if package.version.major != MAJOR {
            other_major(graph, package)
        } else if !package.is_published() {
            not_patchable(graph, package)
        } else if let Some(unused) = graph.unused.first() {
            let ours = Ours {
                version: unused.version.clone(),
                features: ours.features.clone(),
                folder: ours.folder.clone(),
            };
            passed_over(graph, package, &ours)
        } else {
            no_patch(graph, package, ours)
        });
    }
    found.extend(twice(graph));
    found
}

fn tokios(graph: &Graph) -> impl Iterator<Item = &Package> {
    graph.packages.iter().filter(|package| package.name == "tokio")
}

/// More than one copy of our own runtime: each has its own thread-local.
fn twice(graph: &Graph) -> Option<Finding> {
    let copies: Vec<&Package> =
        graph.packages.iter().filter(|package| package.name == "shinkan").collect();
    if copies.len() < 2 {
        return None;
    }
    let why = copies.iter().flat_map(|copy| {
        let head = format!("{} from {}", copy.label(), copy.origin());
        std::iter::once(head).chain(way(graph, copy))
    });
    Some(Finding {
        what: format!("{} copies of shinkan, each a runtime of its own", copies.len()),
        why: why.collect(),
        remedy: vec![
            "name the same path, or the same git address and revision, in each Cargo.toml and \
             in `[patch.crates-io]`"
                .into(),
        ],
    })
}

fn no_patch(graph: &Graph, package: &Package, ours: &Ours) -> Finding {
    let direct = graph.packages.iter().any(|package| package.name == "shinkan");
    let what = if direct {
        format!("two runtimes: shinkan, and {} of the registry beside it", package.label())
    } else {
        format!("{} of the registry, and no patch puts shinkan in its place", package.label())
    };
    let mut remedy = vec![
        format!("in {}:", graph.root.join("Cargo.toml").display()),
        "    [patch.crates-io]".into(),
        format!("    tokio = {{ path = \"{}\" }}", ours.folder.display()),
    ];
    remedy.extend(update(package, ours));
    remedy.extend(unfit(graph, package, ours).1);
    Finding { what, why: asked(graph, package), remedy }
}

/// A patch is there, and this package got the registry's Tokio all the same.
fn passed_over(graph: &Graph, package: &Package, ours: &Ours) -> Finding {
    let what = format!(
        "cargo passed over the patch ({}) and took {} from the registry",
        ours.version,
        package.label()
    );
    let mut why = asked(graph, package);
    let (unfit, mut remedy) = unfit(graph, package, ours);
    if unfit.is_empty() {
        why.push(format!(
            "each of these allows {}, but Cargo.lock holds {}, and what is locked stays",
            ours.version, package.version
        ));
    }
    why.extend(unfit);
    remedy.extend(update(package, ours));
    Finding { what, why, remedy }
}

/// The requirements that our version or features do not meet, and what to do about each.
fn unfit(graph: &Graph, package: &Package, ours: &Ours) -> (Vec<String>, Vec<String>) {
    let (mut why, mut remedy) = (Vec::new(), Vec::new());
    for user in graph.users(package) {
        for requirement in fitting(user, package) {
            let missing: Vec<&str> = requirement
                .features
                .iter()
                .map(String::as_str)
                .filter(|feature| !ours.features.contains(*feature))
                .collect();
            let versions = &requirement.versions;
            if !versions.matches(&ours.version) {
                why.push(format!("{} does not take {}", user.label(), ours.version));
                remedy.push(if graph.is_member(user) {
                    format!("in the Cargo.toml of {}: tokio = \"{MAJOR}\"", user.name)
                } else {
                    format!(
                        "cargo update {}@{} --precise VERSION   # the newest that asks for tokio \
                         up to {}, or update shinkan",
                        user.name, user.version, ours.version
                    )
                });
            } else if !missing.is_empty() {
                let names = missing.join(", ");
                why.push(format!("{} asks for features that shinkan lacks: {names}", user.label()));
                remedy.push(if graph.is_member(user) {
                    format!("in the Cargo.toml of {}: without the features {names}", user.name)
                } else {
                    format!("leave out the features of {} that need {names}", user.name)
                });
            }
        }
    }
    (why, remedy)
}

/// The lines that make cargo choose again.
fn update(package: &Package, ours: &Ours) -> Option<String> {
    (package.version != ours.version)
        .then(|| format!("cargo update tokio@{} --precise {}", package.version, ours.version))
}

fn other_major(graph: &Graph, package: &Package) -> Finding {
    let users: Vec<&Package> = graph.users(package).collect();
    let remedy = users.iter().map(|user| {
        if graph.is_member(user) {
            format!("in the Cargo.toml of {}: tokio = \"{MAJOR}\"", user.name)
        } else {
            format!("cargo update {}   # or replace it: no patch can help", user.name)
        }
    });
    Finding {
        what: format!("two majors: {} is a runtime of its own beside 1.x", package.label()),
        why: asked(graph, package),
        remedy: remedy.collect(),
    }
}

fn not_patchable(graph: &Graph, package: &Package) -> Finding {
    let users = graph.users(package).flat_map(|user| {
        let requirements = user.requirements.iter().filter(|one| one.name == "tokio");
        requirements.filter_map(move |one| Some((user, one.elsewhere.clone()?)))
    });
    let remedy: Vec<String> = users
        .map(|(user, place)| {
            format!("in the Cargo.toml of {}: tokio = \"{MAJOR}\" in place of {place}", user.name)
        })
        .collect();
    Finding {
        what: format!("{} from {} is not shinkan's", package.label(), package.origin()),
        why: asked(graph, package),
        remedy: if remedy.is_empty() {
            vec!["let `[patch.crates-io] tokio` name shinkan's compat/tokio".into()]
        } else {
            remedy
        },
    }
}

/// Who asks for `package`, by which requirement, and how the workspace comes to it.
fn asked(graph: &Graph, package: &Package) -> Vec<String> {
    let mut lines = Vec::new();
    for user in graph.users(package) {
        for requirement in fitting(user, package) {
            lines.push(format!("{} asks for tokio = \"{}\"", user.label(), requirement.versions));
        }
        lines.extend(way(graph, user));
    }
    lines
}

fn way(graph: &Graph, package: &Package) -> Option<String> {
    let labels: Vec<String> = graph.way(&package.id).iter().map(|step| step.label()).collect();
    (labels.len() > 1).then(|| format!("    through {}", labels.join(" > ")))
}

/// The requirements of `user` that `package` answers.
fn fitting<'a>(user: &'a Package, package: &'a Package) -> impl Iterator<Item = &'a Requirement> {
    let wanted = user.requirements.iter().filter(|requirement| requirement.name == package.name);
    wanted.filter(|requirement| requirement.versions.matches(&package.version))
}
