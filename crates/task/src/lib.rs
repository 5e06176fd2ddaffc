//! A future made runnable: its state word, its memory, its wakers, its handles, and the set of all
//! live ones.
//!
//! Knows no queue but the intrusive one, no worker and no runtime: a scheduler is what implements
//! [`Schedule`]. Never blocks, never reads a clock, holds no lock while user code runs.
//!
//! What a task's life costs, in atomic read-modify-writes on its own line:
//!
//! | step | |
//! |---|---|
//! | spawn | 0; putting it into the registry locks one shard |
//! | run: begin | 1 |
//! | run: ends Pending, woken or not | 1 |
//! | run: completes | 1; 2 if a joiner waits; 0 if only the registry still refers to it. Leaving the registry locks one shard |
//! | waker: clone | 1 |
//! | waker: wake, by value or by reference | 1 |
//! | waker: drop | 1 |
//! | join: wait | 1, and a clone of the joiner's waker |
//! | join: take the output | 0 |
//! | join handle: drop | 1; 0 if the task is done and nobody else refers to it |
//!
//! That holds where [`Schedule::copy`] gives a copy; else a hand-over by a waker's `wake`, or of a
//! task that was woken in its poll, costs 2 more.

pub mod ended;

mod abort;
mod cell;
mod error;
mod header;
mod id;
mod join;
mod origin;
mod outcome;
mod registry;
mod run_queue;
mod runnable;
mod schedule;
mod spawn;
mod state;
mod task_ref;
mod waker;

/// The file from where tasks are polled, as debug information says it.
pub const POLLED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cell.rs");

pub use abort::AbortHandle;
pub use error::JoinError;
pub use id::{Id, id, id_from_u64, try_id};
pub use join::JoinHandle;
pub use origin::{Origin, Tag};
pub use outcome::Stage;
pub use registry::Registry;
pub use run_queue::RunQueue;
pub use runnable::Runnable;
pub use schedule::Schedule;
pub use spawn::{spawn, spawn_local};
pub use task_ref::TaskRef;
pub use waker::runnable_of;
