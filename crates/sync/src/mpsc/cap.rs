//! How many messages a block holds.

pub(super) const BLOCK: usize = 32;
