//! `cargo xtask service`: the service of `examples/service` on shinkan and on Tokio.
//!
//! Its own Cargo.toml moves it to shinkan by one line. Here is what needs both: its tests with that
//! line and without, starts and stops under load, and the HTTP benchmark.

mod bench;
mod load;
mod servers;
mod side;
mod stops;

use std::path::Path;
use std::process::Command;

use crate::run::say;
use servers::Servers;
use side::{Built, Side};

const USAGE: &str = "\
usage: cargo xtask service [--on shinkan|tokio|both] [WHAT]
  (nothing) | --tests   its tests
  --servers             its tests, with PostgreSQL and Redis started beside it
  --demo                starts it and drives every route, with PostgreSQL and Redis
  --stops N [--release] N starts and graceful stops under load, which lose no accepted request
  --bench [--rounds N] [--seconds S] [--write]
                        wrk against both, interleaved; --write puts the figures in docs/service.md";

/// What to do with the service.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    sides: Vec<Side>,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    Tests { servers: bool },
    Demo,
    Stops { rounds: usize, release: bool },
    Bench(bench::Plan),
}

/// Does what `args` say; true if all went well.
pub(crate) fn start(root: &Path, args: &[&str]) -> Result<bool, String> {
    let options = Options::parse(args)?;
    names_no_runtime(root)?;
    match options.what {
        What::Tests { servers } => {
            let servers = if servers { Some(Servers::start()?) } else { None };
            all(&options.sides, |side| {
                say(&format!("service: its tests on {side}"));
                cargo(root, side, &["test"], servers.as_ref())
            })
        }
        What::Demo => {
            let servers = Servers::start()?;
            all(&options.sides, |side| cargo(root, side, &["run", "--", "demo"], Some(&servers)))
        }
        What::Stops { rounds, release } => all(&options.sides, |side| {
            let built = Built::new(root, side, release)?;
            stops::run(&built, rounds)
        }),
        What::Bench(plan) => {
            let built = |&side: &Side| Built::new(root, side, true);
            let built = options.sides.iter().map(built).collect::<Result<Vec<_>, _>>()?;
            bench::run(root, &built, &plan)
        }
    }
}

impl Options {
    fn parse(args: &[&str]) -> Result<Self, String> {
        let mut sides = None;
        let mut what = What::Tests { servers: false };
        let mut args = args.iter().copied();
        while let Some(arg) = args.next() {
            match arg {
                "--on" => sides = Some(Side::parse(args.next().unwrap_or_default())?),
                "--tests" => what = What::Tests { servers: false },
                "--servers" => what = What::Tests { servers: true },
                "--demo" => what = What::Demo,
                "--stops" => {
                    let rounds = number(args.next())?;
                    what = What::Stops { rounds, release: false };
                }
                "--bench" => what = What::Bench(bench::Plan::default()),
                _ => match (arg, &mut what) {
                    ("--release", What::Stops { release, .. }) => *release = true,
                    ("--rounds", What::Bench(plan)) => plan.rounds = number(args.next())?,
                    ("--seconds", What::Bench(plan)) => plan.seconds = number(args.next())?,
                    ("--write", What::Bench(plan)) => plan.write = true,
                    _ => return Err(USAGE.to_string()),
                },
            }
        }
        let both = || vec![Side::Tokio, Side::Shinkan];
        let usual = if matches!(what, What::Bench(_)) { both() } else { vec![Side::Shinkan] };
        Ok(Self { sides: sides.unwrap_or(usual), what })
    }
}

fn number(arg: Option<&str>) -> Result<usize, String> {
    let number = arg.and_then(|arg| arg.parse().ok()).filter(|&number| number > 0);
    number.ok_or_else(|| USAGE.to_string())
}

/// Goes on after a side that failed.
fn all(sides: &[Side], mut each: impl FnMut(Side) -> Result<bool, String>) -> Result<bool, String> {
    let mut good = true;
    for &side in sides {
        good &= each(side)?;
    }
    Ok(good)
}

fn cargo(
    root: &Path,
    side: Side,
    args: &[&str],
    servers: Option<&Servers>,
) -> Result<bool, String> {
    let folder = side::prepare(root, side)?;
    let mut command = Command::new(crate::cargo());
    command.args(args).current_dir(folder).env("CARGO_TARGET_DIR", side::target(root)?);
    for (name, url) in servers.map(Servers::environment).into_iter().flatten() {
        command.env(name, url);
    }
    let status = command.status().map_err(|e| format!("cannot start cargo: {e}"))?;
    Ok(status.success())
}

/// The service is the same program on both: its source does not know what it runs on.
fn names_no_runtime(root: &Path) -> Result<(), String> {
    let listed =
        crate::output(Command::new("grep").current_dir(root.join("examples/service")).args([
            "-rlic",
            "shinkan",
            "src",
            "tests",
            "build.rs",
            "proto",
            "Cargo.toml",
        ]));
    match listed {
        // grep ends with 1 where it finds nothing.
        Err(_) => Ok(()),
        Ok(files) => Err(format!("the service names a runtime in: {files}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Options {
        Options::parse(&line.split_whitespace().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_is_asked_for() {
        let tests = |servers| What::Tests { servers };
        assert_eq!(parsed(""), Options { sides: vec![Side::Shinkan], what: tests(false) });
        let both = vec![Side::Tokio, Side::Shinkan];
        assert_eq!(parsed("--on both --servers"), Options { sides: both, what: tests(true) });
        let stops = What::Stops { rounds: 100, release: true };
        let tokio = vec![Side::Tokio];
        assert_eq!(
            parsed("--stops 100 --release --on tokio"),
            Options { sides: tokio, what: stops }
        );
        let bench = parsed("--bench --rounds 2 --seconds 3").what;
        assert_eq!(bench, What::Bench(bench::Plan { rounds: 2, seconds: 3, write: false }));
    }

    #[test]
    fn what_makes_no_sense() {
        for line in ["--stops", "--stops 0", "--release", "--on here", "--rounds 3", "x"] {
            assert!(
                Options::parse(&line.split_whitespace().collect::<Vec<_>>()).is_err(),
                "{line}"
            );
        }
    }
}
