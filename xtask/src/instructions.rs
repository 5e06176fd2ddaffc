//! `cargo xtask instructions`: what the rows of a fixed cost take, in instructions of the processor
//! as callgrind counts them, held against the figures that the repository keeps. They are the same
//! on a busy machine, so that a change of a percent shows where a clock would show nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::say;

const FILE: &str = "bench/instructions.txt";
/// Percent by which a row may grow.
const GROWTH_MAX_PERCENT: f64 = 3.0;
/// On a busy machine a worker looks at its sockets more often in the same number of steps, which
/// makes a percent or two, always upwards: of so many counts, the least is right.
const COUNTS: usize = 3;
const HEAD: &str = "\
# Instructions an operation on shinkan with one worker, user space only, all threads.
# `cargo xtask instructions --bless` writes this file; without it the command fails where a row
# takes 3% more. The figures belong to this compiler and C library; others only get a warning.
";

/// The kept figures, and what they were made with.
#[derive(Debug, PartialEq)]
struct Kept {
    made_with: String,
    rows: BTreeMap<String, f64>,
}

/// `args` are `--bless`, `--kept FILE` and words of rows' names; true if no row has grown.
pub(crate) fn start(root: &Path, args: &[&str]) -> Result<bool, String> {
    let (mut bless, mut file, mut words) = (false, FILE, Vec::new());
    let mut args = args.iter().copied();
    while let Some(arg) = args.next() {
        match arg {
            "--bless" => bless = true,
            "--kept" => file = args.next().ok_or("--kept wants a file")?,
            flag if flag.starts_with('-') => return Err(format!("instructions: what is {flag}?")),
            word => words.push(word.to_string()),
        }
    }
    let path = root.join(file);
    let mut kept = match fs::read_to_string(&path) {
        Ok(text) => parse(&text)?,
        Err(_) if bless => Kept { made_with: String::new(), rows: BTreeMap::new() },
        Err(error) => return Err(format!("{file}: {error}")),
    };
    let here = made_with(root)?;
    let mut now = count(root, &words, &kept.rows)?;
    for _ in 1..COUNTS {
        let again = if bless { words.clone() } else { grown(&kept.rows, &now) };
        if again.is_empty() && !bless {
            break;
        }
        for (row, count) in count(root, &again, &kept.rows)? {
            now.entry(row).and_modify(|least| *least = least.min(count));
        }
    }
    if bless {
        if words.is_empty() {
            kept.rows.clear();
        } else if kept.made_with != here {
            return Err(format!("the other rows were made with {}; bless all", kept.made_with));
        }
        kept.rows.extend(now);
        kept.made_with = here;
        crate::write(&path, &render(&kept))?;
        return Ok(true);
    }
    let wrong = wrong(&kept.rows, &now, words.is_empty());
    wrong.iter().for_each(|line| say(line));
    // A file that names no compiler is for all.
    if !kept.made_with.is_empty() && here != kept.made_with {
        let made_with = kept.made_with;
        say(&format!("warning: {file} was made with {made_with}, this is {here}: no verdict"));
        return Ok(true);
    }
    say(&format!("instructions: {} rows, {} wrong", now.len(), wrong.len()));
    Ok(wrong.is_empty())
}

/// What is wrong with the figures of now; rows that were left out only matter where `all` were
/// asked for.
fn wrong(kept: &BTreeMap<String, f64>, now: &BTreeMap<String, f64>, all: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in grown(kept, now) {
        let (before, count) = (kept[&row], now[&row]);
        wrong.push(format!(
            "{row}: {count:.1} instructions, {before:.1} are kept: {:.1}% more; make it cheaper, \
             or bless it and say why in the commit",
            growth_percent(before, count)
        ));
    }
    let new = now.keys().filter(|row| !kept.contains_key(*row));
    wrong.extend(new.map(|row| format!("{row}: not kept yet; bless it")));
    let gone = kept.keys().filter(|row| all && !now.contains_key(*row));
    wrong.extend(gone.map(|row| format!("{row}: kept, but there is no such row; bless")));
    wrong
}

/// The rows that take more than they may.
fn grown(kept: &BTreeMap<String, f64>, now: &BTreeMap<String, f64>) -> Vec<String> {
    let too_many = |row: &str, count| {
        kept.get(row).is_some_and(|&before| growth_percent(before, count) > GROWTH_MAX_PERCENT)
    };
    now.iter().filter(|&(row, &count)| too_many(row, count)).map(|(row, _)| row.clone()).collect()
}

fn growth_percent(before: f64, now: f64) -> f64 {
    (now / before - 1.0) * 100.0
}

fn parse(text: &str) -> Result<Kept, String> {
    let mut kept = Kept { made_with: String::new(), rows: BTreeMap::new() };
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if let Some(made_with) = line.strip_prefix("made with ") {
            kept.made_with = made_with.trim().to_string();
            continue;
        }
        let row =
            line.split_once(' ').and_then(|(row, count)| Some((row, count.trim().parse().ok()?)));
        let (row, count) = row.ok_or_else(|| format!("{FILE}: `{line}` is no `row count`"))?;
        kept.rows.insert(row.to_string(), count);
    }
    Ok(kept)
}

fn render(kept: &Kept) -> String {
    let mut text = format!("{HEAD}made with {}\n\n", kept.made_with);
    for (row, count) in &kept.rows {
        text.push_str(&format!("{row:25} {count:9.1}\n"));
    }
    text
}

/// What moves the figures without a change of ours: the compiler, and the C library's allocator.
fn made_with(root: &Path) -> Result<String, String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let rustc = crate::output(Command::new(rustc).arg("--version").current_dir(root))?;
    let libc = crate::output(Command::new("getconf").arg("GNU_LIBC_VERSION"))?;
    Ok(format!("{}, {}, {}", rustc.trim(), libc.trim(), std::env::consts::ARCH))
}

/// Builds the comparison as users would and lets it count; prints each row as it comes.
fn count(
    root: &Path,
    words: &[String],
    kept: &BTreeMap<String, f64>,
) -> Result<BTreeMap<String, f64>, String> {
    let profiles = crate::target(root)?.join("callgrind");
    let mut bench = crate::bench::command(root)?;
    bench.args(["--counted", "--runtime", "shinkan", "--instructions"]).arg(&profiles).args(words);
    let mut child = bench
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {bench:?}: {error}"))?;
    let mut rows = BTreeMap::new();
    for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
        let line = line.map_err(|error| error.to_string())?;
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [row, "shinkan", count] = fields[..] else { continue };
        let count: f64 = count.parse().map_err(|_| format!("`{line}` has no count"))?;
        let before = kept.get(row).map_or(String::new(), |&before| {
            format!("  kept {before:9.1}  {:+.1}%", growth_percent(before, count))
        });
        say(&format!("{row:25} {count:9.1}{before}"));
        rows.insert(row.to_string(), count);
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(rows) } else { Err(format!("{bench:?} ended with {status}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(&str, f64)]) -> BTreeMap<String, f64> {
        rows.iter().map(|&(row, count)| (row.to_string(), count)).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let kept =
            Kept { made_with: "rustc 1, glibc 2".into(), rows: rows(&[("a", 1.5), ("b", 7.0)]) };
        assert_eq!(parse(&render(&kept)), Ok(kept));
        assert!(parse("a b c\n").is_err());
    }

    #[test]
    fn only_more_than_the_limit_is_wrong() {
        let kept = rows(&[("a", 100.0)]);
        assert_eq!(wrong(&kept, &rows(&[("a", 102.9)]), true), [""; 0]);
        assert_eq!(wrong(&kept, &rows(&[("a", 50.0)]), true), [""; 0]);
        let found = wrong(&kept, &rows(&[("a", 103.1)]), true);
        assert!(
            found[0].starts_with("a: 103.1 instructions, 100.0 are kept: 3.1% more"),
            "{found:?}"
        );
    }

    #[test]
    fn rows_that_come_and_go() {
        let (kept, now) = (rows(&[("a", 1.0)]), rows(&[("b", 1.0)]));
        assert_eq!(wrong(&kept, &now, true).len(), 2);
        assert_eq!(wrong(&kept, &now, false).len(), 1, "`a` was not asked for");
    }
}
