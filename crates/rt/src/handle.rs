//! The handle of a runtime: spawning, entering and blocking on it from anywhere.

use crate::blocking::{self, BlockingFuture, Unstarted};
use crate::clock::HoldsClock;
use crate::current;
use crate::enter::{self, EnterGuard};
use crate::metrics::RuntimeMetrics;
use crate::multi;
use crate::scheduler::Scheduler;
use crate::seed::Seeded;
use crate::shared::{self, Flavor, Shared};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_driver::{Clock, Io};
use shinkan_task::{Id as TaskId, JoinHandle, Origin};
use shinkan_trace::TaskSpan;
use std::error::Error;
use std::io;
use std::num::NonZeroU64;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

/// A handle to a runtime, cheap to clone.
///
/// It keeps the runtime's memory alive, not the runtime: once the `Runtime` is dropped, tasks
/// that are spawned through a handle are cancelled at once.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Shared>,
}

/// Which scheduler a runtime has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// All tasks run on the thread that calls `block_on`.
    CurrentThread,
    /// Tasks run on several worker threads, which take work from each other.
    MultiThread,
}

/// The number of a runtime: no two that live at once have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(NonZeroU64);

impl Id {
    /// A new number.
    pub(crate) fn next() -> Self {
        Self(NonZeroU64::new(shared::next_id()).expect("numbers start at one"))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why [`Handle::try_current`] found no runtime.
#[derive(Debug)]
pub struct TryCurrentError {
    thread_local_destroyed: bool,
}

impl TryCurrentError {
    pub(crate) fn missing() -> Self {
        Self { thread_local_destroyed: false }
    }

    /// Whether this thread has entered no runtime.
    pub fn is_missing_context(&self) -> bool {
        !self.thread_local_destroyed
    }

    /// Whether this thread is ending and its thread-local is gone. Never so in this runtime, whose
    /// thread-local has no destructor.
    pub fn is_thread_local_destroyed(&self) -> bool {
        self.thread_local_destroyed
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_RUNTIME)
    }
}

impl Error for TryCurrentError {}

pub(crate) const NO_RUNTIME: &str = "there is no reactor running, must be called from the context \
    of a Tokio 1.x runtime, such as shinkan's: in a task, inside `block_on`, or while a guard of \
    `Handle::enter` lives on this thread. If one is entered, the program may hold two runtimes: \
    `cargo tree -i tokio` shows them, and `cargo xtask doctor PATH`, run where shinkan is cloned, \
    says why and what to type";

impl Handle {
    pub(crate) fn from_arc(inner: Arc<Shared>) -> Self {
        Self { inner }
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        &self.inner
    }

    #[inline]
    pub(crate) fn is(&self, shared: &Shared) -> bool {
        core::ptr::eq(Arc::as_ptr(&self.inner), shared)
    }

    pub(crate) fn as_ptr(&self) -> *const Shared {
        Arc::as_ptr(&self.inner)
    }

    /// The runtime that this thread is in.
    ///
    /// # Panics
    /// Outside every runtime.
    #[track_caller]
    pub fn current() -> Self {
        match Self::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// The runtime that this thread is in.
    ///
    /// # Errors
    /// Outside every runtime.
    pub fn try_current() -> Result<Self, TryCurrentError> {
        enter::with_current(Self::clone)
    }

    /// Makes the runtime this thread's until the guard is dropped: `spawn`, sleeps and sockets
    /// then belong to it. Guards are dropped in the reverse of their order.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard::new(self)
    }

    /// Starts a task on the runtime; it runs beside its caller.
    ///
    /// # Panics
    /// Never: on a runtime that has ended the task is cancelled at once.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_at(future, Location::caller())
    }

    /// As [`Handle::spawn`], with the place that the task is said to come from.
    #[doc(hidden)]
    #[inline]
    pub fn spawn_at<F>(&self, future: F, place: &'static Location<'static>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_named_at(future, None, place)
    }

    /// As [`Handle::spawn_at`], with a name for the task.
    #[doc(hidden)]
    #[inline]
    pub fn spawn_named_at<F>(
        &self,
        future: F,
        name: Option<&str>,
        place: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let id = TaskId::next();
        let shared = self.shared();
        let span = TaskSpan::task::<F>("task", name, id.as_u64(), place);
        let origin = shared.origin(place, name).marked(span.mark());
        shared.hooks.spawned(id, &origin);
        let future = span.instrument(future);
        let (runnable, task, join) = shinkan_task::spawn(future, Scheduler::new(self), id, origin);
        match shared.registry.insert(task) {
            Ok(()) => shared.schedule(runnable, false),
            Err(task) => {
                runnable.cancel();
                drop(task);
            }
        }
        join
    }

    /// Runs a closure that blocks on a thread where that hurts nobody.
    ///
    /// # Panics
    /// If no thread is there to run it and none can be started.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        match self.try_spawn_blocking(f, None, Location::caller()) {
            Ok(join) => join,
            Err(error) => panic!(
                "`spawn_blocking`: OS can't spawn worker thread ({error}). Raise its limit, or lower \
                 `max_blocking_threads` so that closures queue"
            ),
        }
    }

    /// As [`Handle::spawn_blocking`], with a name for the task.
    ///
    /// # Errors
    /// If no thread is there to run it and none can be started.
    #[doc(hidden)]
    pub fn try_spawn_blocking<F, R>(
        &self,
        f: F,
        name: Option<&str>,
        place: &'static Location<'static>,
    ) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let id = TaskId::next();
        let span = TaskSpan::blocking::<F>(name, id.as_u64(), place);
        let origin = match name {
            None => Origin::from(place),
            name => Origin::tagged(place, name),
        };
        let origin = origin.marked(span.mark());
        let future = span.instrument(BlockingFuture::new(f));
        let (runnable, task, join) = shinkan_task::spawn(future, Unstarted, id, origin);
        drop(task);
        match self
            .shared()
            .blocking
            .submit(self, blocking::Job::Task(runnable, HoldsClock::new(self)))
        {
            Ok(()) => {}
            Err(blocking::Refused::Closed(job)) => job.cancel(),
            Err(blocking::Refused::NoThread(job, error)) => {
                job.cancel();
                return Err(error);
            }
        }
        Ok(join)
    }

    /// Blocks this thread until `future` is done. The future runs on this thread; what it spawns
    /// runs on the runtime. On a current-thread runtime another thread has to be inside
    /// `Runtime::block_on`, or timers and sockets stand still.
    ///
    /// # Panics
    /// On a thread that drives a runtime; if the future panics; if the future waits for a timer
    /// and the runtime has ended.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let future = blocked_on(future, Location::caller());
        // Also where the runtime has one thread: this one drives none of its tasks.
        let _driving = enter::block_on(self, true);
        let _seeded = Seeded::main(self);
        multi::park_on(future, None)
    }

    /// As `Runtime::block_on`: on a current-thread runtime this thread drives it.
    #[track_caller]
    pub(crate) fn drive<F: Future>(&self, future: F) -> F::Output {
        let future = blocked_on(future, Location::caller());
        match &self.inner.flavor {
            Flavor::Multi(_) => {
                let _driving = enter::block_on(self, true);
                let _seeded = Seeded::main(self);
                let ends = self.inner.config.shutdown_on_panic;
                multi::park_on(future, ends.then_some(&self.inner.fate))
            }
            Flavor::Current(_) => {
                let _driving = enter::block_on(self, false);
                let _seeded = Seeded::main(self);
                current::block_on(self, future, Location::caller())
            }
        }
    }

    /// Which scheduler the runtime has.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        match self.inner.flavor {
            Flavor::Multi(_) => RuntimeFlavor::MultiThread,
            Flavor::Current(_) => RuntimeFlavor::CurrentThread,
        }
    }

    /// The runtime's number.
    pub fn id(&self) -> Id {
        Id(NonZeroU64::new(self.inner.id).expect("numbers start at one"))
    }

    /// The name that the builder gave the runtime.
    pub fn name(&self) -> Option<&str> {
        self.inner.config.name.as_deref()
    }

    /// What the runtime counts about itself.
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::new(self.clone())
    }

    /// Where sockets are registered.
    ///
    /// # Panics
    /// If the runtime was built without I/O.
    #[doc(hidden)]
    #[track_caller]
    pub fn io(&self) -> &Io {
        assert!(
            self.inner.config.io,
            "A Tokio 1.x context was found, but IO is disabled. Call `enable_io` on the runtime \
             builder to enable IO. `enable_all` enables it with timers"
        );
        self.inner.driver.io()
    }

    /// The same; nothing if the runtime was built without I/O.
    #[doc(hidden)]
    pub fn io_if_enabled(&self) -> Option<&Io> {
        self.inner.config.io.then(|| self.inner.driver.io())
    }

    /// The runtime's clock.
    #[doc(hidden)]
    pub fn clock(&self) -> &Clock {
        self.inner.driver.clock()
    }

    /// Takes core `index` from its worker if that runs user code now; the test mode's step.
    ///
    /// # Panics
    /// On a current-thread runtime, and if there is no such core.
    #[doc(hidden)]
    pub fn seize_core(&self, index: usize) -> bool {
        crate::seize::seize(self, index)
    }

    /// Calls `f` for each live task, for a dump.
    #[doc(hidden)]
    pub fn for_each_task(&self, mut f: impl FnMut(&shinkan_task::TaskRef)) {
        self.inner.registry.for_each(&mut f);
    }
}

// A panic of user code leaves the runtime's state whole: none runs under its locks.
impl UnwindSafe for Handle {}
impl RefUnwindSafe for Handle {}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("id", &self.inner.id)
            .field("flavor", &self.runtime_flavor())
            .finish()
    }
}

/// `future` as `tracing` is told of it: a task of its own kind. Without that feature, as it is.
#[inline]
fn blocked_on<F: Future>(
    future: F,
    place: &'static Location<'static>,
) -> impl Future<Output = F::Output> {
    let id = if shinkan_trace::is_on() { TaskId::next().as_u64() } else { 0 };
    TaskSpan::task::<F>("block_on", None, id, place).instrument(future)
}
