//! Asynchronous reading and writing: the traits, `ReadBuf`, and the adapters that need no kernel.
//!
//! Called by everything that moves bytes. Never enters the kernel, never starts a thread, never
//! reads a clock: whatever implements the traits does that.

#![deny(unsafe_code)]

mod async_buf_read;
mod async_read;
mod async_seek;
mod async_write;
mod read_buf;

pub use async_buf_read::AsyncBufRead;
pub use async_read::AsyncRead;
pub use async_seek::AsyncSeek;
pub use async_write::AsyncWrite;
pub use read_buf::ReadBuf;
