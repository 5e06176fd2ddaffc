//! The rows on shinkan, from this repository.

pub(crate) use shinkan as rt;

#[path = "rows/mod.rs"]
pub(crate) mod rows;
