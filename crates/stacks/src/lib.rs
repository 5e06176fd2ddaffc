//! The stack of a thread of this process, taken without stopping it: first a copy of its registers
//! and its stack, then, at leisure, names and lines.
//!
//! Called by `rt` for a thread that is stuck. A thread that runs is interrupted by a signal whose
//! handler only copies. One that waits in the kernel is not, where a signal would end the wait: proc(5)
//! says where it waits, and its stack is read as it lies there. `signal.rs` has the one way, this
//! file the choice, `unwind.rs` what follows.
//!
//! Never takes the dynamic linker's lock: the thread that is stuck may hold it.

#![deny(unsafe_code)]

#[cfg(target_arch = "aarch64")]
#[path = "arch_aarch64.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "arch_x86_64.rs"]
mod arch;

#[cfg(not(shinkan_loom))]
mod const_new;
#[cfg(not(shinkan_loom))]
mod image;
#[cfg(not(shinkan_loom))]
mod names;
#[cfg(not(shinkan_loom))]
mod parts;
#[cfg(not(shinkan_loom))]
mod signal;
#[cfg(not(shinkan_loom))]
mod taken;
#[cfg(not(shinkan_loom))]
mod unwind;

pub mod request;

#[cfg(not(shinkan_loom))]
pub use signal::Signal;
#[cfg(not(shinkan_loom))]
pub use taken::{Code, Frame, Taken, take, with_code};
