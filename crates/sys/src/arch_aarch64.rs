//! What differs between processors: here aarch64.

use crate::interrupt::Registers;

/// Where the interrupted code was.
pub(crate) fn registers(context: &libc::ucontext_t) -> Registers {
    let machine = &context.uc_mcontext;
    Registers { ip: machine.pc, sp: machine.sp, fp: machine.regs[29], lr: machine.regs[30] }
}

/// Calls that only this processor has.
pub(crate) const NAMES: &[(i64, &str)] = &[];
