//! A stream of shinkan's with hyper's two traits.
#![allow(unsafe_code)]

use hyper::rt::{Read, ReadBufCursor, Write};
use pin_project_lite::pin_project;
use shinkan::io::{AsyncRead, AsyncWrite, ReadBuf};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A stream of shinkan's, or of anything that has shinkan's traits, as hyper wants it.
    ///
    /// Bytes are read into hyper's own buffer.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct ToHyper<S> {
        #[pin]
        inner: S,
    }
}

impl<S> ToHyper<S> {
    /// Wraps `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner }
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

impl<S: AsyncRead> Read for ToHyper<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut out: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // SAFETY:
        // - nothing is made uninitialised: the slice goes into `ReadBuf::uninit` alone, which only
        //   lets safe code write bytes to it.
        let room = unsafe { out.as_mut() };
        let (start, len) = (room.as_ptr(), room.len());
        let mut buffer = ReadBuf::uninit(room);
        ready!(self.project().inner.poll_read(cx, &mut buffer))?;
        let filled = buffer.filled().len();
        // Safe code can put another buffer in this one's place; those bytes would not be here.
        assert!(
            buffer.filled().as_ptr() == start.cast() && filled <= len,
            "`ToHyper`: the stream's `poll_read` exchanged the buffer that it was given; it must \
             write into that one"
        );
        // SAFETY:
        // - initialised: `buffer` is the one over the cursor's room (asserted), and it counts
        //   `filled` bytes that were written from the room's start.
        unsafe { out.advance(filled) };
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite> Write for ToHyper<S> {
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

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write_vectored(cx, parts)
    }
}
