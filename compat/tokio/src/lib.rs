//! shinkan under Tokio's package name: programs and packages that ask for `tokio` get it by
//! `[patch.crates-io] tokio = { path = … }`, without a change.
//!
//! Only re-exports: what is missing here is missing in `shinkan`.

#![deny(unsafe_code)]

pub use shinkan::*;

// The same attributes, whose expansions name `tokio`.
#[cfg(all(feature = "macros", feature = "rt-multi-thread"))]
pub use shinkan::macros::{tokio_main as main, tokio_test as test};
#[cfg(all(feature = "macros", feature = "rt", not(feature = "rt-multi-thread")))]
pub use shinkan::macros::{tokio_main_rt as main, tokio_test_rt as test};
