//! The future of `read_u16` and its like.

use crate::{AsyncRead, ReadBuf};
use pin_project_lite::pin_project;
use std::future::Future;
use std::io;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The future of the methods of `AsyncReadExt` that read a number; `B` is its bytes.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited or polled"]
    pub struct ReadNum<'a, R: ?Sized, T, B> {
        reader: &'a mut R,
        bytes: B,
        read: usize,
        decode: fn(B) -> T,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized, T, const N: usize> ReadNum<'a, R, T, [u8; N]> {
    #[inline]
    pub(crate) fn new(reader: &'a mut R, decode: fn([u8; N]) -> T) -> Self {
        Self { reader, bytes: [0; N], read: 0, decode, _pin: PhantomPinned }
    }
}

impl<R, T, const N: usize> Future for ReadNum<'_, R, T, [u8; N]>
where
    R: AsyncRead + Unpin + ?Sized,
{
    type Output = io::Result<T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let me = self.project();
        while *me.read < N {
            let mut buf = ReadBuf::new(&mut me.bytes[*me.read..]);
            match ready!(Pin::new(&mut **me.reader).poll_read(cx, &mut buf)) {
                Ok(()) if buf.filled().is_empty() => {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                Ok(()) => *me.read += buf.filled().len(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok((me.decode)(*me.bytes)))
    }
}
