//! The head of a ring: two indices in one word, so that both change in one step.
//! Used by `ring` alone; no bit of the word leaves this file.

/// Where the takers of a ring stand.
///
/// ```text
/// row  condition       slots `steal..real`   slots `real..tail`
///  1   steal == real   none                  filled; whoever moves `real` takes them
///  2   steal != real   the one thief's       filled; only the owner may move `real`
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The first slot that a thief is still reading; equal to `real` where there is no thief.
    pub(crate) steal: u32,
    /// The first slot that nobody has taken.
    pub(crate) real: u32,
}

impl Head {
    /// Row 1: nobody steals.
    #[inline(always)]
    pub(crate) const fn at(index: u32) -> Self {
        Self { steal: index, real: index }
    }

    #[inline(always)]
    pub(crate) const fn unpack(word: u64) -> Self {
        Self { steal: (word >> 32) as u32, real: word as u32 }
    }

    #[inline(always)]
    pub(crate) const fn pack(self) -> u64 {
        (self.steal as u64) << 32 | self.real as u64
    }

    /// Row 2: a thief reads the slots that it took.
    #[inline(always)]
    pub(crate) const fn is_stealing(self) -> bool {
        self.steal != self.real
    }

    /// One slot further; a thief's part stays his.
    #[inline(always)]
    pub(crate) const fn popped(self) -> Self {
        let real = self.real.wrapping_add(1);
        Self { steal: if self.is_stealing() { self.steal } else { real }, real }
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn both_indices_survive_the_word() {
        for head in [
            Head::at(0),
            Head::at(u32::MAX),
            Head { steal: u32::MAX - 1, real: 3 },
            Head { steal: 0x8000_0000, real: 0x8000_0001 },
        ] {
            assert_eq!(Head::unpack(head.pack()), head);
        }
    }

    #[test]
    fn a_pop_moves_the_thiefs_mark_only_where_there_is_no_thief() {
        assert_eq!(Head::at(u32::MAX).popped(), Head::at(0));
        let stealing = Head { steal: u32::MAX, real: 2 };
        assert_eq!(stealing.popped(), Head { steal: u32::MAX, real: 3 });
    }
}
