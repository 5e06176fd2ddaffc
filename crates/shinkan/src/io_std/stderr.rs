//! Standard error as a writer.

use super::writer::Writer;
use shinkan_driver::ops::{self, Output};
use shinkan_io::AsyncWrite;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Standard error of the process. See [`stderr`].
pub struct Stderr {
    std: io::Stderr,
    writer: Writer,
}

/// Standard error of the process.
///
/// A write is copied, at most 2 MiB of it at once, and handed to a thread that may block; the next
/// write or flush waits for it and gives its error. What was taken is written also where the
/// runtime ends, as long as that is waited for. Writes through several handles are not ordered
/// with each other.
///
/// # Cancel safety
/// `write` loses nothing if it is dropped: bytes were taken, or none. A `write_all` that is
/// dropped may have written a part.
///
/// # Examples
/// ```
/// use shinkan::io::{AsyncWriteExt, stderr};
///
/// # shinkan::runtime::Runtime::new()?.block_on(async {
/// let mut stderr = stderr();
/// stderr.write_all(b"mind the gap\n").await?;
/// stderr.flush().await?;
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn stderr() -> Stderr {
    let writer = Writer::new(Output::Stderr, Location::caller());
    Stderr { std: ops::stderr(), writer }
}

/// # Panics
/// Outside a runtime.
impl AsyncWrite for Stderr {
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

impl AsFd for Stderr {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.std.as_fd()
    }
}

impl AsRawFd for Stderr {
    fn as_raw_fd(&self) -> RawFd {
        self.std.as_raw_fd()
    }
}

impl fmt::Debug for Stderr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stderr").finish_non_exhaustive()
    }
}
