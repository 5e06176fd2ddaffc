//! Memory that need not be initialised, as the destination of a socket's read: the closure fills
//! the front of a slice and returns it.

#![allow(unsafe_code)]

pub(super) use crate::fill::{Filled, read_buf as read_buf_from};
use bytes::BufMut;
use shinkan_io::ReadBuf;
use std::io;
use std::mem::MaybeUninit;

/// As [`read_buf_from`], where `read` says no more than what it read.
#[inline]
pub(super) fn read_buf(
    buf: &mut ReadBuf<'_>,
    read: impl for<'b> FnOnce(&'b mut [MaybeUninit<u8>]) -> io::Result<Filled<'b>>,
) -> io::Result<usize> {
    Ok(read_buf_from(buf, |free| Ok((read(free)?, ())))?.0)
}

/// As [`read_buf`], for the next chunk of a `BufMut`.
#[inline]
pub(super) fn buf_mut(
    buf: &mut impl BufMut,
    read: impl for<'b> FnOnce(&'b mut [MaybeUninit<u8>]) -> io::Result<Filled<'b>>,
) -> io::Result<usize> {
    Ok(buf_mut_from(buf, |free| Ok((read(free)?, ())))?.0)
}

/// As [`read_buf_from`], for the next chunk of a `BufMut`.
pub(super) fn buf_mut_from<R>(
    buf: &mut impl BufMut,
    read: impl for<'b> FnOnce(&'b mut [MaybeUninit<u8>]) -> io::Result<(Filled<'b>, R)>,
) -> io::Result<(usize, R)> {
    let chunk = buf.chunk_mut();
    // SAFETY:
    // - stays initialised: `read` writes only bytes of its own making.
    let free = unsafe { chunk.as_uninit_slice_mut() };
    let start = free.as_ptr().cast::<u8>();
    let ((filled, _), more) = read(free)?;
    let n = filled.len();
    assert_eq!(filled.as_ptr(), start, "a read fills its buffer from the start");
    // SAFETY:
    // - initialised: the first `n` bytes of the chunk were returned as `[u8]`.
    unsafe { buf.advance_mut(n) };
    Ok((n, more))
}
