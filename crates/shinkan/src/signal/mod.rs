//! Signals of the operating system: control-C, the request to end, and the others.
//!
//! A handler is installed when a signal is first listened for, and stays for the life of the
//! process: from then on the signal no longer does what it did by default, also after the last
//! listener is gone. A program that has called [`ctrl_c`] once is not ended by control-C any more.
//! Handlers that were installed before are called first.
//!
//! Several that arrive before a listener looks count as one, as the kernel has it too. Every
//! listener of every runtime in the process learns of each signal, as long as a runtime with I/O
//! is driven.
//!
//! # Examples
//! ```no_run
//! #[shinkan::main]
//! async fn main() -> std::io::Result<()> {
//!     shinkan::signal::ctrl_c().await?;
//!     println!("going down");
//!     Ok(())
//! }
//! ```

pub mod unix;

use std::future::Future;
use std::io;
use std::panic::Location;
use unix::SignalKind;

/// Waits for control-C, from the first poll of the future on.
///
/// From then on control-C does not end the process any more, also after this has returned.
///
/// # Errors
/// The handler can't be installed, or the runtime ends before the signal comes.
///
/// # Cancel safety
/// It listens while it lives: a signal that comes between two calls of this function is lost. A
/// [`unix::Signal`] that is kept loses none.
///
/// # Panics
/// When it is polled outside a runtime, or in one that was built without I/O.
///
/// # Examples
/// Control-C ends what runs beside it:
/// ```no_run
/// # async fn serve() {}
/// #[shinkan::main]
/// async fn main() {
///     shinkan::select! {
///         () = serve() => {}
///         _ = shinkan::signal::ctrl_c() => println!("going down"),
///     }
/// }
/// ```
#[track_caller]
pub fn ctrl_c() -> impl Future<Output = io::Result<()>> {
    let place = Location::caller();
    async move {
        assert!(
            shinkan_rt::with_current(|_| ()).is_ok(),
            "there is no reactor running on this thread: `ctrl_c`, called at {place}, was polled \
             outside of a runtime such as shinkan's. Await it in a task or inside `block_on`"
        );
        let mut signal = unix::Signal::listen(SignalKind::interrupt(), place)?;
        match signal.recv_at(place).await {
            Some(()) => Ok(()),
            None => Err(io::Error::other("the runtime has ended, and no signal came before")),
        }
    }
}
