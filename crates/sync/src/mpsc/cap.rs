//! How many messages a block holds.

pub(crate) const BLOCK: usize = 32;
