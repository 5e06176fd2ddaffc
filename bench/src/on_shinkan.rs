//! The rows on shinkan, from this repository.

pub(crate) use shinkan as rt;
pub(crate) use shinkan_compat::hyper::ToHyper as HyperIo;

/// What it comes to by the clock where a poll takes 6.5 µs, as an answered request does.
pub(crate) const POLLS_BETWEEN_EVENTS: u32 = 31;
pub(crate) const POLLS_BETWEEN_LOOKS: u32 = 31;

#[path = "rows/mod.rs"]
pub(crate) mod rows;
