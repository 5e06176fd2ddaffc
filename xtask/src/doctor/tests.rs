//! Small workspaces with a registry of their own, a folder of empty packages, so that cargo itself
//! decides what becomes of the patch.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Finding, Graph, findings, ours};

struct World {
    folder: PathBuf,
}

impl World {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("xtask-doctor-{}-{name}", std::process::id()));
        let world = Self { folder };
        let vendor = world.folder.join("vendor");
        world.write(
            "app/.cargo/config.toml",
            &format!(
                "[source.crates-io]\nreplace-with = \"vendored\"\n\
                 [source.vendored]\ndirectory = {vendor:?}\n"
            ),
        );
        for version in ["0.2.25", "1.50.0", "1.54.1", "1.60.0"] {
            world.vendor("tokio", version, "[features]\nrt = []\nnewer = []\n");
        }
        world.write("shinkan/Cargo.toml", &manifest("shinkan", "0.1.0", ""));
        world.write("shinkan/src/lib.rs", "");
        let below = "[features]\nrt = []\n[dependencies]\nshinkan = { path = \"../shinkan\" }\n";
        world.write("compat/Cargo.toml", &manifest("tokio", "1.54.1", below));
        world.write("compat/src/lib.rs", "");
        world
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn vendor(&self, name: &str, version: &str, rest: &str) {
        let folder = format!("vendor/{name}-{version}");
        self.write(&format!("{folder}/Cargo.toml"), &manifest(name, version, rest));
        self.write(&format!("{folder}/src/lib.rs"), "");
        self.write(&format!("{folder}/.cargo-checksum.json"), "{\"files\":{}}");
    }

    fn app(&self, rest: &str) {
        self.write("app/Cargo.toml", &manifest("app", "0.1.0", &format!("[workspace]\n{rest}")));
        self.write("app/src/lib.rs", "");
    }

    fn lock(&self) {
        let mut cargo = Command::new(crate::cargo());
        cargo.args(["generate-lockfile", "--offline", "--quiet"]);
        assert!(cargo.current_dir(self.folder.join("app")).status().unwrap().success());
    }

    fn findings(&self) -> Vec<Finding> {
        let root = crate::root();
        let graph = Graph::load(&self.folder.join("app")).unwrap();
        findings::all(&graph, &ours(&root).unwrap())
    }

    /// The only finding there is.
    fn finding(&self) -> Finding {
        let mut found = self.findings();
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What is left in the folder for temporary files does no harm.
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn manifest(name: &str, version: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n{rest}")
}

const PATCH: &str = "[patch.crates-io]\ntokio = { path = \"../compat\" }\n";

#[test]
fn a_patch_in_use_is_healthy() {
    let world = World::new("healthy");
    world.vendor("hyper", "1.0.0", "[dependencies]\ntokio = \"1.20\"\n");
    world.app(&format!("[dependencies]\ntokio = \"1\"\nhyper = \"1\"\n{PATCH}"));
    assert_eq!(world.findings(), []);
    let (lines, healthy) = super::examine(&crate::root(), &world.folder.join("app")).unwrap();
    assert!(healthy);
    assert_eq!(lines[1..], ["  tokio 1.54.1 (a path): shinkan", "doctor: healthy, one runtime"]);
}

#[test]
fn no_tokio_at_all_is_healthy() {
    let world = World::new("none");
    world.app("[dependencies]\nshinkan = { path = \"../shinkan\" }\n");
    assert_eq!(world.findings(), []);
}

#[test]
fn no_patch_beside_shinkan() {
    let world = World::new("beside");
    world.vendor("hyper", "1.0.0", "[dependencies]\ntokio = \"1.20\"\n");
    world.app("[dependencies]\nshinkan = { path = \"../shinkan\" }\nhyper = \"1\"\n");
    let finding = world.finding();
    assert_eq!(finding.what, "two runtimes: shinkan, and tokio 1.60.0 of the registry beside it");
    assert_eq!(
        finding.why,
        ["hyper 1.0.0 asks for tokio = \"^1.20\"", "    through app 0.1.0 > hyper 1.0.0"]
    );
    assert_eq!(finding.remedy[1], "    [patch.crates-io]");
    assert!(finding.remedy[2].ends_with("compat/tokio\" }"), "{finding:?}");
    assert_eq!(finding.remedy[3], "cargo update tokio@1.60.0 --precise 1.54.1");
    let (lines, healthy) = super::examine(&crate::root(), &world.folder.join("app")).unwrap();
    assert!(!healthy);
    assert_eq!(lines.last().unwrap(), "doctor: 1 finding");
}

#[test]
fn our_front_by_path_and_tokio_for_the_others() {
    let world = World::new("by-path");
    world.vendor("hyper", "1.0.0", "[dependencies]\ntokio = \"=1.54.1\"\n");
    world.app("[dependencies]\ntokio = { path = \"../compat\" }\nhyper = \"1\"\n");
    let finding = world.finding();
    assert!(finding.what.starts_with("two runtimes: shinkan, and tokio 1.54.1"), "{finding:?}");
    assert_eq!(finding.remedy.len(), 3, "nothing to update: {finding:?}");
}

#[test]
fn the_lock_file_holds_another_version() {
    for locked in ["1.60.0", "1.50.0"] {
        let world = World::new(&format!("locked-{locked}"));
        world.app(&format!("[dependencies]\ntokio = \"={locked}\"\n"));
        world.lock();
        // The same requirement as before, wide again: only the lock file still asks for it.
        world.app(&format!("[dependencies]\ntokio = \"1\"\n{PATCH}"));
        let finding = world.finding();
        assert_eq!(
            finding.what,
            format!(
                "cargo passed over the patch (1.54.1) and took tokio {locked} from the registry"
            )
        );
        assert_eq!(finding.why.len(), 2);
        assert!(finding.why[1].contains("Cargo.lock holds"), "{finding:?}");
        // The remedy is typed as it stands, and cures.
        let [remedy] = &finding.remedy[..] else { panic!("{finding:?}") };
        let mut cargo = Command::new(crate::cargo());
        cargo.args(remedy.split(' ').skip(1)).arg("--offline");
        let done = cargo.current_dir(world.folder.join("app")).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        assert_eq!(world.findings(), []);
    }
}

#[test]
fn a_requirement_is_newer_than_the_patch() {
    let world = World::new("newer");
    world.vendor("hyper", "1.0.0", "[dependencies]\ntokio = \"1.58\"\n");
    world.app(&format!("[dependencies]\ntokio = \"1\"\nhyper = \"1\"\n{PATCH}"));
    let finding = world.finding();
    assert!(finding.why.contains(&"hyper 1.0.0 asks for tokio = \"^1.58\"".into()), "{finding:?}");
    assert!(finding.why.contains(&"hyper 1.0.0 does not take 1.54.1".into()), "{finding:?}");
    assert!(!finding.why.iter().any(|line| line.contains("Cargo.lock holds")), "{finding:?}");
    assert!(finding.remedy[0].starts_with("cargo update hyper@1.0.0 --precise"), "{finding:?}");

    world.app(&format!("[dependencies]\ntokio = \"1.60\"\n{PATCH}"));
    let finding = world.finding();
    assert_eq!(finding.remedy[0], "in the Cargo.toml of app: tokio = \"1\"");
}

#[test]
fn a_feature_that_the_patch_lacks() {
    let world = World::new("feature");
    world.app(&format!(
        "[dependencies]\ntokio = {{ version = \"1\", features = [\"rt\", \"newer\"] }}\n{PATCH}"
    ));
    let finding = world.finding();
    let why = "app 0.1.0 asks for features that shinkan lacks: newer";
    assert!(finding.why.contains(&why.into()), "{finding:?}");
}

#[test]
fn two_majors() {
    let world = World::new("majors");
    world.vendor("old", "0.3.0", "[dependencies]\ntokio = \"0.2\"\n");
    world.app(&format!("[dependencies]\ntokio = \"1\"\nold = \"0.3\"\n{PATCH}"));
    let finding = world.finding();
    assert_eq!(
        finding,
        Finding {
            what: "two majors: tokio 0.2.25 is a runtime of its own beside 1.x".into(),
            why: vec![
                "old 0.3.0 asks for tokio = \"^0.2\"".into(),
                "    through app 0.1.0 > old 0.3.0".into(),
            ],
            remedy: vec!["cargo update old   # or replace it: no patch can help".into()],
        }
    );
}

#[test]
fn two_copies_of_shinkan() {
    let world = World::new("copies");
    world.write("second/Cargo.toml", &manifest("shinkan", "0.2.0", ""));
    world.write("second/src/lib.rs", "");
    world.app(&format!(
        "[dependencies]\nshinkan = {{ path = \"../second\" }}\ntokio = \"1\"\n{PATCH}"
    ));
    assert_eq!(world.finding().what, "2 copies of shinkan, each a runtime of its own");
}

#[test]
fn a_path_that_is_none() {
    assert!(super::run(&crate::root(), Path::new("/nowhere/at/all")).is_err());
}
