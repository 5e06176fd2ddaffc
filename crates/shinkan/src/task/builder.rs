//! What configures one task before it is spawned.

use core::future::Future;
use core::panic::Location;
use shinkan_rt::Handle;
use shinkan_rt::local::{LocalSet, spawn_local_named_at};
use shinkan_task::JoinHandle;
use std::io;

/// Configures one task before it is spawned: gives it a name, for hooks and diagnostics. A named
/// task costs one more small allocation.
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// use shinkan::task;
///
/// let task = task::Builder::new().name("the answer").spawn(async { 42 })?;
/// assert_eq!(task.await?, 42);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug, Default)]
pub struct Builder<'a> {
    name: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// A task without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// The task's name, which need be no other's.
    pub fn name(&self, name: &'a str) -> Self {
        Self { name: Some(name) }
    }

    /// Spawns the task on the runtime that this thread is in, as [`task::spawn`](crate::task::spawn).
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Panics
    /// Outside every runtime.
    #[track_caller]
    pub fn spawn<Fut>(self, future: Fut) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let place = Location::caller();
        Ok(Handle::current().spawn_named_at(future, self.name, place))
    }

    /// Spawns the task on the given runtime, as [`Handle::spawn`].
    ///
    /// # Errors
    /// None so far.
    #[track_caller]
    pub fn spawn_on<Fut>(self, future: Fut, handle: &Handle) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        Ok(handle.spawn_named_at(future, self.name, Location::caller()))
    }

    /// Spawns a task that stays on this thread, as [`task::spawn_local`](crate::task::spawn_local).
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Panics
    /// Outside a `LocalSet` and a `LocalRuntime` of this thread.
    #[track_caller]
    pub fn spawn_local<Fut>(self, future: Fut) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + 'static,
        Fut::Output: 'static,
    {
        Ok(spawn_local_named_at(future, self.name, Location::caller()))
    }

    /// Spawns a task that stays on this thread, as [`LocalSet::spawn_local`].
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Panics
    /// On another thread than the set's.
    #[track_caller]
    pub fn spawn_local_on<Fut>(
        self,
        future: Fut,
        local_set: &LocalSet,
    ) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + 'static,
        Fut::Output: 'static,
    {
        Ok(local_set.spawn_local_named_at(future, self.name, Location::caller()))
    }

    /// Runs a closure that blocks on the runtime that this thread is in, as
    /// [`task::spawn_blocking`](crate::task::spawn_blocking).
    ///
    /// # Errors
    /// No thread is there to run it, and the operating system starts none.
    ///
    /// # Panics
    /// Outside every runtime.
    #[track_caller]
    pub fn spawn_blocking<Function, Output>(
        self,
        function: Function,
    ) -> io::Result<JoinHandle<Output>>
    where
        Function: FnOnce() -> Output + Send + 'static,
        Output: Send + 'static,
    {
        self.spawn_blocking_on(function, &Handle::current())
    }

    /// Runs a closure that blocks on the given runtime, as [`Handle::spawn_blocking`].
    ///
    /// # Errors
    /// No thread is there to run it, and the operating system starts none.
    #[track_caller]
    pub fn spawn_blocking_on<Function, Output>(
        self,
        function: Function,
        handle: &Handle,
    ) -> io::Result<JoinHandle<Output>>
    where
        Function: FnOnce() -> Output + Send + 'static,
        Output: Send + 'static,
    {
        handle.try_spawn_blocking(function, self.name, Location::caller())
    }
}
