//! `AsyncWriteExt`: what programs call on a writer.

use crate::AsyncWrite;
use crate::write::{Flush, Shutdown, Write, WriteAll, WriteAllBuf, WriteBuf, WriteVectored};
use crate::write_num::WriteNum;
use bytes::Buf;
use std::io::IoSlice;

/// Writes bytes. Every [`AsyncWrite`] has these methods.
///
/// # Numbers
/// `write_u16` and its like write as many bytes as the number has, by more than one write if need
/// be. They write big-endian, the order of network protocols; those whose name ends in `_le` write
/// little-endian.
///
/// - Errors: what the writer answers, `Interrupted` apart, and `WriteZero` where it takes no more.
/// - Cancel safety: a part of the number may have been written. A number of one byte has no such
///   part.
///
/// # Examples
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use shinkan_io::AsyncWriteExt;
/// let mut message = Vec::new();
/// message.write_u16(5).await?;
/// message.write_all(b"hello").await?;
/// message.flush().await?;
/// assert_eq!(message, b"\x00\x05hello");
/// # Ok(())
/// # }
/// ```
pub trait AsyncWriteExt: AsyncWrite {
    /// Writes a first part of `src` and returns its length in bytes.
    ///
    /// # Errors
    /// What the writer answers; nothing was written then.
    ///
    /// # Cancel safety
    /// Nothing was written.
    fn write<'a>(&'a mut self, src: &'a [u8]) -> Write<'a, Self>
    where
        Self: Unpin,
    {
        Write::new(self, src)
    }

    /// Writes a first part of several buffers, one after the other, and returns its length in
    /// bytes.
    ///
    /// # Errors
    /// What the writer answers; nothing was written then.
    ///
    /// # Cancel safety
    /// Nothing was written.
    fn write_vectored<'a, 'b>(&'a mut self, bufs: &'a [IoSlice<'b>]) -> WriteVectored<'a, 'b, Self>
    where
        Self: Unpin,
    {
        WriteVectored::new(self, bufs)
    }

    /// Writes a first part of `src`, takes it away from there, and returns its length in bytes.
    ///
    /// # Errors
    /// What the writer answers; nothing was written then.
    ///
    /// # Cancel safety
    /// Nothing was written, and nothing was taken away.
    fn write_buf<'a, B>(&'a mut self, src: &'a mut B) -> WriteBuf<'a, Self, B>
    where
        Self: Sized + Unpin,
        B: Buf,
    {
        WriteBuf::new(self, src)
    }

    /// Writes all of `src`, and takes away from there what was written.
    ///
    /// # Errors
    /// What the writer answers, `Interrupted` apart, and `WriteZero` where it takes no more.
    ///
    /// # Cancel safety
    /// `src` holds what is still to be written: call it again.
    fn write_all_buf<'a, B>(&'a mut self, src: &'a mut B) -> WriteAllBuf<'a, Self, B>
    where
        Self: Sized + Unpin,
        B: Buf,
    {
        WriteAllBuf::new(self, src)
    }

    /// Writes all of `src`.
    ///
    /// # Errors
    /// What the writer answers, `Interrupted` apart, and `WriteZero` where it takes no more. How
    /// much was written then is not known.
    ///
    /// # Cancel safety
    /// A part may have been written, and nobody knows how much: use
    /// [`write_all_buf`](AsyncWriteExt::write_all_buf) where that matters.
    fn write_all<'a>(&'a mut self, src: &'a [u8]) -> WriteAll<'a, Self>
    where
        Self: Unpin,
    {
        WriteAll::new(self, src)
    }

    /// Writes an unsigned byte. See [numbers](AsyncWriteExt#numbers).
    fn write_u8(&mut self, n: u8) -> WriteNum<'_, Self, [u8; 1]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes a signed byte. See [numbers](AsyncWriteExt#numbers).
    fn write_i8(&mut self, n: i8) -> WriteNum<'_, Self, [u8; 1]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes an unsigned number of 16 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_u16(&mut self, n: u16) -> WriteNum<'_, Self, [u8; 2]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes a signed number of 16 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_i16(&mut self, n: i16) -> WriteNum<'_, Self, [u8; 2]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes an unsigned number of 32 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_u32(&mut self, n: u32) -> WriteNum<'_, Self, [u8; 4]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes a signed number of 32 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_i32(&mut self, n: i32) -> WriteNum<'_, Self, [u8; 4]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes an unsigned number of 64 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_u64(&mut self, n: u64) -> WriteNum<'_, Self, [u8; 8]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes a signed number of 64 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_i64(&mut self, n: i64) -> WriteNum<'_, Self, [u8; 8]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes an unsigned number of 128 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_u128(&mut self, n: u128) -> WriteNum<'_, Self, [u8; 16]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes a signed number of 128 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_i128(&mut self, n: i128) -> WriteNum<'_, Self, [u8; 16]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes a floating-point number of 32 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_f32(&mut self, n: f32) -> WriteNum<'_, Self, [u8; 4]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes a floating-point number of 64 bits. See [numbers](AsyncWriteExt#numbers).
    fn write_f64(&mut self, n: f64) -> WriteNum<'_, Self, [u8; 8]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_be_bytes())
    }

    /// Writes an unsigned number of 16 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_u16_le(&mut self, n: u16) -> WriteNum<'_, Self, [u8; 2]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Writes a signed number of 16 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_i16_le(&mut self, n: i16) -> WriteNum<'_, Self, [u8; 2]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Writes an unsigned number of 32 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_u32_le(&mut self, n: u32) -> WriteNum<'_, Self, [u8; 4]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Writes a signed number of 32 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_i32_le(&mut self, n: i32) -> WriteNum<'_, Self, [u8; 4]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Writes an unsigned number of 64 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_u64_le(&mut self, n: u64) -> WriteNum<'_, Self, [u8; 8]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Writes a signed number of 64 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_i64_le(&mut self, n: i64) -> WriteNum<'_, Self, [u8; 8]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Writes an unsigned number of 128 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_u128_le(&mut self, n: u128) -> WriteNum<'_, Self, [u8; 16]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Writes a signed number of 128 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_i128_le(&mut self, n: i128) -> WriteNum<'_, Self, [u8; 16]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Writes a floating-point number of 32 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_f32_le(&mut self, n: f32) -> WriteNum<'_, Self, [u8; 4]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Writes a floating-point number of 64 bits, little-endian. See [numbers](AsyncWriteExt#numbers).
    fn write_f64_le(&mut self, n: f64) -> WriteNum<'_, Self, [u8; 8]>
    where
        Self: Unpin,
    {
        WriteNum::new(self, n.to_le_bytes())
    }

    /// Waits until what the writer buffers is where it goes.
    ///
    /// # Errors
    /// What the writer answers.
    ///
    /// # Cancel safety
    /// Nothing is lost: call it again.
    fn flush(&mut self) -> Flush<'_, Self>
    where
        Self: Unpin,
    {
        Flush::new(self)
    }

    /// Flushes, and ends the writing side in good order. Nothing may be written after it.
    ///
    /// # Errors
    /// What the writer answers.
    ///
    /// # Cancel safety
    /// Nothing is lost: call it again.
    fn shutdown(&mut self) -> Shutdown<'_, Self>
    where
        Self: Unpin,
    {
        Shutdown::new(self)
    }
}

impl<W: AsyncWrite + ?Sized> AsyncWriteExt for W {}
