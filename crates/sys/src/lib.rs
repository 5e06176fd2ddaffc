//! Safe wrappers of the kernel. Only this crate enters it: calls that open descriptors, start
//! threads, read a clock, the environment or the name service stand here, tests and tools apart.
//!
//! What another platform must give: an event queue in which several threads wait at once and of
//! which one is woken an event (`epoll`), a counting doorbell that can be waited for there
//! (`eventfd`), a word to sleep on (`park`), and non-blocking descriptors. A fence that one side
//! pays for both (`membarrier`) may be missing: both sides then pay.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "shinkan runs on Linux only: see the head of crates/sys/src/lib.rs for what a port needs"
);

#[cfg(target_arch = "aarch64")]
#[path = "arch_aarch64.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "arch_x86_64.rs"]
mod arch;

pub mod cached;
pub mod clock;
pub mod env;
pub mod epoll;
pub mod eventfd;
pub mod fd;
pub mod files;
pub mod interrupt;
pub mod kernel_side;
pub mod maps;
pub mod membarrier;
pub mod memory;
mod mounts;
pub mod names;
pub mod park;
pub mod process;
pub mod signals;
pub mod socket;
pub mod stdio;
pub mod threads;
pub mod usage;
