//! What differs between processors: here x86-64.

use crate::interrupt::Registers;

/// Where the interrupted code was.
pub(crate) fn registers(context: &libc::ucontext_t) -> Registers {
    let at = |register: libc::c_int| context.uc_mcontext.gregs[register as usize].cast_unsigned();
    Registers { ip: at(libc::REG_RIP), sp: at(libc::REG_RSP), fp: at(libc::REG_RBP), lr: 0 }
}

/// Where this thread's stack ends now. Not the address of a local variable: a sanitizer may put these
/// elsewhere.
#[inline]
pub(crate) fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY:
    // - reads one register, and touches neither memory nor flags.
    unsafe {
        core::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags))
    };
    sp
}

/// Of calls that only this processor has, those that wait for an event.
pub(crate) const EVENTS: &[i64] =
    &[libc::SYS_poll, libc::SYS_select, libc::SYS_epoll_wait, libc::SYS_pause];

/// Calls that only this processor has.
pub(crate) const NAMES: &[(i64, &str)] = &[
    (libc::SYS_poll, "poll"),
    (libc::SYS_select, "select"),
    (libc::SYS_epoll_wait, "epoll_wait"),
    (libc::SYS_open, "open"),
    (libc::SYS_pause, "pause"),
];
