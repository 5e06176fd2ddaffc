//! `AsyncReadExt`: what programs call on a reader.

use crate::read::{Read, ReadExact, ReadIntoBuf};
use crate::read_num::ReadNum;
use crate::read_to_end::{ReadToEnd, ReadToString};
use crate::{AsyncRead, Chain, Take};
use bytes::BufMut;

/// Reads bytes. Every [`AsyncRead`] has these methods.
///
/// # Numbers
/// `read_u16` and its like read as many bytes as the number has, and more than once if need be.
/// They read big-endian, the order of network protocols; those whose name ends in `_le` read
/// little-endian.
///
/// - Errors: what the reader answers, `Interrupted` apart, and `UnexpectedEof` where the stream
///   ends before the number does.
/// - Cancel safety: the bytes that were read of the number are lost. A number of one byte has no
///   such half.
///
/// # Examples
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use shinkan_io::AsyncReadExt;
/// let mut source = &b"\x00\x05helloworld"[..];
/// let length = source.read_u16().await?;
/// let mut text = vec![0; length.into()];
/// source.read_exact(&mut text).await?;
/// assert_eq!(text, b"hello");
/// # Ok(())
/// # }
/// ```
pub trait AsyncReadExt: AsyncRead {
    /// A reader that goes on with `next` where this one ends.
    fn chain<R>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
        R: AsyncRead,
    {
        Chain::new(self, next)
    }

    /// Reads what there is, at most `buf.len()` bytes, and returns how many they were. 0 means the
    /// end of the stream, or that `buf` is empty.
    ///
    /// # Errors
    /// What the reader answers; nothing was read then.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    fn read<'a>(&'a mut self, buf: &'a mut [u8]) -> Read<'a, Self>
    where
        Self: Unpin,
    {
        Read::new(self, buf)
    }

    /// Reads what there is, at most as much as `buf` has room for, appends it to `buf`, and
    /// returns how many bytes they were. 0 means the end of the stream, or that `buf` has no room.
    /// A `Vec` or `BytesMut` always has room: it grows.
    ///
    /// # Errors
    /// What the reader answers; nothing was read then.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    fn read_buf<'a, B>(&'a mut self, buf: &'a mut B) -> ReadIntoBuf<'a, Self, B>
    where
        Self: Unpin,
        B: BufMut + ?Sized,
    {
        ReadIntoBuf::new(self, buf)
    }

    /// Reads until `buf` is full, and returns its length.
    ///
    /// # Errors
    /// What the reader answers, `Interrupted` apart, and `UnexpectedEof` where the stream ends
    /// first. How much of `buf` was written to then is not known.
    ///
    /// # Cancel safety
    /// What was read is lost: it is in `buf`, but nobody knows how much it is.
    fn read_exact<'a>(&'a mut self, buf: &'a mut [u8]) -> ReadExact<'a, Self>
    where
        Self: Unpin,
    {
        ReadExact::new(self, buf)
    }

    /// Reads an unsigned byte. See [numbers](AsyncReadExt#numbers).
    fn read_u8(&mut self) -> ReadNum<'_, Self, u8, [u8; 1]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, u8::from_be_bytes)
    }

    /// Reads a signed byte. See [numbers](AsyncReadExt#numbers).
    fn read_i8(&mut self) -> ReadNum<'_, Self, i8, [u8; 1]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, i8::from_be_bytes)
    }

    /// Reads an unsigned number of 16 bits. See [numbers](AsyncReadExt#numbers).
    fn read_u16(&mut self) -> ReadNum<'_, Self, u16, [u8; 2]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, u16::from_be_bytes)
    }

    /// Reads a signed number of 16 bits. See [numbers](AsyncReadExt#numbers).
    fn read_i16(&mut self) -> ReadNum<'_, Self, i16, [u8; 2]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, i16::from_be_bytes)
    }

    /// Reads an unsigned number of 32 bits. See [numbers](AsyncReadExt#numbers).
    fn read_u32(&mut self) -> ReadNum<'_, Self, u32, [u8; 4]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, u32::from_be_bytes)
    }

    /// Reads a signed number of 32 bits. See [numbers](AsyncReadExt#numbers).
    fn read_i32(&mut self) -> ReadNum<'_, Self, i32, [u8; 4]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, i32::from_be_bytes)
    }

    /// Reads an unsigned number of 64 bits. See [numbers](AsyncReadExt#numbers).
    fn read_u64(&mut self) -> ReadNum<'_, Self, u64, [u8; 8]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, u64::from_be_bytes)
    }

    /// Reads a signed number of 64 bits. See [numbers](AsyncReadExt#numbers).
    fn read_i64(&mut self) -> ReadNum<'_, Self, i64, [u8; 8]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, i64::from_be_bytes)
    }

    /// Reads an unsigned number of 128 bits. See [numbers](AsyncReadExt#numbers).
    fn read_u128(&mut self) -> ReadNum<'_, Self, u128, [u8; 16]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, u128::from_be_bytes)
    }

    /// Reads a signed number of 128 bits. See [numbers](AsyncReadExt#numbers).
    fn read_i128(&mut self) -> ReadNum<'_, Self, i128, [u8; 16]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, i128::from_be_bytes)
    }

    /// Reads a floating-point number of 32 bits. See [numbers](AsyncReadExt#numbers).
    fn read_f32(&mut self) -> ReadNum<'_, Self, f32, [u8; 4]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, f32::from_be_bytes)
    }

    /// Reads a floating-point number of 64 bits. See [numbers](AsyncReadExt#numbers).
    fn read_f64(&mut self) -> ReadNum<'_, Self, f64, [u8; 8]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, f64::from_be_bytes)
    }

    /// Reads an unsigned number of 16 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_u16_le(&mut self) -> ReadNum<'_, Self, u16, [u8; 2]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, u16::from_le_bytes)
    }

    /// Reads a signed number of 16 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_i16_le(&mut self) -> ReadNum<'_, Self, i16, [u8; 2]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, i16::from_le_bytes)
    }

    /// Reads an unsigned number of 32 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_u32_le(&mut self) -> ReadNum<'_, Self, u32, [u8; 4]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, u32::from_le_bytes)
    }

    /// Reads a signed number of 32 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_i32_le(&mut self) -> ReadNum<'_, Self, i32, [u8; 4]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, i32::from_le_bytes)
    }

    /// Reads an unsigned number of 64 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_u64_le(&mut self) -> ReadNum<'_, Self, u64, [u8; 8]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, u64::from_le_bytes)
    }

    /// Reads a signed number of 64 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_i64_le(&mut self) -> ReadNum<'_, Self, i64, [u8; 8]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, i64::from_le_bytes)
    }

    /// Reads an unsigned number of 128 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_u128_le(&mut self) -> ReadNum<'_, Self, u128, [u8; 16]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, u128::from_le_bytes)
    }

    /// Reads a signed number of 128 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_i128_le(&mut self) -> ReadNum<'_, Self, i128, [u8; 16]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, i128::from_le_bytes)
    }

    /// Reads a floating-point number of 32 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_f32_le(&mut self) -> ReadNum<'_, Self, f32, [u8; 4]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, f32::from_le_bytes)
    }

    /// Reads a floating-point number of 64 bits, little-endian. See [numbers](AsyncReadExt#numbers).
    fn read_f64_le(&mut self) -> ReadNum<'_, Self, f64, [u8; 8]>
    where
        Self: Unpin,
    {
        ReadNum::new(self, f64::from_le_bytes)
    }

    /// Reads to the end of the stream, appends it to `buf`, and returns how many bytes were read.
    ///
    /// # Errors
    /// What the reader answers, `Interrupted` apart. What was read before is in `buf`.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was read is in `buf`.
    fn read_to_end<'a>(&'a mut self, buf: &'a mut Vec<u8>) -> ReadToEnd<'a, Self>
    where
        Self: Unpin,
    {
        ReadToEnd::new(self, buf)
    }

    /// Reads to the end of the stream, appends it to `dst`, and returns how many bytes were read.
    ///
    /// # Errors
    /// What the reader answers, `Interrupted` apart, and `InvalidData` where it is not UTF-8. `dst`
    /// is as it was before then.
    ///
    /// # Cancel safety
    /// What was read is lost, and so is what `dst` held: it is empty.
    fn read_to_string<'a>(&'a mut self, dst: &'a mut String) -> ReadToString<'a, Self>
    where
        Self: Unpin,
    {
        ReadToString::new(self, dst)
    }

    /// A reader that ends after at most `limit` bytes.
    fn take(self, limit: u64) -> Take<Self>
    where
        Self: Sized,
    {
        Take::new(self, limit)
    }
}

impl<R: AsyncRead + ?Sized> AsyncReadExt for R {}
