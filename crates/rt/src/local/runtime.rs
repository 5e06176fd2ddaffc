//! A runtime of one thread whose tasks need not be `Send`: a current-thread runtime with a set of
//! local tasks of its own.

use super::current::{self, Owner};
use super::{LocalSet, Shared};
use crate::builder::Builder;
use crate::enter::EnterGuard;
use crate::handle::Handle;
use crate::metrics::RuntimeMetrics;
use crate::runtime::{Patience, Runtime};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::panic::Location;
use core::time::Duration;
use shinkan_task::JoinHandle;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

/// A runtime of one thread, on which `spawn_local` spawns without a
/// [`LocalSet`](crate::local::LocalSet). It stays on the thread that made it.
///
/// Its tasks run while [`LocalRuntime::block_on`] does.
///
/// # Examples
/// ```
/// use std::rc::Rc;
///
/// let runtime = shinkan_rt::local::LocalRuntime::new()?;
/// let length = runtime.block_on(async {
///     let text = Rc::new("one thread");
///     shinkan_rt::local::spawn_local(async move { text.len() }).await
/// });
/// assert_eq!(length.unwrap(), 10);
/// # std::io::Result::Ok(())
/// ```
pub struct LocalRuntime {
    // Taken when it ends: the local tasks end first, inside their runtime.
    parts: Option<(LocalSet, Owner)>,
    runtime: Runtime,
}

/// What `Builder::build_local` may be told: nothing so far.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct LocalOptions {
    _stays: PhantomData<*mut u8>,
}

impl LocalRuntime {
    /// A runtime with I/O and timers.
    ///
    /// # Errors
    /// Where the operating system gives no descriptor.
    pub fn new() -> io::Result<Self> {
        Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
    }

    /// A handle to it, which may be cloned and sent to other threads. What is spawned through it
    /// must be `Send`.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Spawns a task that need not be `Send`. It runs while [`LocalRuntime::block_on`] does.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.set().spawn_local(future)
    }

    /// As `Runtime::spawn_blocking`.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.runtime.spawn_blocking(func)
    }

    /// Blocks this thread until `future` is done, and runs the runtime's tasks meanwhile.
    ///
    /// # Panics
    /// If this thread drives a runtime already, or if `future` panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(self.set().run_until(future))
    }

    /// As `Runtime::enter`. `spawn_local` then spawns here, too.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// What the runtime counts about itself, its local tasks included.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.runtime.metrics()
    }

    /// Ends the runtime and waits at most `patience` for its blocking closures.
    pub fn shutdown_timeout(mut self, patience: Duration) {
        self.end_tasks();
        self.runtime.end(Patience::AtMost(patience));
    }

    /// Ends the runtime without waiting.
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }

    fn set(&self) -> &LocalSet {
        let (set, _) = self.parts.as_ref().expect("taken by the end alone");
        set
    }

    fn end_tasks(&mut self) {
        let _within = self.runtime.enter();
        drop(self.parts.take());
    }
}

impl Drop for LocalRuntime {
    fn drop(&mut self) {
        self.end_tasks();
    }
}

impl Builder {
    /// Builds a runtime whose tasks need not be `Send`, for this thread alone.
    ///
    /// # Errors
    /// Where the operating system gives no descriptor.
    ///
    /// # Panics
    /// If the builder is one for several workers.
    #[track_caller]
    pub fn build_local(&mut self, _options: LocalOptions) -> io::Result<LocalRuntime> {
        assert!(
            self.is_current_thread(),
            "`build_local` was called on a builder for several workers: a local runtime stays on \
             one thread, so start with `Builder::new_current_thread`"
        );
        let runtime = self.build()?;
        let set = LocalSet::new();
        set.context.shared.belong_to(runtime.handle());
        let tasks = Arc::downgrade(&set.context.shared);
        let first = runtime.handle().shared().local.set(tasks).is_ok();
        assert!(first, "a new runtime has no local tasks yet");
        let owner = current::own(runtime.handle().id(), &set.context);
        Ok(LocalRuntime { parts: Some((set, owner)), runtime })
    }
}

/// Spawns on the local runtime that this thread has entered and owns.
pub(super) fn spawn<F>(
    future: F,
    name: Option<&str>,
    place: &'static Location<'static>,
) -> Result<JoinHandle<F::Output>, F>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let owned = crate::enter::with_current(Handle::id).ok().and_then(current::owned);
    let Some(context) = owned else { return Err(future) };
    let handle = Shared::spawn(&context.shared, future, name, place);
    context.shared.wake();
    Ok(handle)
}

// As a runtime.
impl UnwindSafe for LocalRuntime {}
impl RefUnwindSafe for LocalRuntime {}

impl fmt::Debug for LocalRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRuntime").field("handle", self.handle()).finish_non_exhaustive()
    }
}
