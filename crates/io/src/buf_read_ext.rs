//! `AsyncBufReadExt`: what programs call on a reader with a buffer.

use crate::read_until::{FillBuf, ReadLine, ReadUntil};
use crate::{AsyncBufRead, Lines, Split};
use std::pin::Pin;

/// Reads lines and the like. Every [`AsyncBufRead`] has these methods.
///
/// # Examples
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use shinkan_io::{AsyncBufReadExt, BufReader};
/// let mut lines = BufReader::new(&b"one\ntwo\n"[..]).lines();
/// assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
/// assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
/// assert_eq!(lines.next_line().await?, None);
/// # Ok(())
/// # }
/// ```
pub trait AsyncBufReadExt: AsyncBufRead {
    /// Reads up to and with the first `byte`, or to the end of the stream, appends it to `buf`,
    /// and returns how many bytes were read; 0 at the end of the stream.
    ///
    /// # Errors
    /// What the reader answers, `Interrupted` apart. What was read before is in `buf`.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was read is in `buf`, and a second call goes on from there. It returns
    /// the number of bytes that it read itself.
    fn read_until<'a>(&'a mut self, byte: u8, buf: &'a mut Vec<u8>) -> ReadUntil<'a, Self>
    where
        Self: Unpin,
    {
        ReadUntil::new(self, byte, buf)
    }

    /// Reads up to and with the end of the line (`\n`), or to the end of the stream, appends it to
    /// `buf`, and returns how many bytes were read; 0 at the end of the stream.
    ///
    /// # Errors
    /// What the reader answers, `Interrupted` apart; what was read before is in `buf`, if it is
    /// UTF-8. `InvalidData` where the line is not UTF-8; it is skipped then, and `buf` is as it was
    /// before.
    ///
    /// # Cancel safety
    /// What was read is lost, and so is what `buf` held: it is empty. [`lines`](Self::lines) keeps
    /// what it has read.
    fn read_line<'a>(&'a mut self, buf: &'a mut String) -> ReadLine<'a, Self>
    where
        Self: Unpin,
    {
        ReadLine::new(self, buf)
    }

    /// The pieces between the delimiters `byte`, without them.
    fn split(self, byte: u8) -> Split<Self>
    where
        Self: Sized + Unpin,
    {
        Split::new(self, byte)
    }

    /// Returns what the buffer holds, filling it first where it is empty. An empty slice means the
    /// end of the stream. Bytes stay there until [`consume`](Self::consume) takes them away.
    ///
    /// # Errors
    /// What the reader answers.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    fn fill_buf(&mut self) -> FillBuf<'_, Self>
    where
        Self: Unpin,
    {
        FillBuf::new(self)
    }

    /// Takes `amt` bytes away, at most as many as [`fill_buf`](Self::fill_buf) returned.
    ///
    /// # Panics
    /// Some readers panic where `amt` is more than that.
    fn consume(&mut self, amt: usize)
    where
        Self: Unpin,
    {
        Pin::new(self).consume(amt);
    }

    /// The lines, without their ends (`\n` or `\r\n`).
    fn lines(self) -> Lines<Self>
    where
        Self: Sized,
    {
        Lines::new(self)
    }
}

impl<R: AsyncBufRead + ?Sized> AsyncBufReadExt for R {}
