//! `ReadBuf`: a buffer that knows how much of it was filled and how much was ever initialised.
//!
//! ```text
//! [ filled | initialised, not filled | not initialised ]
//! 0     filled                  initialized        capacity
//! ```
//!
//! The invariant that every block below leans on: `filled <= initialized <= buf.len()`, and
//! `buf[..initialized]` holds bytes. Bytes once initialised are never made uninitialised again.

#![allow(unsafe_code)]

use crate::AsyncRead;
use bytes::BufMut;
use bytes::buf::UninitSlice;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{fmt, io, ptr};

/// A buffer that a reader fills step by step, and that need not be zeroed for it first.
///
/// It has three parts: bytes that were read (filled), bytes that hold something older, and memory
/// that was never written. Readers append; nobody can take the first part away by accident.
///
/// # Examples
/// ```
/// use shinkan_io::ReadBuf;
/// use std::mem::MaybeUninit;
///
/// let mut memory = [MaybeUninit::uninit(); 8];
/// let mut buf = ReadBuf::uninit(&mut memory);
/// buf.put_slice(b"abc");
/// assert_eq!(buf.filled(), b"abc");
/// assert_eq!(buf.remaining(), 5);
/// ```
pub struct ReadBuf<'a> {
    buf: &'a mut [MaybeUninit<u8>],
    filled: usize,
    initialized: usize,
}

impl<'a> ReadBuf<'a> {
    /// A buffer over bytes, all initialised and none filled.
    #[inline]
    pub fn new(buf: &'a mut [u8]) -> ReadBuf<'a> {
        let initialized = buf.len();
        let memory: *mut [u8] = buf;
        // SAFETY:
        // - layout: `MaybeUninit<u8>` has that of `u8`.
        // - exclusive: `buf` was borrowed for 'a and is not used again.
        // - no byte is made uninitialised through it: safe methods only write bytes, and the
        //   unsafe ones (`inner_mut`, `unfilled_mut`) ask it of their callers.
        let buf = unsafe { &mut *(memory as *mut [MaybeUninit<u8>]) };
        ReadBuf { buf, filled: 0, initialized }
    }

    /// A buffer over memory of which nothing is known to be initialised.
    #[inline]
    pub fn uninit(buf: &'a mut [MaybeUninit<u8>]) -> ReadBuf<'a> {
        ReadBuf { buf, filled: 0, initialized: 0 }
    }

    /// The size in bytes.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.buf.len()
    }

    /// The bytes that were read.
    #[inline]
    pub fn filled(&self) -> &[u8] {
        // SAFETY:
        // - initialised: `filled <= initialized`, the invariant.
        unsafe { self.bytes(0..self.filled) }
    }

    /// The bytes that were read, to be changed in place.
    #[inline]
    pub fn filled_mut(&mut self) -> &mut [u8] {
        // SAFETY:
        // - initialised: `filled <= initialized`, the invariant.
        unsafe { self.bytes_mut(0..self.filled) }
    }

    /// A buffer over the first `n` bytes of the part that is not filled, or all of it where it is
    /// shorter. None of it counts as initialised; what is read into it does not count as filled
    /// here until [`assume_init`](Self::assume_init) and [`advance`](Self::advance) say so.
    #[inline]
    pub fn take(&mut self, n: usize) -> ReadBuf<'_> {
        let end = self.filled + self.remaining().min(n);
        ReadBuf::uninit(&mut self.buf[self.filled..end])
    }

    /// The bytes that were initialised; the filled ones are among them.
    #[inline]
    pub fn initialized(&self) -> &[u8] {
        // SAFETY:
        // - initialised: the invariant.
        unsafe { self.bytes(0..self.initialized) }
    }

    /// The bytes that were initialised, to be changed in place.
    #[inline]
    pub fn initialized_mut(&mut self) -> &mut [u8] {
        // SAFETY:
        // - initialised: the invariant.
        unsafe { self.bytes_mut(0..self.initialized) }
    }

    /// The whole memory, filled part and all.
    ///
    /// # Safety
    /// No byte that was initialised may be made uninitialised through it.
    #[inline]
    pub unsafe fn inner_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        self.buf
    }

    /// The part that is not filled.
    ///
    /// # Safety
    /// No byte that was initialised may be made uninitialised through it.
    #[inline]
    pub unsafe fn unfilled_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.buf[self.filled..]
    }

    /// The part that is not filled, as bytes; what was never initialised is zeroed first, once.
    #[inline]
    pub fn initialize_unfilled(&mut self) -> &mut [u8] {
        self.initialize_unfilled_to(self.remaining())
    }

    /// The first `n` bytes of the part that is not filled; what was never initialised of them is
    /// zeroed first.
    ///
    /// # Panics
    /// Where fewer than `n` bytes remain.
    #[inline]
    #[track_caller]
    pub fn initialize_unfilled_to(&mut self, n: usize) -> &mut [u8] {
        let left = self.remaining();
        assert!(
            n <= left,
            "`ReadBuf::initialize_unfilled_to({n})`: only {left} bytes are not filled; ask \
             `remaining()` first"
        );
        let end = self.filled + n;
        if self.initialized < end {
            self.buf[self.initialized..end].fill(MaybeUninit::new(0));
            self.initialized = end;
        }
        // SAFETY:
        // - initialised: just above, up to `end`.
        unsafe { self.bytes_mut(self.filled..end) }
    }

    /// How many bytes are not filled.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.buf.len() - self.filled
    }

    /// Makes the filled part empty. What was initialised stays so.
    #[inline]
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// Counts the next `n` bytes, which must be initialised, as filled.
    ///
    /// # Panics
    /// Where they are not all initialised.
    #[inline]
    #[track_caller]
    pub fn advance(&mut self, n: usize) {
        let filled = self.filled.checked_add(n);
        self.set_filled(filled.expect("`ReadBuf::advance`: the filled part would overflow"));
    }

    /// Sets the size in bytes of the filled part, larger or smaller than it is.
    ///
    /// # Panics
    /// Where it would reach beyond what is initialised.
    #[inline]
    #[track_caller]
    pub fn set_filled(&mut self, n: usize) {
        assert!(
            n <= self.initialized,
            "`ReadBuf`: {n} bytes can't be filled where {} are initialised; initialise them first \
             (`initialize_unfilled`, `put_slice`, `assume_init`)",
            self.initialized
        );
        self.filled = n;
    }

    /// Counts the `n` bytes after the filled part as initialised.
    ///
    /// # Safety
    /// They are: the caller wrote them through [`unfilled_mut`](Self::unfilled_mut) or
    /// [`take`](Self::take).
    #[inline]
    pub unsafe fn assume_init(&mut self, n: usize) {
        self.initialized = self.initialized.max(self.filled + n);
    }

    /// Appends bytes to the filled part.
    ///
    /// # Panics
    /// Where they don't fit.
    #[inline]
    #[track_caller]
    pub fn put_slice(&mut self, buf: &[u8]) {
        let (len, left) = (buf.len(), self.remaining());
        assert!(
            len <= left,
            "`ReadBuf::put_slice`: {len} bytes don't fit where {left} remain; ask `remaining()` \
             first"
        );
        let end = self.filled + len;
        UninitSlice::uninit(&mut self.buf[self.filled..end]).copy_from_slice(buf);
        self.initialized = self.initialized.max(end);
        self.filled = end;
    }

    /// Lets `read` fill at most `n` bytes of what remains, counts them, and returns how many they
    /// were. Unlike with [`take`](Self::take), what was initialised is known in the part too.
    #[inline]
    pub(crate) fn read_part(
        &mut self,
        n: usize,
        read: impl FnOnce(&mut ReadBuf<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<usize>> {
        let known = self.initialized - self.filled;
        let mut part = self.take(n);
        let known = known.min(part.capacity());
        // SAFETY:
        // - initialised: the part begins where ours is filled, and `known` more bytes are.
        unsafe { part.assume_init(known) };
        let memory = part.filled().as_ptr();
        let answer = read(&mut part);
        // A reader can put another buffer in the place of the one it was lent.
        assert!(
            ptr::eq(memory, part.filled().as_ptr()),
            "a reader exchanged the buffer it was lent"
        );
        let (read, initialized) = (part.filled().len(), part.initialized().len());
        // SAFETY:
        // - initialised: the part says so, and it is the same memory, checked just above.
        unsafe { self.assume_init(initialized) };
        ready!(answer)?;
        self.advance(read);
        Poll::Ready(Ok(read))
    }

    /// # Safety
    /// `range` lies within what is initialised.
    #[inline]
    unsafe fn bytes(&self, range: Range<usize>) -> &[u8] {
        let part: *const [MaybeUninit<u8>] = &self.buf[range];
        // SAFETY:
        // - alive, borrowed: `part` is of `self.buf`, for as long as `self` is borrowed.
        // - initialised: the caller's promise; layout is that of `u8`.
        unsafe { &*(part as *const [u8]) }
    }

    /// # Safety
    /// `range` lies within what is initialised.
    #[inline]
    unsafe fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        let part: *mut [MaybeUninit<u8>] = &mut self.buf[range];
        // SAFETY:
        // - exclusive: `part` is of `self.buf`, for as long as `self` is borrowed.
        // - initialised: the caller's promise; layout is that of `u8`.
        unsafe { &mut *(part as *mut [u8]) }
    }
}

/// Reads once into the next chunk of `buf` and returns how many bytes were read.
#[inline]
pub(crate) fn poll_read_buf<R, B>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    buf: &mut B,
) -> Poll<io::Result<usize>>
where
    R: AsyncRead + ?Sized,
    B: BufMut + ?Sized,
{
    if !buf.has_remaining_mut() {
        return Poll::Ready(Ok(0));
    }
    let chunk = buf.chunk_mut();
    // SAFETY:
    // - nothing is made uninitialised: a `ReadBuf` never does that.
    let chunk = unsafe { chunk.as_uninit_slice_mut() };
    let memory: *const u8 = chunk.as_ptr().cast();
    let mut part = ReadBuf::uninit(chunk);
    ready!(reader.poll_read(cx, &mut part))?;
    assert!(ptr::eq(memory, part.filled().as_ptr()), "a reader exchanged the buffer it was lent");
    let read = part.filled().len();
    // SAFETY:
    // - initialised: `part` counts `read` bytes of this chunk as filled, and it is the same
    //   memory, checked just above.
    unsafe { buf.advance_mut(read) };
    Poll::Ready(Ok(read))
}

// SAFETY:
// - `remaining_mut` is true: all of the part that is not filled.
// - `chunk_mut` is that part, and it does not move while nobody advances.
unsafe impl BufMut for ReadBuf<'_> {
    fn remaining_mut(&self) -> usize {
        self.remaining()
    }

    unsafe fn advance_mut(&mut self, cnt: usize) {
        // SAFETY:
        // - initialised: `advance_mut` asks that of its caller.
        unsafe { self.assume_init(cnt) };
        self.advance(cnt);
    }

    fn chunk_mut(&mut self) -> &mut UninitSlice {
        // An `UninitSlice` can't be made uninitialised: it hands out no `MaybeUninit` safely.
        UninitSlice::uninit(&mut self.buf[self.filled..])
    }
}

impl fmt::Debug for ReadBuf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBuf")
            .field("filled", &self.filled)
            .field("initialized", &self.initialized)
            .field("capacity", &self.capacity())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::ReadBuf;
    use bytes::BufMut;
    use std::mem::MaybeUninit;

    #[test]
    fn what_was_read_grows_and_what_was_initialised_never_shrinks() {
        let mut memory = [MaybeUninit::uninit(); 16];
        let mut buf = ReadBuf::uninit(&mut memory);
        assert_eq!((buf.capacity(), buf.remaining(), buf.initialized().len()), (16, 16, 0));
        buf.put_slice(b"hello");
        assert_eq!(buf.filled(), b"hello");
        assert_eq!(buf.initialize_unfilled_to(3), [0, 0, 0]);
        assert_eq!(buf.initialized().len(), 8);
        buf.initialize_unfilled_to(3).copy_from_slice(b"abc");
        buf.advance(2);
        assert_eq!(buf.filled(), b"helloab");
        buf.clear();
        assert_eq!((buf.filled().len(), buf.initialized()), (0, &b"helloabc"[..]));
        buf.set_filled(8);
        buf.filled_mut()[0] = b'H';
        buf.initialized_mut()[1] = b'E';
        assert_eq!(buf.filled(), b"HElloabc");
        assert_eq!(buf.initialize_unfilled().len(), 8);
        assert_eq!(buf.initialized().len(), 16);
        assert_eq!(format!("{buf:?}"), "ReadBuf { filled: 8, initialized: 16, capacity: 16 }");
    }

    #[test]
    fn old_bytes_are_not_zeroed_again() {
        let mut memory = *b"older bytes";
        let mut buf = ReadBuf::new(&mut memory);
        assert_eq!(buf.initialize_unfilled(), b"older bytes");
    }

    #[test]
    fn a_part_is_taken_and_then_counted() {
        let mut memory = [MaybeUninit::uninit(); 8];
        let mut buf = ReadBuf::uninit(&mut memory);
        buf.put_slice(b"12");
        let mut part = buf.take(100);
        assert_eq!(part.capacity(), 6);
        part.put_slice(b"345");
        let n = part.filled().len();
        // SAFETY:
        // - initialised: `put_slice` wrote these three bytes just above.
        unsafe { buf.assume_init(n) };
        buf.advance(n);
        assert_eq!(buf.filled(), b"12345");
    }

    #[test]
    fn memory_is_lent_whole_or_from_where_it_is_not_filled() {
        let mut memory = [MaybeUninit::uninit(); 4];
        let mut buf = ReadBuf::uninit(&mut memory);
        buf.put_slice(b"12");
        // SAFETY:
        // - kept: bytes are only written.
        let unfilled = unsafe { buf.unfilled_mut() };
        assert_eq!(unfilled.len(), 2);
        unfilled[0].write(b'3');
        // SAFETY:
        // - initialised: the byte was written just above.
        unsafe { buf.assume_init(1) };
        buf.advance(1);
        // SAFETY:
        // - kept: bytes are only written.
        let all = unsafe { buf.inner_mut() };
        assert_eq!(all.len(), 4);
        all[0].write(b'0');
        assert_eq!((buf.filled(), buf.initialized().len()), (&b"023"[..], 3));
    }

    #[test]
    fn is_a_buf_mut() {
        let mut memory = [MaybeUninit::uninit(); 8];
        let mut buf = ReadBuf::uninit(&mut memory);
        buf.put_u16(0x0102);
        assert_eq!(buf.remaining_mut(), 6);
        buf.put(&b"xyz"[..]);
        assert_eq!(buf.filled(), b"\x01\x02xyz");
    }

    #[test]
    #[should_panic(expected = "8 bytes don't fit where 4 remain")]
    fn too_much_is_refused() {
        ReadBuf::new(&mut [0; 4]).put_slice(&[1; 8]);
    }

    #[test]
    #[should_panic(expected = "2 bytes can't be filled where 1 are initialised")]
    fn what_is_not_initialised_is_never_filled() {
        let mut memory = [MaybeUninit::uninit(); 4];
        let mut buf = ReadBuf::uninit(&mut memory);
        buf.initialize_unfilled_to(1);
        buf.advance(2);
    }

    #[test]
    #[should_panic(expected = "only 4 bytes are not filled")]
    fn no_more_is_initialised_than_there_is() {
        ReadBuf::new(&mut [0; 4]).initialize_unfilled_to(5);
    }

    #[test]
    #[should_panic(expected = "would overflow")]
    fn an_advance_can_not_wrap_around() {
        let mut memory = [0; 4];
        let mut buf = ReadBuf::new(&mut memory);
        buf.advance(4);
        buf.advance(usize::MAX);
    }
}
