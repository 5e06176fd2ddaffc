//! `Empty`, `Sink` and `Repeat`: streams that are always ready.
//!
//! They never wait, so each operation takes budget: a task that copies from one to another forever
//! would not let the others run else.

use crate::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use bytes::BufMut;
use shinkan_context::budget;
use std::fmt;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

#[inline]
fn poll_unit(cx: &mut Context<'_>) -> Poll<()> {
    budget::poll_proceed(cx).map(|unit| unit.made_progress())
}

#[inline]
fn total(bufs: &[IoSlice<'_>]) -> usize {
    bufs.iter().map(|buf| buf.len()).sum()
}

/// A stream that is at its end, and into which anything may be written, for nothing.
pub struct Empty(());

/// A stream that is at its end: reads return nothing, writes are taken and forgotten.
///
/// # Examples
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use shinkan_io::{AsyncReadExt, empty};
/// let mut text = String::new();
/// assert_eq!(empty().read_to_string(&mut text).await?, 0);
/// # Ok(())
/// # }
/// ```
pub fn empty() -> Empty {
    Empty(())
}

impl fmt::Debug for Empty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Empty { .. }")
    }
}

impl AsyncRead for Empty {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        poll_unit(cx).map(Ok)
    }
}

impl AsyncBufRead for Empty {
    #[inline]
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        poll_unit(cx).map(|()| Ok(&[][..]))
    }

    #[inline]
    fn consume(self: Pin<&mut Self>, _: usize) {}
}

impl AsyncSeek for Empty {
    #[inline]
    fn start_seek(self: Pin<&mut Self>, _: SeekFrom) -> io::Result<()> {
        Ok(())
    }

    #[inline]
    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        poll_unit(cx).map(|()| Ok(0))
    }
}

/// A writer that forgets what it is given.
pub struct Sink(());

/// A writer that takes everything and forgets it.
pub fn sink() -> Sink {
    Sink(())
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Sink { .. }")
    }
}

macro_rules! forget_what_is_written {
    () => {
        #[inline]
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            poll_unit(cx).map(|()| Ok(buf.len()))
        }

        #[inline]
        fn poll_write_vectored(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            poll_unit(cx).map(|()| Ok(total(bufs)))
        }

        #[inline]
        fn is_write_vectored(&self) -> bool {
            true
        }

        #[inline]
        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            poll_unit(cx).map(Ok)
        }

        #[inline]
        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            poll_unit(cx).map(Ok)
        }
    };
}

impl AsyncWrite for Empty {
    forget_what_is_written!();
}

impl AsyncWrite for Sink {
    forget_what_is_written!();
}

/// A reader that returns one byte, again and again.
#[derive(Debug)]
pub struct Repeat {
    byte: u8,
}

/// A reader that returns `byte` without end.
pub fn repeat(byte: u8) -> Repeat {
    Repeat { byte }
}

impl AsyncRead for Repeat {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(poll_unit(cx));
        buf.put_bytes(self.byte, buf.remaining());
        Poll::Ready(Ok(()))
    }
}
