//! The one thread-local of the runtime, and the table of services that `rt` installs for the
//! crates below it.
//!
//! Every poll reads it, so it is a plain record of cells: constant-initialised, without a
//! destructor, so that access is one offset from the thread's base and works in destructors of
//! other thread-locals too. Knows no scheduler: runtime and worker are opaque pointers, which only
//! `rt` reads.

#![deny(unsafe_code)]

pub mod budget;
pub mod services;
mod thread;

pub use thread::{
    Entered, FrameGuard, enter_frame, entered, frame_ptr, note_yield, pending, random_below,
    runtime_ptr, seed_random, set_entered, set_runtime_ptr, set_worker_ptr, take_yield, task_id,
    worker_ptr,
};
