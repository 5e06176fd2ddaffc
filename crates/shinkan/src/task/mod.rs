//! Tasks: futures that the runtime runs beside each other, and what they are joined, aborted and
//! grouped with.
//!
//! A task is cheap: one allocation, no thread. It gives way to others only where it awaits; work
//! that blocks belongs into [`spawn_blocking`].
//!
//! ```
//! # shinkan::runtime::Runtime::new().unwrap().block_on(async {
//! let sum = shinkan::task::spawn(async { 1 + 2 });
//! assert_eq!(sum.await.unwrap(), 3);
//! # });
//! ```

mod builder;
pub mod coop;
pub mod join_set;
mod task_local;

pub use builder::Builder;
pub use join_set::JoinSet;
pub use shinkan_rt::local::{LocalEnterGuard, LocalSet, spawn_local};
pub use shinkan_rt::{block_in_place, spawn, spawn_blocking, yield_now};
pub use shinkan_task::{AbortHandle, Id, JoinError, JoinHandle, id, try_id};
pub use task_local::LocalKey;

#[doc(hidden)]
pub use coop::{Unconstrained, consume_budget, unconstrained};

/// Futures that functions of this module return, for those who must name them.
pub mod futures {
    pub use super::task_local::TaskLocalFuture;
}
