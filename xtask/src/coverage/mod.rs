//! `cargo xtask coverage`: runs the tests, those in the documentation among them, with the
//! compiler's counters in place, and names each public function of shinkan that none of them
//! called. xtask/uncalled.txt lists those that were argued; a line of it that a test calls after
//! all is a finding too.
//!
//! Functions are found by where they stand, not by name: a generic one has as many names as
//! there are types that it was compiled for, and one that nothing calls has none.

mod counts;
mod exceptions;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::api::functions::{self, Function};
use counts::Counts;
use exceptions::Exceptions;

const LIST: &str = "xtask/uncalled.txt";
/// What users see and what it stands on. The others (`sim`, `diag`) test their own.
const PACKAGES: [&str; 11] = [
    "shinkan-base",
    "shinkan-context",
    "shinkan-wheel",
    "shinkan-io",
    "shinkan-task",
    "shinkan-sync",
    "shinkan-driver",
    "shinkan-rt",
    "shinkan-macros",
    "shinkan",
    "tokio",
];
/// They run the compiler, on crates of their own, and would have all of it built again.
const NOT_RUN: [&str; 2] = ["mistakes_are_told", "a_future_that_"];
/// The documentation's tests can be counted since rustdoc can keep their programs, which is not
/// stable yet.
const DOC_FLAGS: &str = "-C instrument-coverage -Z unstable-options --persist-doctests";

/// Runs and reports; true if every public function was called or argued.
pub(crate) fn start(root: &Path) -> Result<bool, String> {
    let tools = Tools::find()?;
    let exceptions = Exceptions::read(&root.join(LIST)).map_err(|e| format!("{LIST}{e}"))?;
    let target = crate::target(root)?.join("coverage");
    let functions = functions::of_shinkan(root)?;
    let run = Run { root, host: &tools.host, target: &target };
    let programs = run.tests()?;
    let counts = Counts::parse(&tools.counts(&target, &programs)?, root);
    Ok(report(&functions, &counts, &exceptions))
}

fn report(functions: &[Function], counts: &Counts, exceptions: &Exceptions) -> bool {
    let is_called = |function: &&Function| counts.is_called(&function.file, function.lines);
    let (called, uncalled): (Vec<_>, Vec<_>) = functions.iter().partition(is_called);
    let open: Vec<_> = uncalled.iter().filter(|one| !exceptions.has(&one.path)).collect();
    for Function { path, file, lines } in &open {
        println!("no test calls {path} ({file}:{})", lines.0);
    }
    let idle = exceptions.idle(&uncalled.iter().map(|one| one.path.as_str()).collect());
    idle.iter().for_each(|line| println!("{LIST}, {line}"));
    println!(
        "coverage: {} of {} public functions called, {} argued, {} findings",
        called.len(),
        functions.len(),
        uncalled.len() - open.len(),
        open.len() + idle.len()
    );
    open.is_empty() && idle.is_empty()
}

/// LLVM's programs that read counters, of the version that the compiler writes.
struct Tools {
    host: String,
    profdata: PathBuf,
    cov: PathBuf,
}

impl Tools {
    fn find() -> Result<Self, String> {
        let about = crate::output(Command::new("rustc").arg("-vV"))?;
        let host = about.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or("rustc -vV names no host")?.to_string();
        let sysroot = crate::output(Command::new("rustc").args(["--print", "sysroot"]))?;
        let bin = Path::new(sysroot.trim()).join("lib/rustlib").join(&host).join("bin");
        let find = |name: &str| {
            let path = bin.join(name);
            path.is_file().then_some(path).ok_or_else(|| {
                format!("{name} is missing in {}: `rustup component add llvm-tools`", bin.display())
            })
        };
        Ok(Self { profdata: find("llvm-profdata")?, cov: find("llvm-cov")?, host })
    }

    /// What the programs counted, in lcov's words.
    fn counts(&self, target: &Path, programs: &[PathBuf]) -> Result<String, String> {
        let (profiles, merged) = (target.join("profiles"), target.join("merged"));
        let mut profdata = Command::new(&self.profdata);
        profdata.args(["merge", "--sparse", "-o"]).arg(&merged).arg(&profiles);
        crate::output(&mut profdata)?;
        let mut cov = Command::new(&self.cov);
        cov.args(["export", "--format=lcov", "--skip-branches"]);
        cov.arg("--ignore-filename-regex=/(registry|rustlib|rustc)/");
        cov.arg("--instr-profile").arg(&merged);
        for program in programs {
            cov.arg("--object").arg(program);
        }
        crate::output(&mut cov)
    }
}

struct Run<'a> {
    root: &'a Path,
    host: &'a str,
    target: &'a Path,
}

impl Run<'_> {
    /// Runs all tests anew; the programs that they are in.
    fn tests(&self) -> Result<Vec<PathBuf>, String> {
        for old in ["profiles", "doctests"] {
            match fs::remove_dir_all(self.target.join(old)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.to_string()),
                _ => {}
            }
        }
        let mut build = self.cargo("");
        build.args(["--no-run", "--message-format=json-render-diagnostics"]);
        let messages = crate::output(self.all(&mut build).stderr(Stdio::inherit()))?;
        let mut run = self.cargo("");
        self.all(&mut run).args(["--no-fail-fast", "--"]);
        run.args(NOT_RUN.iter().flat_map(|test| ["--skip", test]));
        succeed(run)?;
        // One package at a time: the program of each would be kept under the same name.
        for name in PACKAGES {
            let mut run = self.cargo(name);
            run.args(["--doc", "-p", name]);
            if name == "shinkan" {
                run.args(["--features", "test-util"]);
            }
            succeed(run)?;
        }
        let mut programs = counts::programs(&messages);
        counts::files(&self.target.join("doctests"), &mut programs)?;
        Ok(programs)
    }

    /// All but the documentation's.
    fn all<'c>(&self, cargo: &'c mut Command) -> &'c mut Command {
        cargo.args(["--lib", "--bins", "--tests", "--features", crate::api::FEATURES]);
        cargo.args(PACKAGES.iter().flat_map(|name| ["-p", name]))
    }

    /// With a target named, what runs while compiling is compiled without counters.
    fn cargo(&self, package: &str) -> Command {
        let mut cargo = Command::new(crate::cargo());
        cargo.current_dir(self.root).args(["test", "--quiet", "--target", self.host]);
        let kept = self.target.join("doctests").join(package);
        let doc_flags = format!("{DOC_FLAGS} {}", kept.display());
        // One file for each program and up to eight of its runs side by side, merged as they end.
        let profiles = self.target.join("profiles/%8m.profraw");
        cargo
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-C instrument-coverage")
            .env("RUSTDOCFLAGS", doc_flags)
            .env("CARGO_TARGET_DIR", self.target)
            .env("LLVM_PROFILE_FILE", profiles);
        cargo
    }
}

fn succeed(mut tests: Command) -> Result<(), String> {
    let status = tests.status().map_err(|e| format!("cannot start cargo: {e}"))?;
    let failed = || "coverage: a test failed, so what the others called says little".to_string();
    status.success().then_some(()).ok_or_else(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(path: &str, line: u64) -> Function {
        Function { path: path.into(), file: "src/lib.rs".into(), lines: (line, line + 3) }
    }

    #[test]
    fn a_function_that_nothing_calls_is_found() {
        let text = "SF:/top/src/lib.rs\nFN:10,a\nFN:20,b\nFNDA:1,a\nFNDA:0,b\nend_of_record\n";
        let counts = Counts::parse(text, Path::new("/top"));
        let none = Exceptions::default();
        assert!(report(&[function("crate::a", 10)], &counts, &none));
        assert!(!report(&[function("crate::a", 10), function("crate::b", 20)], &counts, &none));
        assert!(!report(&[function("crate::never_compiled", 30)], &counts, &none));
    }

    #[test]
    fn an_argued_one_is_let_pass_until_it_is_called() {
        let text = "SF:/top/src/lib.rs\nFN:10,a\nFNDA:1,a\n";
        let counts = Counts::parse(text, Path::new("/top"));
        let argued = Exceptions::parse("crate::b — only a reboot calls it\n").unwrap();
        assert!(report(&[function("crate::b", 20)], &counts, &argued));
        assert!(!report(&[function("crate::b", 10)], &counts, &argued));
    }
}
