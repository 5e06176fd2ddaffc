//! What the runtime's parts write down about themselves, for others to read while they run:
//! counters and a ring of events for each worker, and the wait record of each task (which stands in
//! `base`, where the leaves reach it).
//!
//! One writer each and relaxed stores, so a probe costs its writer no more than the store. Reads
//! no clock: whoever has the time passes it. Knows no runtime.

#![deny(unsafe_code)]

mod counters;
mod event;
mod ring;

pub use counters::Counters;
pub use event::{Event, EventKind};
pub use ring::EventRing;
pub use shinkan_base::wait::{TaskFrame, Wait, WaitKind, WaitSlot};
