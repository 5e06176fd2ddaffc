//! Timers: a timing wheel over ticks, and the entry that a sleep links into it.
//!
//! Used by `rt` alone, which gives each worker a [`Shard`] and turns instants into ticks. Never
//! reads a clock, never allocates for an entry, never calls a waker: those of due entries are
//! collected, and whoever asked calls them after the lock.
//!
//! ```text
//! word.rs    the state of an entry: one word, and who may touch the entry in it
//! entry.rs   what the owner of a sleep does: poll, move, reset, drop
//! wheel.rs   the slots, under the shard's lock
//! lock.rs    the lock of a wheel
//! shard.rs   a wheel behind it, and the earliest deadline for those who don't want it
//! ```

#![deny(unsafe_code)]

mod entry;
mod lock;
mod shard;
mod wheel;
mod word;

pub use entry::{Closed, Entry};
#[doc(hidden)]
pub use lock::Lock;
pub use shard::Shard;
