//! How many chunks of slots stay, however few are owned.

/// 63 slots and 4 KiB together.
pub(crate) const CHUNKS_KEPT: u32 = 6;
