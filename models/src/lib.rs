//! The protocols between threads, one small model each, which loom walks through every interleaving
//! and every value that the memory model allows.
//!
//! A model is a file in `tests/` that starts with `#![cfg(shinkan_loom)]`, so an ordinary build
//! compiles it to nothing. It makes one claim about two threads, three at most. `cargo xtask models`
//! builds and runs them.
//!
//! A model that cannot fail says nothing. So the code carries planted bugs,
//! `if canary("name") { wrong } else { right }`, which the environment variable `SHINKAN_CANARY`
//! switches on one at a time: an ordering weakened, a check removed, a step swapped. `canaries.txt`
//! lists each with a model that must then fail, one a line:
//!
//! ```text
//! name_of_the_canary file_in_tests test_in_it
//! ```
//!
//! Empty lines and lines that start with `#` are skipped.
//!
//! A canary that is not found may be the search's fault: loom 0.7 remembers one last access of an
//! atomic, so a thread's load right before its compare-and-swap hides an earlier load by another
//! thread, and the swap is never tried before that. Let the other thread start later, behind a join,
//! or swap without the load.

#![deny(unsafe_code)]

#[cfg(shinkan_loom)]
pub mod calls;
#[cfg(shinkan_loom)]
pub mod guarded;

/// What is kept alive from outside of the model, and freed by nobody.
pub fn leaked<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
