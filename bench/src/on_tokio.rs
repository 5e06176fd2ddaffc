//! The rows on Tokio, from the registry.

pub(crate) use tokio as rt;

#[path = "rows/mod.rs"]
pub(crate) mod rows;
