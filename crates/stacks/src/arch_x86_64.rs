//! What differs between processors: here x86-64.

use framehop::UnwindRegsNative;
use shinkan_sys::interrupt::Registers;

/// For the unwinder.
pub(crate) fn start(registers: &Registers) -> UnwindRegsNative {
    UnwindRegsNative::new(registers.ip, registers.sp, registers.fp)
}

pub(crate) fn sp(registers: &UnwindRegsNative) -> u64 {
    registers.sp()
}

pub(crate) fn fp(registers: &UnwindRegsNative) -> u64 {
    registers.bp()
}

pub(crate) fn set_fp(registers: &mut UnwindRegsNative, fp: u64) {
    registers.set_bp(fp);
}

/// What stands in front of an address to which a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A call of this address.
    Of(u64),
    /// A call of the address that is stored here.
    Through(u64),
    /// A call of what a register says.
    Unknown,
}

/// The longest call.
pub(crate) const LONGEST: usize = 7;

/// The call that ends where `code` does, at `end`.
pub(crate) fn call(code: &[u8; LONGEST], end: u64) -> Option<Call> {
    let near = |at: usize| {
        let bytes: [u8; 4] = code[at..at + 4].try_into().expect("four of them");
        end.wrapping_add_signed(i64::from(i32::from_le_bytes(bytes)))
    };
    // CALL rel32, and CALL [rip + disp32], by which the functions of libraries are reached.
    if code[2] == 0xe8 {
        return Some(Call::Of(near(3)));
    }
    if code[1..3] == [0xff, 0x15] {
        return Some(Call::Through(near(3)));
    }
    // CALL r/m64 (FF /2) in all its lengths: no displacement, a short one, or a long one.
    let is_call = |at: usize, modes: &[u8]| {
        let form = code[at + 1];
        code[at] == 0xff && form >> 3 & 7 == 2 && modes.contains(&(form >> 6))
    };
    let any = is_call(5, &[0, 3]) || is_call(4, &[0, 1]) || is_call(3, &[1]);
    (any || is_call(1, &[2]) || is_call(0, &[2])).then_some(Call::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_recognised() {
        let end = 0x1000;
        assert_eq!(call(&[0, 0, 0xe8, 0xf0, 0xff, 0xff, 0xff], end), Some(Call::Of(0xff0)));
        assert_eq!(call(&[0, 0xff, 0x15, 16, 0, 0, 0], end), Some(Call::Through(0x1010)));
        assert_eq!(call(&[0, 0, 0, 0, 0, 0xff, 0xd0], end), Some(Call::Unknown), "call rax");
        assert_eq!(call(&[0, 0, 0, 0, 0xff, 0x50, 0x18], end), Some(Call::Unknown), "[rax+24]");
        assert_eq!(call(&[0, 0xff, 0x90, 0, 1, 0, 0], end), Some(Call::Unknown), "[rax+256]");
        assert_eq!(call(&[0x90; 7], end), None);
    }
}
