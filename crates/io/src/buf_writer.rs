//! `BufWriter`: few large writes for many small ones.

use crate::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use pin_project_lite::pin_project;
use std::fmt;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Of a buffer whose size nobody chose: that of std's.
pub(crate) const DEFAULT_CAPACITY: usize = 8 * 1024;

pin_project! {
    /// A writer with a buffer: small writes are collected in memory and written when it is full.
    ///
    /// Writes that are as large as the buffer go past it. **Flush it at the end**: dropping the
    /// `BufWriter`, or taking the writer out, loses what is in the buffer, because a destructor
    /// can't wait.
    ///
    /// # Examples
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use shinkan_io::{AsyncWriteExt, BufWriter};
    /// let mut writer = BufWriter::new(Vec::new());
    /// writer.write_all(b"small").await?;
    /// writer.flush().await?;
    /// assert_eq!(writer.into_inner(), b"small");
    /// # Ok(())
    /// # }
    /// ```
    pub struct BufWriter<W> {
        #[pin]
        pub(crate) inner: W,
        pub(crate) buf: Vec<u8>,
        // How much of `buf` was written, while a flush waits.
        pub(crate) written: usize,
        pub(crate) seek: WriterSeek,
    }
}

/// How far a move of the position has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WriterSeek {
    None,
    Asked(SeekFrom),
    UnderWay,
}

impl<W: AsyncWrite> BufWriter<W> {
    /// With a buffer of 8 KiB.
    pub fn new(inner: W) -> Self {
        Self::with_capacity(DEFAULT_CAPACITY, inner)
    }

    /// With a buffer of so many bytes.
    pub fn with_capacity(cap: usize, inner: W) -> Self {
        Self { inner, buf: Vec::with_capacity(cap), written: 0, seek: WriterSeek::None }
    }

    /// The writer.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// The writer. What is written to it directly overtakes what is in the buffer.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// The writer, pinned. What is written to it directly overtakes what is in the buffer.
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut W> {
        self.project().inner
    }

    /// Gives the writer back. What is in the buffer is lost: flush it first.
    pub fn into_inner(self) -> W {
        self.inner
    }

    /// What is in the buffer.
    pub fn buffer(&self) -> &[u8] {
        &self.buf
    }

    fn room(&self) -> usize {
        self.buf.capacity() - self.buf.len()
    }

    /// Writes the buffer. What was written before an error is taken away, what was not stays.
    fn poll_flush_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut me = self.project();
        let mut result = Ok(());
        while *me.written < me.buf.len() {
            match ready!(me.inner.as_mut().poll_write(cx, &me.buf[*me.written..])) {
                Ok(0) => {
                    let text = "the writer took nothing of the buffered bytes";
                    result = Err(io::Error::new(io::ErrorKind::WriteZero, text));
                    break;
                }
                Ok(n) => *me.written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        me.buf.drain(..*me.written);
        *me.written = 0;
        Poll::Ready(result)
    }

    /// Several buffers for a writer that takes one at a time: those that fit are collected.
    fn poll_collect(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut bufs = bufs.iter().filter(|buf| !buf.is_empty());
        let Some(first) = bufs.next() else { return Poll::Ready(Ok(0)) };
        if first.len() > self.room() {
            ready!(self.as_mut().poll_flush_buf(cx))?;
        }
        if first.len() >= self.buf.capacity() {
            return self.get_pin_mut().poll_write(cx, first);
        }
        let mut taken = first.len();
        let me = self.project();
        me.buf.extend_from_slice(first);
        for buf in bufs {
            if buf.len() > me.buf.capacity() - me.buf.len() {
                break;
            }
            me.buf.extend_from_slice(buf);
            taken += buf.len();
        }
        Poll::Ready(Ok(taken))
    }
}

impl<W: AsyncWrite> AsyncWrite for BufWriter<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buf.len() > self.room() {
            ready!(self.as_mut().poll_flush_buf(cx))?;
        }
        let me = self.project();
        if buf.len() >= me.buf.capacity() {
            return me.inner.poll_write(cx, buf);
        }
        me.buf.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.inner.is_write_vectored() {
            return self.poll_collect(cx, bufs);
        }
        let total = bufs.iter().fold(0, |total: usize, buf| total.saturating_add(buf.len()));
        if total > self.room() {
            ready!(self.as_mut().poll_flush_buf(cx))?;
        }
        let me = self.project();
        if total >= me.buf.capacity() {
            return me.inner.poll_write_vectored(cx, bufs);
        }
        for buf in bufs {
            me.buf.extend_from_slice(buf);
        }
        Poll::Ready(Ok(total))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush_buf(cx))?;
        self.get_pin_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush_buf(cx))?;
        self.get_pin_mut().poll_shutdown(cx)
    }
}

/// What is buffered belongs before the move, so it is written first.
impl<W: AsyncWrite + AsyncSeek> AsyncSeek for BufWriter<W> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        // Only a poll can wait for the buffer to be written.
        *self.project().seek = WriterSeek::Asked(position);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let step = self.seek;
        if let WriterSeek::None = step {
            return self.get_pin_mut().poll_complete(cx);
        }
        ready!(self.as_mut().poll_flush_buf(cx))?;
        let mut me = self.project();
        if let WriterSeek::Asked(target) = step {
            ready!(me.inner.as_mut().poll_complete(cx))?;
            *me.seek = WriterSeek::None;
            me.inner.as_mut().start_seek(target)?;
            *me.seek = WriterSeek::UnderWay;
        }
        let position = ready!(me.inner.poll_complete(cx));
        *me.seek = WriterSeek::None;
        Poll::Ready(position)
    }
}

impl<W: AsyncWrite + AsyncRead> AsyncRead for BufWriter<W> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_pin_mut().poll_read(cx, buf)
    }
}

impl<W: AsyncWrite + AsyncBufRead> AsyncBufRead for BufWriter<W> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_pin_mut().poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        self.get_pin_mut().consume(amt);
    }
}

impl<W: fmt::Debug> fmt::Debug for BufWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufWriter")
            .field("writer", &self.inner)
            .field("buffer", &format_args!("{}/{}", self.buf.len(), self.buf.capacity()))
            .field("written", &self.written)
            .finish()
    }
}
