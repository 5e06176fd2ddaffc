//! The runtime itself: who owns it decides when it ends.

use crate::builder::Builder;
use crate::current;
use crate::enter::EnterGuard;
use crate::handle::Handle;
use crate::metrics::RuntimeMetrics;
use crate::monitor;
use crate::seize::Seizer;
use crate::shared::Flavor;
use core::future::Future;
use core::time::Duration;
use shinkan_context::{self as context, Entered};
use shinkan_task::JoinHandle;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// An async runtime: scheduler, timers, sockets and the pool for blocking closures.
///
/// Dropping it ends it: every task is dropped at its next `.await` (those that run are waited
/// for), blocking closures that run are waited for, those that wait are cancelled.
///
/// # Examples
/// ```
/// let runtime = shinkan_rt::Runtime::new()?;
/// let seven = runtime.block_on(async { shinkan_rt::spawn(async { 3 + 4 }).await });
/// assert_eq!(seven.unwrap(), 7);
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    seizer: Option<Seizer>,
    watched: bool,
    ended: bool,
}

/// How a runtime's end waits for its threads.
pub(crate) enum Patience {
    ForEver,
    AtMost(Duration),
}

impl Runtime {
    pub(crate) fn from_parts(handle: Handle, seizer: Option<Seizer>) -> Self {
        Self { handle, seizer, watched: false, ended: false }
    }

    /// Starts the test mode in which cores are taken at random.
    pub(crate) fn seize_every(&mut self, pause_us: u64) -> io::Result<()> {
        self.seizer = Some(Seizer::start(&self.handle, pause_us)?);
        Ok(())
    }

    /// Has the monitor look at the workers.
    pub(crate) fn watch_for_stalls(&mut self) -> io::Result<()> {
        self.watched = true;
        monitor::watch(&self.handle)
    }

    /// A runtime of several workers, one for each processor, with I/O and timers.
    ///
    /// # Errors
    /// Where the operating system gives no descriptor or no thread.
    pub fn new() -> io::Result<Self> {
        Builder::new_multi_thread().enable_all().build()
    }

    /// A handle to it, which may be cloned and sent to other threads.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// As [`Handle::spawn`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// As [`Handle::spawn_blocking`].
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(f)
    }

    /// Blocks this thread until `future` is done. On a current-thread runtime this thread drives
    /// all its tasks meanwhile; with several workers it polls `future` alone.
    ///
    /// # Panics
    /// If this thread drives a runtime already, or if `future` panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.drive(future)
    }

    /// As [`Handle::enter`].
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// What the runtime counts about itself.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }

    /// Ends the runtime and waits at most `patience` for its threads; those that are stuck in a
    /// blocking call are left to themselves.
    pub fn shutdown_timeout(mut self, patience: Duration) {
        self.end(Patience::AtMost(patience));
    }

    /// Ends the runtime without waiting. Unlike dropping it, this may be called in a task.
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }

    pub(crate) fn end(&mut self, patience: Patience) {
        if core::mem::replace(&mut self.ended, true) {
            return;
        }
        let shared = self.handle.shared();
        // The seizer and the monitor first: after this no core changes hands but by its own holder.
        drop(self.seizer.take());
        if self.watched {
            monitor::forget(&self.handle);
        }
        shared.close();
        if let Flavor::Current(_) = shared.flavor {
            current::shut_down(&self.handle);
        }
        shared.blocking.close();
        shared.blocking.join(match patience {
            Patience::ForEver => None,
            Patience::AtMost(patience) => Some(patience),
        });
    }
}

// As a handle.
impl UnwindSafe for Runtime {}
impl RefUnwindSafe for Runtime {}

impl Drop for Runtime {
    #[track_caller]
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if context::entered() != Entered::No {
            // Waiting here could wait for this very thread. The runtime ends all the same.
            self.end(Patience::AtMost(Duration::ZERO));
            if !std::thread::panicking() {
                panic!(
                    "Cannot drop a runtime in a context where blocking is not allowed: this thread \
                     drives an async runtime, whose other tasks would stand still. Drop it \
                     outside, or in `spawn_blocking`, or call `shutdown_background`"
                );
            }
            return;
        }
        self.end(Patience::ForEver);
    }
}
