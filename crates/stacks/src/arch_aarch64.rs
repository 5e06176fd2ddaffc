//! What differs between processors: here aarch64.

use framehop::UnwindRegsNative;
use shinkan_sys::interrupt::Registers;

/// For the unwinder.
pub(crate) fn start(registers: &Registers) -> UnwindRegsNative {
    UnwindRegsNative::new(registers.lr, registers.sp, registers.fp)
}

pub(crate) fn sp(registers: &UnwindRegsNative) -> u64 {
    registers.sp()
}

pub(crate) fn fp(registers: &UnwindRegsNative) -> u64 {
    registers.fp()
}

pub(crate) fn set_fp(registers: &mut UnwindRegsNative, fp: u64) {
    registers.set_fp(fp);
}

/// What stands in front of an address to which a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A call of this address.
    Of(u64),
    /// A call of the address that is stored here. Not on this processor.
    #[allow(dead_code)]
    Through(u64),
    /// A call of what a register says.
    Unknown,
}

/// The longest call.
pub(crate) const LONGEST: usize = 4;

/// The call that ends where `code` does, at `end`.
pub(crate) fn call(code: &[u8; LONGEST], end: u64) -> Option<Call> {
    let word = u32::from_le_bytes(*code);
    if word >> 26 == 0b10_0101 {
        // BL: 26 bits of words from the call itself.
        let words = i64::from((word << 6).cast_signed() >> 6);
        return Some(Call::Of(end.wrapping_sub(4).wrapping_add_signed(4 * words)));
    }
    // BLR.
    (word & 0xffff_fc1f == 0xd63f_0000).then_some(Call::Unknown)
}
