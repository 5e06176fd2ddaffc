//! Memory that need not be initialised, as the destination of a read: the closure fills the front
//! of a slice and returns it.

#![allow(unsafe_code)]

use shinkan_io::ReadBuf;
use std::io;
use std::mem::MaybeUninit;

/// What a read into memory that need not be initialised returns: the filled part and the rest.
pub(crate) type Filled<'b> = (&'b mut [u8], &'b mut [MaybeUninit<u8>]);

/// Has `read` fill the free part of `buf`, and advances it. `read` writes nothing but what it
/// returns as filled.
#[inline]
pub(crate) fn read_buf<R>(
    buf: &mut ReadBuf<'_>,
    read: impl for<'b> FnOnce(&'b mut [MaybeUninit<u8>]) -> io::Result<(Filled<'b>, R)>,
) -> io::Result<(usize, R)> {
    // SAFETY:
    // - stays initialised: `read` writes only bytes of its own making.
    let free = unsafe { buf.unfilled_mut() };
    let start = free.as_ptr().cast::<u8>();
    let ((filled, _), more) = read(free)?;
    let n = filled.len();
    assert_eq!(filled.as_ptr(), start, "a read fills its buffer from the start");
    // SAFETY:
    // - initialised: the first `n` bytes were returned as `[u8]`.
    unsafe { buf.assume_init(n) };
    buf.advance(n);
    Ok((n, more))
}
