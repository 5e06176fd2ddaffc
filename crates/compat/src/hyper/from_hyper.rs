//! A stream of hyper's with shinkan's traits.
#![allow(unsafe_code)]

use hyper::rt::{Read, Write};
use pin_project_lite::pin_project;
use shinkan::io::{AsyncRead, AsyncWrite, ReadBuf};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A stream of hyper's, such as `hyper::upgrade::Upgraded`, with shinkan's traits.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct FromHyper<S> {
        #[pin]
        inner: S,
    }
}

impl<S> FromHyper<S> {
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

impl<S: Read> AsyncRead for FromHyper<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // SAFETY:
        // - nothing is made uninitialised: the slice goes into hyper's `ReadBuf::uninit` alone,
        //   which only lets safe code write bytes to it.
        let room = unsafe { out.unfilled_mut() };
        let mut buffer = hyper::rt::ReadBuf::uninit(room);
        ready!(self.project().inner.poll_read(cx, buffer.unfilled()))?;
        let filled = buffer.filled().len();
        // SAFETY:
        // - initialised: the first `filled` bytes of the unfilled part were written, which is what
        //   hyper's buffer counts; its cursor borrows it, so it can't be exchanged.
        unsafe { out.assume_init(filled) };
        out.advance(filled);
        Poll::Ready(Ok(()))
    }
}

impl<S: Write> AsyncWrite for FromHyper<S> {
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
