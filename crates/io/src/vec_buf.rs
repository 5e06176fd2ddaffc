//! `VecBuf`: a vector that a reader appends to, and that remembers how much of its spare memory
//! was initialised, so that a reader that needs bytes doesn't have them zeroed for every read.

#![allow(unsafe_code)]

use crate::{AsyncRead, ReadBuf};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, ready};

/// The smallest piece of memory that is worth a read.
const PROBE: usize = 32;

/// A vector, owned or borrowed.
///
/// # Safety
/// `vec` and `vec_mut` return the same vector each time, and nothing else changes it while the
/// `VecBuf` around it lives.
pub(crate) unsafe trait Bytes {
    fn vec(&self) -> &Vec<u8>;
    fn vec_mut(&mut self) -> &mut Vec<u8>;
}

// SAFETY:
// - the same, unshared: it is owned.
unsafe impl Bytes for Vec<u8> {
    fn vec(&self) -> &Vec<u8> {
        self
    }

    fn vec_mut(&mut self) -> &mut Vec<u8> {
        self
    }
}

// SAFETY:
// - the same, unshared: it is exclusively borrowed.
unsafe impl Bytes for &mut Vec<u8> {
    fn vec(&self) -> &Vec<u8> {
        self
    }

    fn vec_mut(&mut self) -> &mut Vec<u8> {
        self
    }
}

/// Invariant: the first `spare_initialized` bytes behind the vector's length hold bytes.
#[derive(Debug)]
pub(crate) struct VecBuf<V> {
    vec: V,
    spare_initialized: usize,
    first_capacity: usize,
}

impl VecBuf<Vec<u8>> {
    /// Takes the vector out.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.spare_initialized = 0;
        std::mem::take(&mut self.vec)
    }
}

impl<V: Bytes> VecBuf<V> {
    pub(crate) fn new(vec: V) -> Self {
        let first_capacity = vec.vec().capacity();
        Self { vec, spare_initialized: 0, first_capacity }
    }

    /// Reads once and appends what came. Memory grows by doubling; but a vector whose capacity
    /// its owner chose is not grown before it is known that there is more to read.
    pub(crate) fn poll_read<R: AsyncRead + ?Sized>(
        &mut self,
        reader: Pin<&mut R>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let (len, capacity) = (self.vec.vec().len(), self.vec.vec().capacity());
        if capacity - len < PROBE {
            if capacity >= PROBE && capacity == self.first_capacity {
                return self.poll_probe(reader, cx);
            }
            self.reserve();
        }
        self.poll_append(reader, cx)
    }

    /// Reads into a few bytes on the stack.
    #[cold]
    fn poll_probe<R: AsyncRead + ?Sized>(
        &mut self,
        reader: Pin<&mut R>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut memory = [MaybeUninit::uninit(); PROBE];
        let mut buf = ReadBuf::uninit(&mut memory);
        ready!(reader.poll_read(cx, &mut buf))?;
        let read = buf.filled();
        let left = self.vec.vec().capacity() - self.vec.vec().len();
        if left < read.len() {
            self.reserve();
        }
        self.spare_initialized = self.spare_initialized.saturating_sub(read.len());
        self.vec.vec_mut().extend_from_slice(read);
        Poll::Ready(Ok(read.len()))
    }

    fn reserve(&mut self) {
        // The old memory's spare part is not copied.
        self.spare_initialized = 0;
        self.vec.vec_mut().reserve(PROBE);
    }

    fn poll_append<R: AsyncRead + ?Sized>(
        &mut self,
        reader: Pin<&mut R>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let vec = self.vec.vec_mut();
        let len = vec.len();
        let spare = vec.spare_capacity_mut();
        let memory: *const u8 = spare.as_ptr().cast();
        let mut buf = ReadBuf::uninit(spare);
        // SAFETY:
        // - initialised: this struct's invariant.
        unsafe { buf.assume_init(self.spare_initialized) };
        let answer = reader.poll_read(cx, &mut buf);
        // A reader can put another buffer in the place of the one it was lent.
        assert!(
            ptr::eq(memory, buf.filled().as_ptr()),
            "a reader exchanged the buffer it was lent"
        );
        let (read, initialized) = (buf.filled().len(), buf.initialized().len());
        self.spare_initialized = initialized;
        ready!(answer)?;
        self.spare_initialized = initialized - read;
        // SAFETY:
        // - within capacity: `buf` lay in the spare part, checked just above.
        // - initialised: `buf` counts the `read` bytes behind `len` as filled.
        unsafe { vec.set_len(len + read) };
        Poll::Ready(Ok(read))
    }
}
