//! The futures of `read_to_end` and `read_to_string`.

use crate::AsyncRead;
use crate::text::finish_text;
use crate::vec_buf::{Bytes, VecBuf};
use pin_project_lite::pin_project;
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{io, mem};

fn poll_to_end<V: Bytes, R: AsyncRead + ?Sized>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    buf: &mut VecBuf<V>,
    read: &mut usize,
) -> Poll<io::Result<usize>> {
    loop {
        match ready!(buf.poll_read(reader.as_mut(), cx)) {
            Ok(0) => return Poll::Ready(Ok(mem::take(read))),
            Ok(n) => *read += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

pin_project! {
    /// The future of `AsyncReadExt::read_to_end`.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited or polled"]
    pub struct ReadToEnd<'a, R: ?Sized> {
        reader: &'a mut R,
        buf: VecBuf<&'a mut Vec<u8>>,
        read: usize,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> ReadToEnd<'a, R> {
    pub(crate) fn new(reader: &'a mut R, buf: &'a mut Vec<u8>) -> Self {
        Self { reader, buf: VecBuf::new(buf), read: 0, _pin: PhantomPinned }
    }
}

impl<R: AsyncRead + Unpin + ?Sized> Future for ReadToEnd<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let me = self.project();
        poll_to_end(Pin::new(&mut **me.reader), cx, me.buf, me.read)
    }
}

pin_project! {
    /// The future of `AsyncReadExt::read_to_string`.
    ///
    /// The string's memory is in `buf` until the end, so that a string never holds bytes that are
    /// not known to be UTF-8.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited or polled"]
    pub struct ReadToString<'a, R: ?Sized> {
        reader: &'a mut R,
        output: &'a mut String,
        buf: VecBuf<Vec<u8>>,
        read: usize,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> ReadToString<'a, R> {
    pub(crate) fn new(reader: &'a mut R, output: &'a mut String) -> Self {
        let buf = VecBuf::new(mem::take(output).into_bytes());
        Self { reader, output, buf, read: 0, _pin: PhantomPinned }
    }
}

impl<R: AsyncRead + Unpin + ?Sized> Future for ReadToString<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let me = self.project();
        let result = ready!(poll_to_end(Pin::new(&mut **me.reader), cx, me.buf, me.read));
        let read = *result.as_ref().unwrap_or(me.read);
        // What came before an error is of no use: nobody knows where it ends.
        Poll::Ready(finish_text(me.output, me.buf.take(), read, result, false))
    }
}
