//! Standard output as a writer.

use super::writer::Writer;
use shinkan_driver::ops::{self, Output};
use shinkan_io::AsyncWrite;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Standard output of the process. See [`stdout`].
pub struct Stdout {
    std: io::Stdout,
    writer: Writer,
}

/// Standard output of the process.
///
/// A write is copied, at most 2 MiB of it at once, and handed to a thread that may block; the next
/// write or flush waits for it and gives its error. So a program that writes and ends has to
/// flush, or it never learns of an error. What was taken is written also where the runtime ends,
/// as long as that is waited for.
///
/// The bytes go through [`std::io::stdout`], which keeps an unfinished line until it is flushed;
/// what `println!` prints meanwhile comes before or after a write, not within it. Writes through
/// several handles are not ordered with each other.
///
/// # Cancel safety
/// `write` loses nothing if it is dropped: bytes were taken, or none. A `write_all` that is
/// dropped may have written a part.
///
/// # Examples
/// ```
/// use shinkan::io::{AsyncWriteExt, stdout};
///
/// # shinkan::runtime::Runtime::new()?.block_on(async {
/// let mut stdout = stdout();
/// stdout.write_all(b"all aboard\n").await?;
/// stdout.flush().await?;
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn stdout() -> Stdout {
    let writer = Writer::new(Output::Stdout, Location::caller());
    Stdout { std: ops::stdout(), writer }
}

/// # Panics
/// Outside a runtime.
impl AsyncWrite for Stdout {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writer.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.poll_flush(cx)
    }

    /// As a flush: the descriptor is the process's and stays open.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.poll_flush(cx)
    }
}

impl AsFd for Stdout {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.std.as_fd()
    }
}

impl AsRawFd for Stdout {
    fn as_raw_fd(&self) -> RawFd {
        self.std.as_raw_fd()
    }
}

impl fmt::Debug for Stdout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdout").finish_non_exhaustive()
    }
}
