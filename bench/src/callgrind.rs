//! Runs rows of this program under callgrind, and reads its profiles. Only this process is counted,
//! user space alone: not the load generator, which is a process of its own, and not the kernel.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// One row on one side, so many operations.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) row: &'a str,
    pub(crate) side: &'a str,
    pub(crate) workers: usize,
    pub(crate) ops: u64,
    /// Where the profile goes.
    pub(crate) out: &'a Path,
}

impl Run<'_> {
    /// What callgrind counted in all.
    pub(crate) fn total(self) -> io::Result<u64> {
        let text = self.profiled(&[], &[])?;
        total(&text).ok_or_else(|| io::Error::other("the profile has no totals"))
    }

    /// What it counted at each address, with intervals that do not follow from the clock: it goes
    /// fifty times too fast here, so that a worker would look around at every step.
    pub(crate) fn profile(self) -> io::Result<Profile> {
        let options = [
            "--dump-instr=yes",
            "--compress-strings=no",
            "--compress-pos=no",
            // Else one worker has the lock, under which valgrind runs threads, for as long as it
            // finds work.
            "--fair-sched=try",
        ];
        let text = self.profiled(&options, &["--steady"])?;
        parse(&text).map_err(io::Error::other)
    }

    fn profiled(self, options: &[&str], more: &[&str]) -> io::Result<String> {
        let Run { row, side, workers, ops, out } = self;
        let (workers, ops) = (workers.to_string(), ops.to_string());
        let status = Command::new("valgrind")
            .args(["--tool=callgrind", "--trace-children=no"])
            .args(options)
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(std::env::current_exe()?)
            .args(["--once", row, "--runtime", side, "--workers", &workers, "--ops", &ops])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("valgrind ended with {status}")));
        }
        std::fs::read_to_string(out)
    }
}

/// An error says that there is no valgrind.
pub(crate) fn check() -> Result<(), String> {
    let there = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    match there {
        Ok(status) if status.success() => Ok(()),
        _ => Err("instructions are counted with valgrind, which does not start; install it".into()),
    }
}

/// A function that has code of its own, with what was inlined into it.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(crate) struct Function {
    /// The file of the program or library.
    pub(crate) object: String,
    pub(crate) name: String,
}

/// What was counted at one address.
#[derive(Debug, PartialEq)]
pub(crate) struct Cost {
    /// Its number in [`Profile::functions`].
    pub(crate) function: usize,
    /// In the object, as its debug information counts.
    pub(crate) address: u64,
    pub(crate) instructions: u64,
}

/// All calls from one address to one function.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) from: usize,
    pub(crate) address: u64,
    pub(crate) to: usize,
    /// Of what was called, and of what that called.
    pub(crate) instructions: u64,
}

/// A profile, without files and lines: the debug information says more, [`crate::owner`].
#[derive(Debug, Default)]
pub(crate) struct Profile {
    pub(crate) functions: Vec<Function>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) calls: Vec<Call>,
}

/// Lines of the head, of which nothing is needed.
const HEAD: [&str; 9] =
    ["version", "creator", "pid", "cmd", "part", "desc", "thread", "summary", "totals"];
/// Source files, likewise.
const FILES: [&str; 5] = ["fl", "fi", "fe", "cfi", "cfl"];

/// What is in force at a line.
#[derive(Default)]
struct Reader {
    profile: Profile,
    numbers: HashMap<(String, String), usize>,
    object: String,
    function: Option<usize>,
    /// Of the call whose line comes next.
    called_object: Option<String>,
    called: Option<usize>,
    is_call: bool,
}

/// Reads a profile that was written uncompressed, with addresses; an error names the line.
pub(crate) fn parse(text: &str) -> Result<Profile, String> {
    let mut reader = Reader::default();
    for (nth, line) in text.lines().enumerate() {
        reader.line(line).ok_or_else(|| format!("line {}: what is `{line}`?", nth + 1))?;
    }
    let sum: u64 = reader.profile.costs.iter().map(|cost| cost.instructions).sum();
    let total = total(text).ok_or("the profile has no totals")?;
    if sum != total {
        return Err(format!("the lines of the profile add up to {sum}, its total is {total}"));
    }
    Ok(reader.profile)
}

fn total(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

impl Reader {
    /// None: it cannot be understood.
    fn line(&mut self, line: &str) -> Option<()> {
        if line.is_empty() || line.starts_with('#') {
            return Some(());
        }
        if line.starts_with("0x") {
            return self.cost(line);
        }
        // Names have colons and equals signs too.
        if let Some((key, name)) = line.split_once('=').filter(|(key, _)| !key.contains(':')) {
            return self.name(key, name);
        }
        match line.split_once(':')? {
            ("positions", positions) => (positions.trim() == "instr line").then_some(()),
            ("events", events) => (events.trim() == "Ir").then_some(()),
            (key, _) => HEAD.contains(&key).then_some(()),
        }
    }

    fn name(&mut self, key: &str, name: &str) -> Option<()> {
        match key {
            "ob" => self.object = name.into(),
            "fn" => self.function = Some(self.number(self.object.clone(), name)),
            "cob" => self.called_object = Some(name.into()),
            "cfn" => {
                let object = self.called_object.take().unwrap_or_else(|| self.object.clone());
                self.called = Some(self.number(object, name));
            }
            "calls" => {
                self.called?;
                self.is_call = true;
            }
            _ => return FILES.contains(&key).then_some(()),
        }
        Some(())
    }

    fn number(&mut self, object: String, name: &str) -> usize {
        let functions = &mut self.profile.functions;
        *self.numbers.entry((object, name.into())).or_insert_with_key(|(object, name)| {
            functions.push(Function { object: object.clone(), name: name.clone() });
            functions.len() - 1
        })
    }

    /// `0xADDRESS LINE COUNT`, of the function itself, or of a call if one was announced.
    fn cost(&mut self, line: &str) -> Option<()> {
        let mut fields = line.strip_prefix("0x")?.split(' ').filter(|field| !field.is_empty());
        let address = u64::from_str_radix(fields.next()?, 16).ok()?;
        let _line: u64 = fields.next()?.parse().ok()?;
        // A count of nothing is left out.
        let instructions = fields.next().map_or(Some(0), |count| count.parse().ok())?;
        let function = self.function?;
        if fields.next().is_some() {
            return None;
        }
        if std::mem::take(&mut self.is_call) {
            let to = self.called.take()?;
            self.profile.calls.push(Call { from: function, address, to, instructions });
        } else {
            self.profile.costs.push(Cost { function, address, instructions });
        }
        Some(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A runtime that calls hyper, which calls the runtime and `memcpy`.
    pub(crate) const PROFILE: &str = "\
# callgrind format
version: 1
creator: callgrind-3.19.0
cmd:  bench --once http_64
desc: Trigger: Program termination

positions: instr line
events: Ir
summary: 1047

ob=/bin/bench
fl=/home/me/crates/rt/src/worker.rs
fn=<shinkan_rt::worker::Worker as core::ops::Fn<(a: u8)>>::step=
0x10 10 5
fi=/rustc/abc/library/core/src/option.rs
0x14 3 7
fe=/home/me/crates/rt/src/worker.rs
0x18 12
cfi=/registry/hyper/src/proto.rs
cfn=hyper::proto::parse
calls=3 0x20 1
0x18 12 1030

fl=/registry/hyper/src/proto.rs
fn=hyper::proto::parse
0x20 1 20
cob=/lib/libc.so.6
cfi=???
cfn=memcpy
calls=2 0x30 0
0x24 2 900
cfn=core::drop
calls=1 0x40 0
0x28 2 110

fl=/rustc/abc/library/core/src/drop.rs
fn=core::drop
0x40 9 10
cob=/lib/libc.so.6
cfi=???
cfn=memcpy
calls=2 0x30 0
0x44 9 100

ob=/lib/libc.so.6
fl=???
fn=memcpy
0x30 0 1000

fn=_start
0x90 0 5

totals: 1047
";

    #[test]
    fn costs_and_calls() {
        let Profile { functions, costs, calls } = parse(PROFILE).unwrap();
        let name = |number: usize| functions[number].name.split(['<', ':']).rfind(|p| p.len() > 3);
        assert_eq!(costs.len(), 7);
        assert_eq!(costs[1], Cost { function: 0, address: 0x14, instructions: 7 });
        assert_eq!(costs[2].instructions, 0);
        let calls: Vec<_> =
            calls.iter().map(|c| (name(c.from), name(c.to), c.address, c.instructions)).collect();
        assert_eq!(calls[0].1, Some("parse"));
        assert_eq!(calls[1], (Some("parse"), Some("memcpy"), 0x24, 900));
        assert_eq!(calls[2], (Some("parse"), Some("drop"), 0x28, 110));
        // One function, whoever calls it.
        assert_eq!(functions.iter().filter(|function| function.name == "memcpy").count(), 1);
        let memcpy = functions.iter().find(|function| function.name == "memcpy").unwrap();
        assert_eq!(memcpy.object, "/lib/libc.so.6");
    }

    #[test]
    fn a_wrong_line_is_an_error_that_names_it() {
        for (right, wrong, what) in [
            ("0x10 10 5", "0x10 ten 5", "line 14: what is `0x10 ten 5`?"),
            ("0x10 10 5", "+3 10 5", "line 14: what is `+3 10 5`?"),
            ("0x10 10 5", "0x10 10 5 5", "line 14: "),
            ("0x10 10 5", "fx=a", "line 14: what is `fx=a`?"),
            ("0x10 10 5", "0x10 10 6", "add up to 1048, its total is 1047"),
            ("cfn=hyper::proto::parse\n", "", "line 20: what is `calls=3 0x20 1`?"),
            ("positions: instr line", "positions: line", "line 7: "),
            ("events: Ir", "events: Ir Dr", "line 8: "),
            ("totals: 1047\n", "", "no totals"),
        ] {
            let error = parse(&PROFILE.replacen(right, wrong, 1)).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
