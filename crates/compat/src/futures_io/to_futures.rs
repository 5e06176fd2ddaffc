//! A stream of shinkan's with the traits of `futures-io`.

use pin_project_lite::pin_project;
use shinkan::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A stream of shinkan's, or of anything that has shinkan's traits, with those of `futures-io`.
    ///
    /// # Cancel safety
    /// A seek that is dropped before it is done goes on by itself; the next seek, to wherever,
    /// waits for it first. Until then reads and writes are refused where the stream refuses them.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct ToFutures<S> {
        #[pin]
        inner: S,
        // What the seek that has begun goes to. The traits of futures give the position with each
        // poll, shinkan's once. A read or write in between says that it was given up.
        seek: Option<SeekFrom>,
    }
}

impl<S> ToFutures<S> {
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

impl<S: AsyncRead> futures_io::AsyncRead for ToFutures<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let (start, len) = (out.as_ptr(), out.len());
        let mut buffer = ReadBuf::new(out);
        let this = self.project();
        *this.seek = None;
        ready!(this.inner.poll_read(cx, &mut buffer))?;
        // Nothing unsafe depends on it here, but the bytes would be lost.
        assert!(
            buffer.filled().as_ptr() == start && buffer.filled().len() <= len,
            "`ToFutures`: the stream's `poll_read` exchanged the buffer that it was given; it must \
             write into that one"
        );
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl<S: AsyncBufRead> futures_io::AsyncBufRead for ToFutures<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.project();
        *this.seek = None;
        this.inner.poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.project().inner.consume(amount);
    }
}

impl<S: AsyncWrite> futures_io::AsyncWrite for ToFutures<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        *this.seek = None;
        this.inner.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        *this.seek = None;
        this.inner.poll_write_vectored(cx, parts)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(cx)
    }

    /// Shuts the write side down, as `poll_shutdown` does.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(cx)
    }
}

impl<S: AsyncSeek> futures_io::AsyncSeek for ToFutures<S> {
    fn poll_seek(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        position: SeekFrom,
    ) -> Poll<io::Result<u64>> {
        let mut this = self.project();
        if *this.seek != Some(position) {
            // Whatever was begun before and given up must end before the next may begin; its
            // outcome is nobody's.
            let _ = ready!(this.inner.as_mut().poll_complete(cx));
            *this.seek = None;
            this.inner.as_mut().start_seek(position)?;
            *this.seek = Some(position);
        }
        let outcome = ready!(this.inner.poll_complete(cx));
        *this.seek = None;
        Poll::Ready(outcome)
    }
}
