//! The scenes on tokio.

pub(crate) use tokio as rt;

#[path = "scenes.rs"]
pub(crate) mod scenes;
