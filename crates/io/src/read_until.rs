//! The futures of `read_until`, `read_line` and `fill_buf`.

#![allow(unsafe_code)]

use crate::AsyncBufRead;
use crate::text::finish_text;
use pin_project_lite::pin_project;
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{io, mem};

/// Moves bytes from the reader's buffer to the end of `buf` up to and with the first `delimiter`,
/// or up to the end of the stream. `read` counts them over several polls and is 0 at the end.
pub(crate) fn poll_until<R: AsyncBufRead + ?Sized>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    delimiter: u8,
    buf: &mut Vec<u8>,
    read: &mut usize,
) -> Poll<io::Result<usize>> {
    loop {
        let there = match ready!(reader.as_mut().poll_fill_buf(cx)) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let found = find(delimiter, there);
        let used = found.map_or(there.len(), |at| at + 1);
        buf.extend_from_slice(&there[..used]);
        reader.as_mut().consume(used);
        *read += used;
        if found.is_some() || used == 0 {
            return Poll::Ready(Ok(mem::take(read)));
        }
    }
}

/// Where `byte` comes first.
fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 32;
    // A block is looked at without leaving it early, so that the compiler compares all of it in
    // one or two instructions.
    let has = |block: &[u8]| block.iter().fold(false, |found, b| found | (*b == byte));
    let start = bytes.chunks_exact(BLOCK).take_while(|block| !has(block)).count() * BLOCK;
    bytes[start..].iter().position(|b| *b == byte).map(|at| start + at)
}

pin_project! {
    /// The future of `AsyncBufReadExt::read_until`.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited or polled"]
    pub struct ReadUntil<'a, R: ?Sized> {
        reader: &'a mut R,
        delimiter: u8,
        buf: &'a mut Vec<u8>,
        read: usize,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> ReadUntil<'a, R> {
    pub(crate) fn new(reader: &'a mut R, delimiter: u8, buf: &'a mut Vec<u8>) -> Self {
        Self { reader, delimiter, buf, read: 0, _pin: PhantomPinned }
    }
}

impl<R: AsyncBufRead + Unpin + ?Sized> Future for ReadUntil<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let me = self.project();
        poll_until(Pin::new(&mut **me.reader), cx, *me.delimiter, me.buf, me.read)
    }
}

pin_project! {
    /// The future of `AsyncBufReadExt::read_line`.
    ///
    /// The string's memory is in `buf` until the end, so that a string never holds bytes that are
    /// not known to be UTF-8.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited or polled"]
    pub struct ReadLine<'a, R: ?Sized> {
        reader: &'a mut R,
        output: &'a mut String,
        buf: Vec<u8>,
        read: usize,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> ReadLine<'a, R> {
    pub(crate) fn new(reader: &'a mut R, output: &'a mut String) -> Self {
        let buf = mem::take(output).into_bytes();
        Self { reader, output, buf, read: 0, _pin: PhantomPinned }
    }
}

impl<R: AsyncBufRead + Unpin + ?Sized> Future for ReadLine<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let me = self.project();
        let result = ready!(poll_until(Pin::new(&mut **me.reader), cx, b'\n', me.buf, me.read));
        let read = *result.as_ref().unwrap_or(me.read);
        Poll::Ready(finish_text(me.output, mem::take(me.buf), read, result, true))
    }
}

pin_project! {
    /// The future of `AsyncBufReadExt::fill_buf`.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited or polled"]
    pub struct FillBuf<'a, R: ?Sized> {
        reader: Option<&'a mut R>,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> FillBuf<'a, R> {
    pub(crate) fn new(reader: &'a mut R) -> Self {
        Self { reader: Some(reader), _pin: PhantomPinned }
    }
}

impl<'a, R: AsyncBufRead + Unpin + ?Sized> Future for FillBuf<'a, R> {
    type Output = io::Result<&'a [u8]>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&'a [u8]>> {
        let me = self.project();
        let reader = me.reader.take().expect("`fill_buf` was polled after it was done");
        match Pin::new(&mut *reader).poll_fill_buf(cx) {
            Poll::Ready(Ok(there)) => {
                let there: *const [u8] = there;
                // SAFETY:
                // - alive, unchanged: `there` was borrowed from `*reader`, which is exclusively
                //   borrowed for 'a and was taken out of this future, so nobody touches it in 'a.
                //   (The borrow checker knows this only of a function that always returns it.)
                Poll::Ready(Ok(unsafe { &*there }))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                *me.reader = Some(reader);
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_is_found_in_each_block_and_behind_the_last() {
        for len in 0..100 {
            assert_eq!(find(b'x', &vec![b'.'; len]), None);
            for at in 0..len {
                let mut bytes = vec![b'.'; len];
                bytes[at] = b'x';
                bytes[len - 1] = b'x';
                assert_eq!(find(b'x', &bytes), Some(at));
            }
        }
    }
}
