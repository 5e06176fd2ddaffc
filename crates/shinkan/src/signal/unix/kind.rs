//! The kinds of signals, by name and by number.

use shinkan_driver::signals::number;
use std::ffi::c_int;

/// A kind of signal.
///
/// # Examples
/// ```
/// use shinkan::signal::unix::SignalKind;
///
/// assert_eq!(SignalKind::from_raw(1), SignalKind::hangup());
/// assert_eq!(SignalKind::from(2), SignalKind::interrupt());
/// assert_eq!(i32::from(SignalKind::terminate()), 15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalKind(c_int);

impl SignalKind {
    /// The kind with a number, also one that has no name here, such as a real-time signal.
    /// Whether there is such a signal is found out by listening for it.
    pub const fn from_raw(signum: c_int) -> Self {
        Self(signum)
    }

    /// Its number.
    ///
    /// # Examples
    /// ```
    /// use shinkan::signal::unix::SignalKind;
    ///
    /// assert_eq!(SignalKind::interrupt().as_raw_value(), 2);
    /// ```
    pub const fn as_raw_value(&self) -> c_int {
        self.0
    }

    /// `SIGALRM`: a timer of alarm(2) has run out. Ends the process by default.
    pub const fn alarm() -> Self {
        Self(number::ALARM)
    }

    /// `SIGCHLD`: a child has ended, was stopped or goes on. Ignored by default.
    pub const fn child() -> Self {
        Self(number::CHILD)
    }

    /// `SIGHUP`: the terminal is gone; daemons take it as the wish to read their configuration
    /// anew. Ends the process by default.
    pub const fn hangup() -> Self {
        Self(number::HANGUP)
    }

    /// `SIGINT`: control-C. Ends the process by default.
    pub const fn interrupt() -> Self {
        Self(number::INTERRUPT)
    }

    /// `SIGIO`: a descriptor that was set up so is ready. Ends the process by default.
    pub const fn io() -> Self {
        Self(number::IO)
    }

    /// `SIGPIPE`: a write to a pipe or socket that nobody reads. Rust programs ignore it from
    /// their start; the write returns an error instead.
    pub const fn pipe() -> Self {
        Self(number::PIPE)
    }

    /// `SIGQUIT`: control-backslash. Ends the process with a core dump by default.
    pub const fn quit() -> Self {
        Self(number::QUIT)
    }

    /// `SIGTERM`: the request to end. Ends the process by default.
    pub const fn terminate() -> Self {
        Self(number::TERMINATE)
    }

    /// `SIGUSR1`: the program's own. Ends the process by default.
    pub const fn user_defined1() -> Self {
        Self(number::USER1)
    }

    /// `SIGUSR2`: the program's own. Ends the process by default.
    pub const fn user_defined2() -> Self {
        Self(number::USER2)
    }

    /// `SIGWINCH`: the terminal's window has another size. Ignored by default.
    pub const fn window_change() -> Self {
        Self(number::WINDOW)
    }
}
