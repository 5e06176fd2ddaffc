//! `copy`, `copy_buf` and `copy_bidirectional`.

use crate::buf_writer::DEFAULT_CAPACITY;
use crate::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use shinkan_context::budget::{self, RestoreOnPending};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What is under way from a reader to a writer.
///
/// A reader that has nothing doesn't hold up what is buffered; and where both wait, the writer is
/// flushed, because the reader may wait for the answer to what was written.
struct Pump {
    buf: Box<[u8]>,
    // Bytes `pos..cap` were read and not yet written.
    pos: usize,
    cap: usize,
    copied: u64,
    reader_ended: bool,
    must_flush: bool,
}

impl Pump {
    fn new(size: usize) -> Self {
        let buf = vec![0; size].into_boxed_slice();
        Self { buf, pos: 0, cap: 0, copied: 0, reader_ended: false, must_flush: false }
    }

    fn wants_more(&self) -> bool {
        !self.reader_ended && self.cap < self.buf.len()
    }

    fn poll_fill<R: AsyncRead + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        mut reader: Pin<&mut R>,
    ) -> Poll<io::Result<()>> {
        let mut buf = ReadBuf::new(&mut self.buf);
        buf.set_filled(self.cap);
        loop {
            match ready!(reader.as_mut().poll_read(cx, &mut buf)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(()) => break,
            }
        }
        let filled = buf.filled().len();
        self.reader_ended = filled == self.cap;
        self.cap = filled;
        Poll::Ready(Ok(()))
    }

    fn poll_drain<R: AsyncRead + ?Sized, W: AsyncWrite + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        mut reader: Pin<&mut R>,
        mut writer: Pin<&mut W>,
        unit: &RestoreOnPending,
    ) -> Poll<io::Result<()>> {
        while self.pos < self.cap {
            match writer.as_mut().poll_write(cx, &self.buf[self.pos..self.cap]) {
                Poll::Ready(Ok(0)) => {
                    unit.made_progress();
                    let text = "the writer took nothing of the copied bytes";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, text)));
                }
                Poll::Ready(Ok(n)) => {
                    unit.made_progress();
                    assert!(n <= self.cap - self.pos, "a writer claims to have written too much");
                    self.pos += n;
                    self.copied += n as u64;
                    self.must_flush = true;
                }
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    // While the writer waits, its next write is made larger.
                    if self.wants_more() {
                        ready!(self.poll_fill(cx, reader.as_mut()))?;
                    }
                    return Poll::Pending;
                }
            }
        }
        (self.pos, self.cap) = (0, 0);
        Poll::Ready(Ok(()))
    }

    fn poll_copy<R: AsyncRead + ?Sized, W: AsyncWrite + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        mut reader: Pin<&mut R>,
        mut writer: Pin<&mut W>,
    ) -> Poll<io::Result<u64>> {
        // Spent as soon as a byte has moved.
        let unit = ready!(budget::poll_proceed(cx));
        loop {
            if self.wants_more() {
                match self.poll_fill(cx, reader.as_mut()) {
                    Poll::Ready(result) => {
                        unit.made_progress();
                        result?;
                    }
                    Poll::Pending if self.pos < self.cap => {}
                    Poll::Pending => {
                        if self.must_flush {
                            ready!(writer.as_mut().poll_flush(cx))?;
                            unit.made_progress();
                            self.must_flush = false;
                        }
                        return Poll::Pending;
                    }
                }
            }
            ready!(self.poll_drain(cx, reader.as_mut(), writer.as_mut(), &unit))?;
            if self.reader_ended {
                ready!(writer.as_mut().poll_flush(cx))?;
                unit.made_progress();
                return Poll::Ready(Ok(self.copied));
            }
        }
    }
}

/// Copies a reader to its end into a writer, flushes it, and returns how many bytes were copied.
/// A buffer of 8 KiB lies between them.
///
/// # Errors
/// The first error of either, and `WriteZero` where the writer takes no more.
///
/// # Cancel safety
/// Bytes that were read and not yet written are lost.
///
/// # Examples
/// ```
/// # async fn example() -> std::io::Result<()> {
/// let mut copied = Vec::new();
/// assert_eq!(shinkan_io::copy(&mut &b"hello"[..], &mut copied).await?, 5);
/// # Ok(())
/// # }
/// ```
pub async fn copy<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> io::Result<u64>
where
    R: AsyncRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    let mut pump = Pump::new(DEFAULT_CAPACITY);
    poll_fn(|cx| pump.poll_copy(cx, Pin::new(&mut *reader), Pin::new(&mut *writer))).await
}

/// Like [`copy`], through the buffer that the reader has.
///
/// # Errors
/// The first error of either, and `WriteZero` where the writer takes no more.
///
/// # Cancel safety
/// Nothing is lost: what was not written is still in the reader's buffer.
pub async fn copy_buf<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> io::Result<u64>
where
    R: AsyncBufRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    let (mut copied, mut must_flush) = (0, false);
    poll_fn(|cx| {
        poll_copy_buf(
            cx,
            Pin::new(&mut *reader),
            Pin::new(&mut *writer),
            &mut copied,
            &mut must_flush,
        )
    })
    .await
}

fn poll_copy_buf<R: AsyncBufRead + ?Sized, W: AsyncWrite + ?Sized>(
    cx: &mut Context<'_>,
    mut reader: Pin<&mut R>,
    mut writer: Pin<&mut W>,
    copied: &mut u64,
    must_flush: &mut bool,
) -> Poll<io::Result<u64>> {
    // Spent as soon as a byte has moved.
    let unit = ready!(budget::poll_proceed(cx));
    loop {
        let there = match reader.as_mut().poll_fill_buf(cx) {
            Poll::Ready(Ok(there)) => there,
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
            Poll::Ready(Err(error)) => {
                unit.made_progress();
                return Poll::Ready(Err(error));
            }
            Poll::Pending => {
                if *must_flush {
                    ready!(writer.as_mut().poll_flush(cx))?;
                    *must_flush = false;
                }
                return Poll::Pending;
            }
        };
        unit.made_progress();
        if there.is_empty() {
            ready!(writer.as_mut().poll_flush(cx))?;
            return Poll::Ready(Ok(*copied));
        }
        match ready!(writer.as_mut().poll_write(cx, there)) {
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Ok(n) => {
                *copied += n as u64;
                *must_flush = true;
                reader.as_mut().consume(n);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

/// One direction of a bidirectional copy.
enum Transfer {
    Copying(Pump),
    ShuttingDown(u64),
    Done(u64),
}

impl Transfer {
    fn poll<R: AsyncRead + ?Sized, W: AsyncWrite + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        mut reader: Pin<&mut R>,
        mut writer: Pin<&mut W>,
    ) -> Poll<io::Result<u64>> {
        loop {
            *self = match self {
                Self::Copying(pump) => {
                    let copied = ready!(pump.poll_copy(cx, reader.as_mut(), writer.as_mut()))?;
                    Self::ShuttingDown(copied)
                }
                Self::ShuttingDown(copied) => {
                    ready!(writer.as_mut().poll_shutdown(cx))?;
                    Self::Done(*copied)
                }
                Self::Done(copied) => return Poll::Ready(Ok(*copied)),
            };
        }
    }
}

/// Copies both ways between two streams until both have ended, and returns how many bytes went
/// from `a` to `b` and from `b` to `a`. Where one ends, the other's writing side is shut down, and
/// the other way goes on. Two buffers of 8 KiB are between them.
///
/// # Errors
/// The first error of either way; bytes that are under way the other way are lost then.
///
/// # Cancel safety
/// Bytes that were read and not yet written are lost.
pub async fn copy_bidirectional<A, B>(a: &mut A, b: &mut B) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    copy_bidirectional_with_sizes(a, b, DEFAULT_CAPACITY, DEFAULT_CAPACITY).await
}

/// Like [`copy_bidirectional`], with buffers of so many bytes.
///
/// # Errors
/// As [`copy_bidirectional`].
///
/// # Cancel safety
/// As [`copy_bidirectional`].
///
/// # Panics
/// Where a size is 0.
pub async fn copy_bidirectional_with_sizes<A, B>(
    a: &mut A,
    b: &mut B,
    a_to_b_buf_size: usize,
    b_to_a_buf_size: usize,
) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    for (name, size) in [("a_to_b_buf_size", a_to_b_buf_size), ("b_to_a_buf_size", b_to_a_buf_size)]
    {
        assert!(
            size > 0,
            "`copy_bidirectional_with_sizes`: `{name}` must be greater than 0, or nothing could be \
             copied"
        );
    }
    let mut there = Transfer::Copying(Pump::new(a_to_b_buf_size));
    let mut back = Transfer::Copying(Pump::new(b_to_a_buf_size));
    poll_fn(|cx| {
        // Both are polled each time, so that both have their wakers where they wait.
        let there = there.poll(cx, Pin::new(&mut *a), Pin::new(&mut *b))?;
        let back = back.poll(cx, Pin::new(&mut *b), Pin::new(&mut *a))?;
        match (there, back) {
            (Poll::Ready(there), Poll::Ready(back)) => Poll::Ready(Ok((there, back))),
            _ => Poll::Pending,
        }
    })
    .await
}
