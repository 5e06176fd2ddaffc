//! What other crates ask of a runtime, on shinkan, for a program that names shinkan itself.
//!
//! - `hyper` (feature `hyper`): what hyper 1 wants in order to spawn, to wait and to read and
//!   write.
//! - `futures_io` (feature `futures-io`): shinkan's streams with the traits of the crate
//!   `futures-io`, and the other way round.
//!
//! Neither is on by default. What is not here needs nothing: `tower::Service` and `Layer`, `Stream`
//! and `Sink` know no runtime, and futures of any crate run in a task as they are. What asks for a
//! package named `tokio` runs on shinkan by one line of `[patch.crates-io]` instead, and needs none
//! of this.
//!
//! Only wraps: it has no state but what a seek between the two pairs of traits needs, starts
//! nothing, and never waits.

#![deny(unsafe_code)]

#[cfg(feature = "futures-io")]
pub mod futures_io;
#[cfg(feature = "hyper")]
pub mod hyper;
