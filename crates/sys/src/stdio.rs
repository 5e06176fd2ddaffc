//! Standard input, output and error of the process.
//!
//! Through the standard library's own, so that what its buffers hold is neither skipped nor
//! written out of order by programs that use both.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read, Write};
pub use std::io::{stderr, stdin, stdout};

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

/// Writes `text`, the first 4 KiB of it, to standard error unless nobody can take it now. Never
/// waits for who reads it, and not for the lock of who writes there.
pub fn warn(text: &str) {
    let stderr = io::stderr();
    let mut ready = [PollFd::new(&stderr, PollFlags::OUT)];
    if poll(&mut ready, Some(&Timespec::default())).is_ok_and(|n| n == 1) {
        // So much a pipe that is ready takes at once.
        let _ = rustix::io::write(&stderr, &text.as_bytes()[..text.len().min(4096)]);
    }
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
