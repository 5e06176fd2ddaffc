//! What every other crate stands on: atomics, the intrusive list, the work-stealing ring and the
//! slot beside it, the prng, the record of a wait and the canaries.
//!
//! Imports nothing of this project, never enters the kernel, never reads a clock.

#[cfg(not(any(shinkan_loom, shinkan_count)))]
#[path = "atomics_std.rs"]
pub mod atomics;
#[cfg(shinkan_count)]
#[path = "atomics_counted.rs"]
pub mod atomics;
#[cfg(shinkan_loom)]
#[path = "atomics_loom.rs"]
pub mod atomics;

#[cfg(not(shinkan_loom))]
#[path = "canary_off.rs"]
mod canary;
#[cfg(shinkan_loom)]
#[path = "canary_on.rs"]
mod canary;

#[cfg_attr(not(target_arch = "x86_64"), path = "prefetch_none.rs")]
pub mod prefetch;

pub mod auto;
pub mod lifo;
pub mod list;
mod packed;
pub mod pad;
pub mod place;
pub mod ring;
pub mod rng;
pub mod wait;
mod wait_kind;
pub mod wakers;

pub use canary::canary;
