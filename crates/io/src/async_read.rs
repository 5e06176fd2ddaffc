//! `AsyncRead`, and its implementations for references, boxes and memory.

use crate::ReadBuf;
use std::io;
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A source of bytes that says later where it has none now.
///
/// The asynchronous twin of [`std::io::Read`]. Programs mostly use the methods of
/// `AsyncReadExt`, which every reader has; this trait is what a reader implements.
pub trait AsyncRead {
    /// Reads what there is, at most [`ReadBuf::remaining`] bytes, and appends it to `buf`.
    ///
    /// `Ready(Ok(()))` with nothing appended means the end of the stream, or that `buf` had no
    /// room. On `Pending` the reader keeps the waker of `cx` (only the last one given) and calls
    /// it once there is something to read; nothing was appended then.
    ///
    /// # Errors
    /// What the source answers; nothing was appended then.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>;
}

impl<T: AsyncRead + Unpin + ?Sized> AsyncRead for Box<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().as_mut()).poll_read(cx, buf)
    }
}

impl<T: AsyncRead + Unpin + ?Sized> AsyncRead for &mut T {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut **self.get_mut()).poll_read(cx, buf)
    }
}

impl<P> AsyncRead for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncRead,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.as_deref_mut().poll_read(cx, buf)
    }
}

impl AsyncRead for &[u8] {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let source = self.get_mut();
        let (now, later) = source.split_at(source.len().min(buf.remaining()));
        buf.put_slice(now);
        *source = later;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsRef<[u8]> + Unpin> AsyncRead for io::Cursor<T> {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let cursor = self.get_mut();
        let position = cursor.position();
        // A cursor may stand behind its end, also by more than memory can address.
        let rest =
            usize::try_from(position).ok().and_then(|at| cursor.get_ref().as_ref().get(at..));
        if let Some(rest) = rest {
            let now = &rest[..rest.len().min(buf.remaining())];
            buf.put_slice(now);
            let read = now.len() as u64;
            cursor.set_position(position + read);
        }
        Poll::Ready(Ok(()))
    }
}
