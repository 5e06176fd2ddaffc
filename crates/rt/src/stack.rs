//! The stack of a stuck thread, as it is told. `taker.rs` takes it, where that was built in.

use core::fmt;

/// Lines that are told of one stack: the first and the last of it where there are more.
const LINES_MAX: usize = 24;

/// Names of functions are cut to this.
const NAME_MAX: usize = 120;

/// Where a stuck thread was: from the innermost function to the one that the runtime called.
///
/// Its `Display` is one line a function, without a line's end behind the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StallStack {
    /// The functions, the innermost first.
    pub frames: Vec<StallFrame>,
    /// The system call that the thread waits in, where it is one of those that often block.
    pub call: Option<&'static str>,
    /// The address that the thread waits for by futex(2), for ever: of a lock, or a channel.
    pub futex: Option<u64>,
    /// It waits for such an address, and no other thread of the program ran at that moment: unless a
    /// timer, a descriptor or another process wakes the one that holds the lock, it waits for itself.
    pub alone: bool,
}

/// One function on such a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StallFrame {
    /// Its name, where the program has symbols.
    pub function: Option<String>,
    /// Its source file, where there is debug information.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
    /// The program or library, where the source file is not known.
    pub object: Option<String>,
}

impl fmt::Display for StallStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.frames.len();
        let left_out = if count > LINES_MAX { LINES_MAX / 2..count - LINES_MAX / 2 } else { 0..0 };
        let mut between = "";
        for (at, frame) in self.frames.iter().enumerate() {
            if at == left_out.start && !left_out.is_empty() {
                write!(f, "{between}    … {} more", left_out.len())?;
            }
            if !left_out.contains(&at) {
                write!(f, "{between}  {at:>3}: {frame}")?;
            }
            between = "\n";
        }
        if self.alone {
            f.write_str(between)?;
            f.write_str(
                "  no other thread of the program runs: unless a timer or a descriptor wakes who \
                 holds that lock, the thread waits for itself",
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for StallFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.function.as_deref().unwrap_or("?");
        match name.char_indices().nth(NAME_MAX) {
            Some((end, _)) => write!(f, "{}…", &name[..end])?,
            None => f.write_str(name)?,
        }
        let file = self.file.as_deref().map(within_std);
        match (file, self.line, &self.object) {
            (Some(file), Some(line), _) => write!(f, " at {file}:{line}"),
            (Some(file), None, _) => write!(f, " at {file}"),
            (None, _, Some(object)) => write!(f, " in {object}"),
            (None, _, None) => Ok(()),
        }
    }
}

/// Without the name of the machine's folder that the standard library was built in, a hash.
fn within_std(file: &str) -> &str {
    let rest = file.strip_prefix("/rustc/").and_then(|rest| rest.split_once('/'));
    rest.map_or(file, |(_, within)| within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str) -> StallFrame {
        StallFrame { function: Some(name.into()), ..StallFrame::default() }
    }

    #[test]
    fn a_line_names_function_file_and_line() {
        let mut frame = frame("std::thread::sleep");
        assert_eq!(frame.to_string(), "std::thread::sleep");
        frame.object = Some("app".into());
        assert_eq!(frame.to_string(), "std::thread::sleep in app");
        (frame.file, frame.line) = (Some("/rustc/0123/library/std/src/thread.rs".into()), Some(7));
        assert_eq!(frame.to_string(), "std::thread::sleep at library/std/src/thread.rs:7");
    }

    #[test]
    fn a_deep_stack_is_told_from_both_ends() {
        let frames = (0..100).map(|at| frame(&format!("f{at}"))).collect();
        let text = StallStack { frames, ..StallStack::default() }.to_string();
        assert_eq!(text.lines().count(), LINES_MAX + 1, "{text}");
        assert!(text.contains("f0") && text.contains("76 more") && text.contains("f99"), "{text}");
    }
}
