//! How many messages a block holds in the models: few, so that the edge between two is explored.

pub(crate) const BLOCK: usize = 2;
