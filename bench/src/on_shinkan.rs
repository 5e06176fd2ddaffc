//! The rows on shinkan, from this repository.

pub(crate) use shinkan as rt;
pub(crate) use shinkan_compat::hyper::ToHyper as HyperIo;

#[path = "rows/mod.rs"]
pub(crate) mod rows;
