//! Programs with `#[main]` and `#[test]`, built and run with three sets of features: with
//! `rt-multi-thread` the flavor may be left out, with `rt` alone `main` must name one, and with
//! neither both say what is missing.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A program, the features that it asks for, and what must come of it.
struct Case {
    name: &'static str,
    features: &'static str,
    text: &'static str,
    outcome: Outcome,
}

enum Outcome {
    /// It and its test run.
    Runs,
    /// The compiler refuses it, with these words.
    Says(&'static [&'static str]),
}

const CASES: [Case; 6] = [
    Case {
        name: "multi",
        features: "\"macros\", \"rt-multi-thread\"",
        text: "\
            #[FRONT::main]\nasync fn main() { here(true); }\n\
            #[FRONT::test]\nasync fn one() { here(false); }\n\
            #[FRONT::test(flavor = \"multi_thread\")]\nasync fn many() { here(true); }\n",
        outcome: Outcome::Runs,
    },
    Case {
        name: "single",
        features: "\"macros\", \"rt\"",
        text: "\
            #[FRONT::main(flavor = \"current_thread\")]\nasync fn main() { here(false); }\n\
            #[FRONT::test]\nasync fn one() { here(false); }\n",
        outcome: Outcome::Runs,
    },
    Case {
        name: "single_default",
        features: "\"macros\", \"rt\"",
        text: "#[FRONT::main]\nasync fn main() {}\n",
        outcome: Outcome::Says(&["rt-multi-thread", "current_thread"]),
    },
    Case {
        name: "single_many",
        features: "\"macros\", \"rt\"",
        text: "fn main() {}\n#[FRONT::test(flavor = \"multi_thread\")]\nasync fn many() {}\n",
        outcome: Outcome::Says(&["rt-multi-thread"]),
    },
    Case {
        name: "none_main",
        features: "\"macros\"",
        text: "#[FRONT::main]\nasync fn main() {}\n",
        outcome: Outcome::Says(&["`#[main]`", "`rt`", "rt-multi-thread"]),
    },
    Case {
        name: "none_test",
        features: "\"macros\"",
        text: "fn main() {}\n#[FRONT::test]\nasync fn one() {}\n",
        outcome: Outcome::Says(&["`#[test]`", "`rt`", "rt-multi-thread"]),
    },
];

/// The flavor that a program finds itself on.
const HERE: &str = "
#[allow(dead_code)]
fn here(many: bool) {
    let flavor = FRONT::runtime::Handle::current().runtime_flavor();
    assert_eq!(flavor == FRONT::runtime::RuntimeFlavor::MultiThread, many);
}
";

/// Builds and runs all cases against the package `front`.
pub(super) fn check(root: &Path, target: &Path, front: &str) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for case in &CASES {
        let folder = target.join("entries").join(format!("{front}-{}", case.name));
        write(root, &folder, front, case)?;
        // `test` builds the program too, for its own tests; `run` as its users do.
        let runs = matches!(case.outcome, Outcome::Runs);
        let steps = if runs { &["test", "run"][..] } else { &["test"] };
        for step in steps {
            findings.extend(judge(front, case, &folder, &target.join("programs"), step)?);
        }
    }
    Ok(findings)
}

fn judge(
    front: &str,
    case: &Case,
    folder: &Path,
    target: &Path,
    step: &str,
) -> Result<Option<String>, String> {
    let mut cargo = Command::new(crate::cargo());
    cargo.args([step, "--offline", "--quiet"]);
    let done = cargo
        .env("CARGO_TARGET_DIR", target)
        .env_remove("RUSTFLAGS")
        .current_dir(folder)
        .output()
        .map_err(|e| format!("cannot start cargo: {e}"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    Ok(verdict(&case.outcome, done.status.success(), &said)
        .map(|what| format!("{front}: program {} {what}:\n{said}", case.name)))
}

/// What is wrong with how a program ended, if anything is.
fn verdict(wanted: &Outcome, ended_well: bool, said: &str) -> Option<String> {
    match wanted {
        Outcome::Runs => (!ended_well).then(|| "does not build or run".to_string()),
        Outcome::Says(_) if ended_well => Some("was not refused".into()),
        Outcome::Says(words) => words
            .iter()
            .find(|word| !said.contains(*word))
            .map(|word| format!("is refused without a word of {word}")),
    }
}

fn write(root: &Path, folder: &Path, front: &str, case: &Case) -> Result<(), String> {
    let say = |e: std::io::Error| format!("{}: {e}", folder.display());
    let package = if front == "tokio" { "compat/tokio" } else { "crates/shinkan" };
    let manifest = format!(
        "[package]\nname = \"entry-{}\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n\
         [dependencies]\n{front} = {{ path = {:?}, default-features = false, features = [{}] }}\n",
        case.name.replace('_', "-"),
        root.join(package),
        case.features,
    );
    let here = if matches!(case.outcome, Outcome::Runs) { HERE } else { "" };
    let text = format!("{}{here}", case.text).replace("FRONT", front);
    crate::write(&folder.join("Cargo.toml"), &manifest)?;
    crate::write(&folder.join("src/main.rs"), &text)?;
    // The versions that are there already, so that nothing has to be fetched.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(say)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let says = Outcome::Says(&["rt-multi-thread"]);
        assert_eq!(verdict(&Outcome::Runs, true, ""), None);
        assert_eq!(verdict(&says, false, "error: turn on rt-multi-thread"), None);
        assert!(verdict(&Outcome::Runs, false, "").is_some());
        assert!(verdict(&says, true, "rt-multi-thread").is_some());
        assert!(verdict(&says, false, "error: cannot find macro").is_some());
    }
}
