//! `Take`: a reader that ends early.

use crate::{AsyncBufRead, AsyncRead, ReadBuf};
use pin_project_lite::pin_project;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// At most so many bytes of a reader, from `AsyncReadExt::take`.
    #[derive(Debug)]
    #[must_use = "a reader does nothing until it is read from"]
    pub struct Take<R> {
        #[pin]
        inner: R,
        limit: u64,
    }
}

impl<R: AsyncRead> Take<R> {
    pub(crate) fn new(inner: R, limit: u64) -> Self {
        Self { inner, limit }
    }

    /// How many bytes may still be read. There may be fewer.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Sets how many bytes may be read from now on.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// The reader.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The reader. Bytes that are read from it directly are not counted.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The reader, pinned. Bytes that are read from it directly are not counted.
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().inner
    }

    /// Gives the reader back.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: AsyncRead> AsyncRead for Take<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.project();
        if *me.limit == 0 {
            return Poll::Ready(Ok(()));
        }
        let most = usize::try_from(*me.limit).unwrap_or(usize::MAX);
        let read = ready!(buf.read_part(most, |part| me.inner.poll_read(cx, part)))?;
        *me.limit -= read as u64;
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncBufRead> AsyncBufRead for Take<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let me = self.project();
        // A reader that has nothing now must not be waited for where nothing is wanted.
        if *me.limit == 0 {
            return Poll::Ready(Ok(&[]));
        }
        let there = ready!(me.inner.poll_fill_buf(cx))?;
        let most = usize::try_from(*me.limit).unwrap_or(usize::MAX);
        Poll::Ready(Ok(&there[..there.len().min(most)]))
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        let me = self.project();
        let amt = amt.min(usize::try_from(*me.limit).unwrap_or(usize::MAX));
        *me.limit -= amt as u64;
        me.inner.consume(amt);
    }
}
