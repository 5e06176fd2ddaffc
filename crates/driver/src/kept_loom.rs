//! How many chunks of slots stay in the models: as few as can, so that one is freed there.

pub(crate) const CHUNKS_KEPT: u32 = 1;
