//! Listening for any of Unix's signals.

use shinkan_base::wait::WaitKind;
use shinkan_context::{self as context, budget};
use shinkan_driver::signals::{self, Listener};
use std::ffi::c_int;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::task::{Context, Poll};

mod kind;

pub use kind::SignalKind;

/// Someone who listens for one kind of signal. See [`signal`].
#[must_use = "signals are received by `recv`"]
#[derive(Debug)]
pub struct Signal {
    listener: Listener,
    place: &'static Location<'static>,
}

/// Listens for a kind of signal, from this call on.
///
/// Any number may listen for the same kind; each receives it. From the first call on the signal
/// does not do what it did by default, for the life of the process.
///
/// # Errors
/// - `Other`: the kind is none that a program may handle (`SIGKILL`, `SIGSTOP`, `SIGILL`,
///   `SIGFPE`, `SIGSEGV`), is not in the kernel's range, or the runtime has ended.
/// - Those of sigaction(2), for the few that the C library keeps for itself.
/// - No descriptors left, at the first call of the process.
///
/// # Panics
/// Outside a runtime, and in one that was built without I/O: nothing would read the signal.
///
/// # Examples
/// ```
/// use shinkan::signal::unix::{SignalKind, signal};
///
/// # fn raise(kind: SignalKind) { let _ = std::process::Command::new("kill")
/// #     .args([format!("-{}", kind.as_raw_value()), std::process::id().to_string()]).status(); }
/// # shinkan::runtime::Runtime::new()?.block_on(async {
/// let mut hangup = signal(SignalKind::hangup())?;
/// raise(SignalKind::hangup());
/// assert_eq!(hangup.recv().await, Some(()));
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    Signal::listen(kind, Location::caller())
}

impl Signal {
    #[track_caller]
    pub(super) fn listen(kind: SignalKind, place: &'static Location<'static>) -> io::Result<Self> {
        let runtime = shinkan_rt::Handle::current();
        let listener = signals::listen(runtime.io(), kind.as_raw_value())?;
        Ok(Self { listener, place })
    }

    /// Waits for the signal, or takes the one that has come since the last time.
    ///
    /// Nothing if none can come any more: where it is polled, the runtime has ended, and no other
    /// reads signals.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped: a signal that came meanwhile is received by the next call.
    ///
    /// # Examples
    /// ```no_run
    /// use shinkan::signal::unix::{SignalKind, signal};
    ///
    /// #[shinkan::main]
    /// async fn main() -> std::io::Result<()> {
    ///     let mut hangup = signal(SignalKind::hangup())?;
    ///     while let Some(()) = hangup.recv().await {
    ///         println!("reading the configuration anew");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Option<()>> {
        self.recv_at(Location::caller())
    }

    pub(super) async fn recv_at(&mut self, place: &'static Location<'static>) -> Option<()> {
        poll_fn(|cx| self.poll_at(cx, place)).await
    }

    /// The form of [`Signal::recv`] for a hand-written future. The task that polled last is woken.
    ///
    /// # Examples
    /// ```
    /// use shinkan::signal::unix::{SignalKind, signal};
    /// use std::future::poll_fn;
    /// use std::task::Poll;
    ///
    /// # shinkan::runtime::Runtime::new()?.block_on(async {
    /// let mut change = signal(SignalKind::window_change())?;
    /// let polled = poll_fn(|cx| Poll::Ready(change.poll_recv(cx))).await;
    /// assert!(polled.is_pending());
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.poll_at(cx, self.place)
    }

    fn poll_at(
        &mut self,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
    ) -> Poll<Option<()>> {
        let resource = self.listener.signal() as usize;
        let Poll::Ready(unit) = budget::poll_proceed(cx) else {
            context::pending(WaitKind::Budget, resource, place);
            return Poll::Pending;
        };
        if self.listener.poll(cx).is_ready() {
            unit.made_progress();
            return Poll::Ready(Some(()));
        }
        // The waker is in its place: a reader that ends from now on wakes us to look again.
        if !is_read(&self.listener) {
            return Poll::Ready(None);
        }
        context::pending(WaitKind::Signal, resource, place);
        Poll::Pending
    }
}

/// Sees to it that the runtime in which the listener is polled reads signals. False if it can't,
/// and none does. Outside every runtime it waits for those that there may be.
fn is_read(listener: &Listener) -> bool {
    let here = shinkan_rt::with_current(|runtime| match runtime.io_if_enabled() {
        Some(io) => signals::watch_again(io),
        None => Ok(()),
    });
    !matches!(here, Ok(Err(_))) || listener.board().readers() > 0
}

impl From<c_int> for SignalKind {
    fn from(signum: c_int) -> Self {
        Self::from_raw(signum)
    }
}

impl From<SignalKind> for c_int {
    fn from(kind: SignalKind) -> Self {
        kind.as_raw_value()
    }
}
