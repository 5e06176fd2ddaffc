//! `Lines` and `Split`: a reader cut into pieces.

use crate::AsyncBufRead;
use crate::read_until::poll_until;
use pin_project_lite::pin_project;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{io, mem};

pin_project! {
    /// The lines of a reader, from `AsyncBufReadExt::lines`.
    #[derive(Debug)]
    #[must_use = "lines are read only when `next_line` is awaited"]
    pub struct Lines<R> {
        #[pin]
        reader: R,
        buf: Vec<u8>,
    }
}

impl<R: AsyncBufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buf: Vec::new() }
    }

    /// Waits for the next line, without its end (`\n` or `\r\n`). `None` at the end of the stream.
    ///
    /// # Errors
    /// What the reader answers, and `InvalidData` for a line that is not UTF-8, which is skipped.
    pub fn poll_next_line(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<String>>> {
        let me = self.project();
        // Not kept over polls: what was read before is in `buf`.
        let mut read = 0;
        let read = ready!(poll_until(me.reader, cx, b'\n', me.buf, &mut read))?;
        if read == 0 && me.buf.is_empty() {
            return Poll::Ready(Ok(None));
        }
        let mut line = mem::take(me.buf);
        if line.pop_if(|last| *last == b'\n').is_some() {
            line.pop_if(|last| *last == b'\r');
        }
        let line = String::from_utf8(line);
        Poll::Ready(line.map(Some).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e)))
    }
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Returns the next line, without its end (`\n` or `\r\n`). `None` at the end of the stream.
    ///
    /// # Errors
    /// What the reader answers, and `InvalidData` for a line that is not UTF-8, which is skipped.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was read of a line is kept for the next call.
    ///
    /// # Examples
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use shinkan_io::AsyncBufReadExt;
    /// let mut lines = (&b"one\ntwo"[..]).lines();
    /// while let Some(line) = lines.next_line().await? {
    ///     println!("{line}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_line(&mut self) -> io::Result<Option<String>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next_line(cx)).await
    }

    /// The reader. Bytes that are read from it directly are missing in the lines.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The reader.
    pub fn get_ref(&mut self) -> &R {
        &self.reader
    }

    /// Gives the reader back. What was read of a line that is not complete is lost.
    pub fn into_inner(self) -> R {
        self.reader
    }
}

pin_project! {
    /// The pieces of a reader between delimiters, from `AsyncBufReadExt::split`.
    #[derive(Debug)]
    #[must_use = "segments are read only when `next_segment` is awaited"]
    pub struct Split<R> {
        #[pin]
        reader: R,
        buf: Vec<u8>,
        delimiter: u8,
    }
}

impl<R: AsyncBufRead> Split<R> {
    pub(crate) fn new(reader: R, delimiter: u8) -> Self {
        Self { reader, buf: Vec::new(), delimiter }
    }

    /// Waits for the next piece, without its delimiter. `None` at the end of the stream.
    ///
    /// # Errors
    /// What the reader answers.
    pub fn poll_next_segment(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Vec<u8>>>> {
        let me = self.project();
        let delimiter = *me.delimiter;
        let mut read = 0;
        let read = ready!(poll_until(me.reader, cx, delimiter, me.buf, &mut read))?;
        if read == 0 && me.buf.is_empty() {
            return Poll::Ready(Ok(None));
        }
        me.buf.pop_if(|last| *last == delimiter);
        Poll::Ready(Ok(Some(mem::take(me.buf))))
    }
}

impl<R: AsyncBufRead + Unpin> Split<R> {
    /// Returns the next piece, without its delimiter. `None` at the end of the stream.
    ///
    /// # Errors
    /// What the reader answers.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was read of a piece is kept for the next call.
    pub async fn next_segment(&mut self) -> io::Result<Option<Vec<u8>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next_segment(cx)).await
    }
}
