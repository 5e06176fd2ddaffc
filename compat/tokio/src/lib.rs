//! shinkan under Tokio's package name: programs and packages that ask for `tokio` get it by
//! `[patch.crates-io] tokio = { path = … }`, without a change.
//!
//! Only re-exports: what is missing here is missing in `shinkan`.

#![deny(unsafe_code)]

pub use shinkan::*;
