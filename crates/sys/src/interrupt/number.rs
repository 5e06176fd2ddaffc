//! Which signal: numbers, and who has them.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use std::io;

/// A real-time signal that nobody handles. From the highest but one down: programs take theirs
/// from `SIGRTMIN` up, and some from `SIGRTMAX`.
pub fn free() -> Option<c_int> {
    let is_free =
        |signal: &c_int| action(*signal).is_ok_and(|action| action.sa_sigaction == libc::SIG_DFL);
    (libc::SIGRTMIN() + 1..libc::SIGRTMAX()).rev().find(is_free)
}

/// Whether the handler of [`install`](super::install) has the signal now: who installed another
/// one after it gets what is sent.
pub fn is_ours(signal: c_int) -> bool {
    let ours = super::entry as *const () as usize;
    action(signal).is_ok_and(|action| action.sa_sigaction == ours)
}

/// Whether nothing is lost when a handler takes this signal, which has that action now: someone
/// handles it and is called as before, it is a real-time one, or SIGURG, which does nothing.
pub(super) fn may_be_taken(signal: c_int, action: &libc::sigaction) -> bool {
    let is_handled = ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction);
    is_handled || signal >= libc::SIGRTMIN() || signal == libc::SIGURG
}

/// Who has the signal.
pub(super) fn action(signal: c_int) -> io::Result<libc::sigaction> {
    let mut action = no_action();
    // SAFETY:
    // - changes nothing, and writes one record, which is ours.
    match unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut action) } {
        0 => Ok(action),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The default action, with an empty mask.
pub(super) fn no_action() -> libc::sigaction {
    // SAFETY:
    // - a record of the C library's, of which all zeroes is a value: `SIG_DFL`, no flags, and no
    //   signal in the mask.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_with_a_meaning_is_not_taken() {
        extern "C" fn nothing(_signal: c_int) {}
        let mut action = no_action();
        assert!(!may_be_taken(libc::SIGTERM, &action));
        assert!(may_be_taken(libc::SIGURG, &action) && may_be_taken(50, &action));
        action.sa_sigaction = libc::SIG_IGN;
        assert!(!may_be_taken(libc::SIGUSR1, &action));
        action.sa_sigaction = nothing as *const () as usize;
        assert!(may_be_taken(libc::SIGTERM, &action));
    }
}
