//! Signals: their numbers, and handlers for them.

use std::io;

/// The highest number of a signal: `SIGRTMAX`.
pub const SIGNAL_MAX: i32 = 64;

/// The numbers by name.
pub mod number {
    use rustix::process::Signal;

    /// A timer of alarm(2) has run out.
    pub const ALARM: i32 = Signal::ALARM.as_raw();
    /// A child has ended, was stopped or goes on.
    pub const CHILD: i32 = Signal::CHILD.as_raw();
    /// The terminal is gone.
    pub const HANGUP: i32 = Signal::HUP.as_raw();
    /// Control-C.
    pub const INTERRUPT: i32 = Signal::INT.as_raw();
    /// A descriptor is ready.
    pub const IO: i32 = Signal::IO.as_raw();
    /// A write to a pipe that nobody reads.
    pub const PIPE: i32 = Signal::PIPE.as_raw();
    /// Control-backslash.
    pub const QUIT: i32 = Signal::QUIT.as_raw();
    /// A request to end.
    pub const TERMINATE: i32 = Signal::TERM.as_raw();
    /// The program's own, first.
    pub const USER1: i32 = Signal::USR1.as_raw();
    /// The program's own, second.
    pub const USER2: i32 = Signal::USR2.as_raw();
    /// The terminal's window has another size.
    pub const WINDOW: i32 = Signal::WINCH.as_raw();
}

/// Whether a handler may be installed for it: `SIGKILL` and `SIGSTOP` know none, and a program
/// that returns from one for `SIGILL`, `SIGFPE` or `SIGSEGV` meets the same fault again.
pub fn is_allowed(signal: i32) -> bool {
    signal > 0 && !signal_hook_registry::FORBIDDEN.contains(&signal)
}

/// Has `action` called each time when the signal arrives, on whatever thread the kernel chooses,
/// after the handlers that were there before. It stays for the life of the process.
///
/// # Errors
/// Those of sigaction(2): there is no such signal, or the C library keeps it for itself.
///
/// # Panics
/// Where the signal is not [allowed](is_allowed).
///
/// # Safety
/// `action` interrupts other code at any place. It only does what signal-safety(7) allows: no
/// lock, no allocation, no panic.
pub unsafe fn install<F>(signal: i32, action: F) -> io::Result<()>
where
    F: Fn() + Send + Sync + 'static,
{
    // SAFETY:
    // - what the action may do is this function's own contract.
    unsafe { signal_hook_registry::register(signal, action) }.map(drop)
}
