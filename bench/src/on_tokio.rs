//! The rows on Tokio, from the registry.

pub(crate) use hyper_util::rt::TokioIo as HyperIo;
pub(crate) use tokio as rt;

#[path = "rows/mod.rs"]
pub(crate) mod rows;
