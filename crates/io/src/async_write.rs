//! `AsyncWrite`, and its implementations for references, boxes and memory.

use std::io::{self, IoSlice};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A sink of bytes that says later where it has no room now.
///
/// The asynchronous twin of [`std::io::Write`]. Programs mostly use the methods of
/// `AsyncWriteExt`, which every writer has; this trait is what a writer implements.
pub trait AsyncWrite {
    /// Writes a first part of `buf` and returns its length in bytes, which may be less than asked.
    ///
    /// 0 for a `buf` that is not empty mostly means that the writer takes no more. On `Pending`
    /// nothing was written, and the writer keeps the waker of `cx` (only the last one given) and
    /// calls it once there is room.
    ///
    /// # Errors
    /// What the sink answers; nothing of `buf` was written then.
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>>;

    /// Brings what the writer still buffers to where it goes. Ready once all of it is there.
    ///
    /// # Errors
    /// What the sink answers.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Flushes, and then ends the writing side in good order, as the protocol of the stream has
    /// it. To be polled until it is ready; nothing is to be written after that.
    ///
    /// # Errors
    /// What the sink answers.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Like [`poll_write`](AsyncWrite::poll_write), from several buffers one after the other. A
    /// writer that does not know better writes of the first that is not empty.
    ///
    /// # Errors
    /// What the sink answers.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().map(|buf| &**buf).find(|buf| !buf.is_empty());
        self.poll_write(cx, first.unwrap_or_default())
    }

    /// Whether [`poll_write_vectored`](AsyncWrite::poll_write_vectored) does better than to write
    /// one buffer, so that a caller need not join several first. The answer must not change.
    fn is_write_vectored(&self) -> bool {
        false
    }
}

// One body for each kind of reference; `$inner` turns `self` into what is pinned behind it.
macro_rules! forward {
    ($this:ident => $inner:expr) => {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            let $this = self;
            $inner.poll_write(cx, buf)
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            let $this = self;
            $inner.poll_flush(cx)
        }

        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            let $this = self;
            $inner.poll_shutdown(cx)
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let $this = self;
            $inner.poll_write_vectored(cx, bufs)
        }

        fn is_write_vectored(&self) -> bool {
            (**self).is_write_vectored()
        }
    };
}

impl<T: AsyncWrite + Unpin + ?Sized> AsyncWrite for Box<T> {
    forward!(this => Pin::new(this.get_mut().as_mut()));
}

impl<T: AsyncWrite + Unpin + ?Sized> AsyncWrite for &mut T {
    forward!(this => Pin::new(&mut **this.get_mut()));
}

impl<P> AsyncWrite for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncWrite,
{
    forward!(this => this.as_deref_mut());
}

// Memory is written as std writes it, and there is nothing to wait for.
macro_rules! like_std {
    () => {
        #[inline]
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(io::Write::write(self.get_mut(), buf))
        }

        #[inline]
        fn poll_write_vectored(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(io::Write::write_vectored(self.get_mut(), bufs))
        }

        #[inline]
        fn is_write_vectored(&self) -> bool {
            true
        }

        #[inline]
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        #[inline]
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    };
}

impl AsyncWrite for Vec<u8> {
    like_std!();
}

impl AsyncWrite for io::Cursor<&mut [u8]> {
    like_std!();
}

impl AsyncWrite for io::Cursor<&mut Vec<u8>> {
    like_std!();
}

impl AsyncWrite for io::Cursor<Vec<u8>> {
    like_std!();
}

impl AsyncWrite for io::Cursor<Box<[u8]>> {
    like_std!();
}
