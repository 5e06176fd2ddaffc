//! A stream of `futures-io` with shinkan's traits.

use pin_project_lite::pin_project;
use shinkan::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Anything that has the traits of `futures-io`, with shinkan's.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct FromFutures<S> {
        #[pin]
        inner: S,
        // What the seek that has begun goes to: shinkan's traits give the position once, those of
        // futures with each poll.
        seek: Option<SeekFrom>,
    }
}

impl<S> FromFutures<S> {
    /// Wraps `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner, seek: None }
    }

    /// What was wrapped.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// What was wrapped.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Gives back what was wrapped.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: futures_io::AsyncRead> AsyncRead for FromFutures<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The other trait takes initialised bytes only. What was initialised once stays so, and
        // a buffer that is read into again pays nothing.
        let read = ready!(self.project().inner.poll_read(cx, out.initialize_unfilled()))?;
        out.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: futures_io::AsyncBufRead> AsyncBufRead for FromFutures<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.project().inner.poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.project().inner.consume(amount);
    }
}

impl<S: futures_io::AsyncWrite> AsyncWrite for FromFutures<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(cx)
    }

    /// Closes the stream, as `poll_close` does.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_close(cx)
    }

    // `is_write_vectored` stays false: the other trait does not say whether it is worth it.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write_vectored(cx, parts)
    }
}

impl<S: futures_io::AsyncSeek> AsyncSeek for FromFutures<S> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        *self.project().seek = Some(position);
        Ok(())
    }

    /// Without a seek that has begun, tells where the stream stands.
    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let this = self.project();
        let position = this.seek.unwrap_or(SeekFrom::Current(0));
        let outcome = ready!(this.inner.poll_seek(cx, position));
        *this.seek = None;
        Poll::Ready(outcome)
    }
}
