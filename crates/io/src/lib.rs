//! Asynchronous reading and writing: the traits, `ReadBuf`, and the adapters that need no kernel.
//!
//! Called by everything that moves bytes. Never enters the kernel, never starts a thread, never
//! reads a clock: whatever implements the traits does that.
//!
//! An adapter is no leaf: where it waits, the stream below it does, and that one says so in the
//! task's wait record. Leaves are here only the pipes in memory (`duplex.rs`).

#![deny(unsafe_code)]

mod async_buf_read;
mod async_read;
mod async_seek;
mod async_write;
mod read_buf;

mod buf_read_ext;
mod read_ext;
mod seek_ext;
mod write_ext;

mod read;
mod read_num;
mod read_to_end;
mod read_until;
mod text;
mod vec_buf;
mod write;
mod write_num;

mod buf_reader;
mod buf_stream;
mod buf_writer;
mod chain;
mod copy;
mod duplex;
mod empty;
mod join;
mod lines;
mod split;
mod take;

pub use async_buf_read::AsyncBufRead;
pub use async_read::AsyncRead;
pub use async_seek::AsyncSeek;
pub use async_write::AsyncWrite;
pub use buf_read_ext::AsyncBufReadExt;
pub use buf_reader::BufReader;
pub use buf_stream::BufStream;
pub use buf_writer::BufWriter;
pub use chain::Chain;
pub use copy::{copy, copy_bidirectional, copy_bidirectional_with_sizes, copy_buf};
pub use duplex::{DuplexStream, SimplexStream, duplex, simplex};
pub use empty::{Empty, Repeat, Sink, empty, repeat, sink};
pub use join::{Join, join};
pub use lines::{Lines, Split};
pub use read_buf::ReadBuf;
pub use read_ext::AsyncReadExt;
pub use seek_ext::AsyncSeekExt;
pub use split::{ReadHalf, WriteHalf, split};
pub use take::Take;
pub use write_ext::AsyncWriteExt;
