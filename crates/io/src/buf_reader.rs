//! `BufReader`: few large reads for many small ones.

use crate::buf_writer::DEFAULT_CAPACITY;
use crate::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use pin_project_lite::pin_project;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{fmt, mem};

pin_project! {
    /// A reader with a buffer: small reads are served from memory.
    ///
    /// Reads that are as large as the buffer go past it. Dropping the `BufReader`, or taking the
    /// reader out, loses what is in the buffer.
    ///
    /// # Examples
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use shinkan_io::{AsyncBufReadExt, BufReader};
    /// let mut reader = BufReader::new(&b"first\nsecond\n"[..]);
    /// let mut line = String::new();
    /// reader.read_line(&mut line).await?;
    /// assert_eq!(line, "first\n");
    /// # Ok(())
    /// # }
    /// ```
    pub struct BufReader<R> {
        #[pin]
        pub(crate) inner: R,
        // Bytes `pos..cap` were read and not yet taken.
        pub(crate) buf: Box<[u8]>,
        pub(crate) pos: usize,
        pub(crate) cap: usize,
        pub(crate) seek: ReaderSeek,
    }
}

/// How far a move of the position has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReaderSeek {
    None,
    Asked(SeekFrom),
    /// The way back over what is buffered is under way; then by so much.
    Back(i64),
    UnderWay,
}

impl<R: AsyncRead> BufReader<R> {
    /// With a buffer of 8 KiB.
    pub fn new(inner: R) -> Self {
        Self::with_capacity(DEFAULT_CAPACITY, inner)
    }

    /// With a buffer of so many bytes.
    ///
    /// # Panics
    /// Where `capacity` is 0.
    #[track_caller]
    pub fn with_capacity(capacity: usize, inner: R) -> Self {
        assert!(
            capacity > 0,
            "`BufReader::with_capacity`: its capacity must be greater than zero, or every read would \
             look like the end of the stream"
        );
        let buf = vec![0; capacity].into_boxed_slice();
        Self { inner, buf, pos: 0, cap: 0, seek: ReaderSeek::None }
    }

    /// The reader.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The reader. Bytes that are read from it directly come before those in the buffer.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The reader, pinned. Bytes that are read from it directly come before those in the buffer.
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().inner
    }

    /// Gives the reader back. What is in the buffer is lost.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// What is in the buffer, without a read.
    pub fn buffer(&self) -> &[u8] {
        &self.buf[self.pos..self.cap]
    }

    fn discard(self: Pin<&mut Self>) {
        let me = self.project();
        (*me.pos, *me.cap) = (0, 0);
    }
}

impl<R: AsyncRead> AsyncRead for BufReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.pos == self.cap && buf.remaining() >= self.buf.len() {
            let result = ready!(self.as_mut().get_pin_mut().poll_read(cx, buf));
            self.discard();
            return Poll::Ready(result);
        }
        let there = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = there.len().min(buf.remaining());
        buf.put_slice(&there[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncRead> AsyncBufRead for BufReader<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let me = self.project();
        if *me.pos >= *me.cap {
            let mut buf = ReadBuf::new(me.buf);
            ready!(me.inner.poll_read(cx, &mut buf))?;
            *me.cap = buf.filled().len();
            *me.pos = 0;
        }
        Poll::Ready(Ok(&me.buf[*me.pos..*me.cap]))
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        let me = self.project();
        *me.pos = me.pos.saturating_add(amt).min(*me.cap);
    }
}

/// What is buffered is behind the position that the program sees, so a relative move starts from
/// there, and the buffer is thrown away once the move is done.
impl<R: AsyncRead + AsyncSeek> AsyncSeek for BufReader<R> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        // The move may take two moves of the reader, and only a poll can wait for the first.
        *self.project().seek = ReaderSeek::Asked(position);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let ahead = (self.cap - self.pos) as i64;
        let mut step = mem::replace(self.as_mut().project().seek, ReaderSeek::None);
        if let ReaderSeek::Asked(target) = step {
            step = ReaderSeek::UnderWay;
            let target = match target {
                SeekFrom::Current(by) => match by.checked_sub(ahead) {
                    Some(by) => SeekFrom::Current(by),
                    None => {
                        step = ReaderSeek::Back(by);
                        SeekFrom::Current(-ahead)
                    }
                },
                absolute => absolute,
            };
            self.as_mut().get_pin_mut().start_seek(target)?;
        }
        if let ReaderSeek::Back(by) = step {
            if self.as_mut().get_pin_mut().poll_complete(cx)?.is_pending() {
                *self.project().seek = step;
                return Poll::Pending;
            }
            self.as_mut().discard();
            self.as_mut().get_pin_mut().start_seek(SeekFrom::Current(by))?;
            step = ReaderSeek::UnderWay;
        }
        let position = self.as_mut().get_pin_mut().poll_complete(cx)?;
        if let ReaderSeek::UnderWay = step {
            match position {
                Poll::Ready(_) => self.discard(),
                Poll::Pending => *self.project().seek = step,
            }
        }
        position.map(Ok)
    }
}

impl<R: AsyncRead + AsyncWrite> AsyncWrite for BufReader<R> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_pin_mut().poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_pin_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_pin_mut().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_pin_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

impl<R: fmt::Debug> fmt::Debug for BufReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufReader")
            .field("reader", &self.inner)
            .field("buffer", &format_args!("{}/{}", self.cap - self.pos, self.buf.len()))
            .finish()
    }
}
