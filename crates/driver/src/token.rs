//! What an event carries.

use crate::word::GENERATION_BITS;

/// A slot and the generation of one owner, as the 64 bits that an event carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(u64);

impl Token {
    pub(crate) fn new(index: u32, generation: u32) -> Self {
        debug_assert!(generation >> GENERATION_BITS == 0, "a generation has its bits");
        Self(u64::from(generation) << 32 | u64::from(index))
    }

    /// The token of which [`Token::as_u64`] gave the bits.
    #[inline]
    pub(crate) const fn from_u64(bits: u64) -> Self {
        Self(bits)
    }

    /// As a number.
    #[inline]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn index(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}
