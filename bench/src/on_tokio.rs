//! The rows on Tokio, from the registry.

pub(crate) use hyper_util::rt::TokioIo as HyperIo;
pub(crate) use tokio as rt;

/// Its default.
pub(crate) const POLLS_BETWEEN_EVENTS: u32 = 61;
/// What it comes to by the clock where a poll takes 6.5 µs, as an answered request does.
pub(crate) const POLLS_BETWEEN_LOOKS: u32 = 31;

#[path = "rows/mod.rs"]
pub(crate) mod rows;
