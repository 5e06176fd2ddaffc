//! What llvm-cov says of functions, as lcov's tracefiles write it: `SF:file`, `FN:line,name`,
//! `FNDA:count,name`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// By file, the lines on which stands a function, or a closure, that was called.
#[derive(Debug, Default)]
pub(super) struct Counts {
    called: BTreeMap<String, BTreeSet<u64>>,
}

impl Counts {
    /// Files are named from `root`, as rustdoc names them.
    pub(super) fn parse(lcov: &str, root: &Path) -> Self {
        let mut counts = Self::default();
        let (mut file, mut lines) = (String::new(), HashMap::new());
        for record in lcov.lines() {
            let Some((word, rest)) = record.split_once(':') else { continue };
            match word {
                "SF" => {
                    let path = Path::new(rest);
                    file = path.strip_prefix(root).unwrap_or(path).display().to_string();
                    lines.clear();
                }
                "FN" => {
                    if let Some((line, name)) = number(rest) {
                        lines.insert(name, line);
                    }
                }
                "FNDA" => {
                    let called = number(rest).filter(|(count, _)| *count > 0);
                    if let Some(&line) = called.and_then(|(_, name)| lines.get(name)) {
                        counts.called.entry(file.clone()).or_default().insert(line);
                    }
                }
                _ => {}
            }
        }
        counts
    }

    /// Whether something that starts on one of these lines was called. What stands inside a
    /// function, its future or a closure, is not reached without it.
    pub(super) fn is_called(&self, file: &str, (first, last): (u64, u64)) -> bool {
        self.called.get(file).is_some_and(|lines| lines.range(first..=last).next().is_some())
    }
}

/// `12,rest`. A name may have commas.
fn number(text: &str) -> Option<(u64, &str)> {
    let (number, rest) = text.split_once(',')?;
    Some((number.parse().ok()?, rest))
}

/// The programs named in cargo's JSON messages.
pub(super) fn programs(messages: &str) -> Vec<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.filter_map(|message| Some(message["executable"].as_str()?.into())).collect()
}

/// Adds all programs under a folder.
pub(super) fn files(folder: &Path, out: &mut Vec<PathBuf>) -> Result<(), String> {
    let say = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in fs::read_dir(folder).map_err(say)? {
        let entry = entry.map_err(say)?;
        let about = entry.metadata().map_err(say)?;
        if about.is_dir() {
            files(&entry.path(), out)?;
        } else if about.permissions().mode() & 0o111 != 0 {
            out.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LCOV: &str = "\
SF:/top/crates/a/src/lib.rs
FN:10,_Rpoll
FN:20,_Rone<u8, u16>
FN:20,_Rone<u8, u32>
FN:31,_Rnever
FNDA:0,_Rpoll
FNDA:0,_Rone<u8, u16>
FNDA:7,_Rone<u8, u32>
FNDA:0,_Rnever
end_of_record
SF:/top/crates/b/src/lib.rs
FN:10,_Rpoll
FNDA:1,_Rpoll
end_of_record
";

    #[test]
    fn one_of_several_instances_is_enough() {
        let counts = Counts::parse(LCOV, Path::new("/top"));
        assert!(counts.is_called("crates/a/src/lib.rs", (20, 25)));
        assert!(!counts.is_called("crates/a/src/lib.rs", (30, 40)));
    }

    #[test]
    fn files_are_kept_apart() {
        let counts = Counts::parse(LCOV, Path::new("/top"));
        assert!(!counts.is_called("crates/a/src/lib.rs", (10, 10)));
        assert!(counts.is_called("crates/b/src/lib.rs", (10, 10)));
        assert!(!counts.is_called("crates/c/src/lib.rs", (10, 10)));
    }

    #[test]
    fn what_runs_inside_counts_for_the_whole() {
        let counts = Counts::parse(LCOV, Path::new("/top"));
        assert!(counts.is_called("crates/a/src/lib.rs", (18, 25)));
    }

    #[test]
    fn programs_of_every_kind() {
        let messages = "{\"executable\":\"/t/deps/unit-1\"}\nno json\n{\"executable\":null}\n";
        assert_eq!(programs(messages), [PathBuf::from("/t/deps/unit-1")]);
    }
}
