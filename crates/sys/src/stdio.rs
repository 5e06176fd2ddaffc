//! Standard input, output and error of the process.
//!
//! Through the standard library's own, so that what its buffers hold is neither skipped nor
//! written out of order by programs that use both.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read, Write};
pub use std::io::{stderr, stdin, stdout};
use std::os::fd::AsFd;

/// Reads from standard input and blocks until there is something; 0 at the end.
///
/// # Errors
/// Those of read(2).
pub fn read_stdin(buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match io::stdin().read(buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Writes `text` to standard error unless nobody can take it now. Never waits for who reads it, but
/// 100 ms for each 4 KiB behind the first, and not for the lock of who writes there.
pub fn warn(text: &str) {
    warn_on(io::stderr(), text);
}

fn warn_on(to: impl AsFd, text: &str) {
    let rest = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    let (mut left, mut patience) = (text.as_bytes(), Timespec::default());
    while !left.is_empty() {
        let mut ready = [PollFd::new(&to, PollFlags::OUT)];
        if !poll(&mut ready, Some(&patience)).is_ok_and(|n| n == 1) {
            return;
        }
        match rustix::io::write(&to, piece(left)) {
            Ok(written) => left = &left[written..],
            Err(_) => return,
        }
        patience = rest;
    }
}

/// So much as a pipe that is ready takes at once: whole lines, as far as there are any.
fn piece(text: &[u8]) -> &[u8] {
    const AT_ONCE: usize = 4096;
    if text.len() <= AT_ONCE {
        return text;
    }
    let text = &text[..AT_ONCE];
    let end = text.iter().rposition(|byte| *byte == b'\n');
    end.map_or(text, |end| &text[..=end])
}

/// Which of the two that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output, which keeps an unfinished line until it is flushed.
    Stdout,
    /// Standard error, which keeps nothing.
    Stderr,
}

impl Output {
    /// Writes all of it and blocks until it is taken.
    ///
    /// # Errors
    /// Those of write(2).
    pub fn write_all(self, buf: &[u8]) -> io::Result<()> {
        match self {
            Output::Stdout => io::stdout().write_all(buf),
            Output::Stderr => io::stderr().write_all(buf),
        }
    }

    /// Writes what is kept.
    ///
    /// # Errors
    /// Those of write(2).
    pub fn flush(self) -> io::Result<()> {
        match self {
            Output::Stdout => io::stdout().flush(),
            Output::Stderr => io::stderr().flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_written_whole_in_pieces_of_whole_lines() {
        let (mut reader, writer) = io::pipe().unwrap();
        // Which the pipe has room for.
        let text: String = (0..3_000).map(|line| format!("line {line}\n")).collect();
        warn_on(writer, &text);
        let mut all = String::new();
        reader.read_to_string(&mut all).unwrap();
        assert_eq!(all, text);
        assert_eq!(piece(&text.as_bytes()[..4096]).len(), 4096);
        let first = piece(text.as_bytes());
        assert!((4080..4096).contains(&first.len()) && first.ends_with(b"\n"));
        assert_eq!(piece(&[b'x'; 5000]).len(), 4096);
    }

    #[test]
    fn nobody_is_waited_for_who_does_not_read() {
        let (reader, writer) = io::pipe().unwrap();
        warn_on(&writer, &"x".repeat(200_000));
        drop(reader);
        warn_on(&writer, "nor who is gone");
    }
}
