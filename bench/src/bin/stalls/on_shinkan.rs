//! The scenes on shinkan.

pub(crate) use shinkan as rt;

#[path = "scenes.rs"]
pub(crate) mod scenes;
