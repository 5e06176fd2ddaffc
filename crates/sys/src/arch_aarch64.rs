//! What differs between processors: here aarch64.

use crate::interrupt::Registers;

/// Where the interrupted code was.
pub(crate) fn registers(context: &libc::ucontext_t) -> Registers {
    let machine = &context.uc_mcontext;
    Registers { ip: machine.pc, sp: machine.sp, fp: machine.regs[29], lr: machine.regs[30] }
}

/// Where this thread's stack ends now. Not the address of a local variable: a sanitizer may put these
/// elsewhere.
#[inline]
pub(crate) fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY:
    // - reads one register, and touches neither memory nor flags.
    unsafe {
        core::arch::asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags))
    };
    sp
}

/// Calls that only this processor has.
pub(crate) const NAMES: &[(i64, &str)] = &[];

/// Of these, those that wait for an event.
pub(crate) const EVENTS: &[i64] = &[];
