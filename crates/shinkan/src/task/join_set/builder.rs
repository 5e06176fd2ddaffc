//! What configures one task before it is spawned into a set.

use super::JoinSet;
use crate::task;
use core::fmt;
use core::future::Future;
use shinkan_rt::Handle;
use shinkan_rt::local::LocalSet;
use shinkan_task::AbortHandle;
use std::io;

/// Configures one task before it is spawned into a [`JoinSet`]: see [`JoinSet::build_task`].
#[must_use = "nothing is spawned until one of its methods is called"]
pub struct Builder<'a, T> {
    set: &'a mut JoinSet<T>,
    task: task::Builder<'a>,
}

impl<'a, T> Builder<'a, T> {
    pub(super) fn new(set: &'a mut JoinSet<T>) -> Self {
        Self { set, task: task::Builder::new() }
    }
}

impl<'a, T: 'static> Builder<'a, T> {
    /// The task's name, which need be no other's.
    pub fn name(self, name: &'a str) -> Self {
        Self { task: self.task.name(name), set: self.set }
    }

    /// As [`JoinSet::spawn`].
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Panics
    /// Outside a runtime.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        Ok(self.set.members.insert(self.task.spawn(future)?))
    }

    /// As [`JoinSet::spawn_on`].
    ///
    /// # Errors
    /// None so far.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        Ok(self.set.members.insert(self.task.spawn_on(future, handle)?))
    }

    /// As [`JoinSet::spawn_blocking`].
    ///
    /// # Errors
    /// No thread is there to run the closure, and the operating system starts none.
    ///
    /// # Panics
    /// Outside a runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(self, f: F) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        Ok(self.set.members.insert(self.task.spawn_blocking(f)?))
    }

    /// As [`JoinSet::spawn_blocking_on`].
    ///
    /// # Errors
    /// No thread is there to run the closure, and the operating system starts none.
    #[track_caller]
    pub fn spawn_blocking_on<F>(self, f: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        Ok(self.set.members.insert(self.task.spawn_blocking_on(f, handle)?))
    }

    /// As [`JoinSet::spawn_local`].
    ///
    /// # Errors
    /// None so far.
    ///
    /// # Panics
    /// Outside a `LocalSet` and a `LocalRuntime` of this thread.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        Ok(self.set.members.insert(self.task.spawn_local(future)?))
    }

    /// As [`JoinSet::spawn_local_on`].
    ///
    /// # Errors
    /// None so far.
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        Ok(self.set.members.insert(self.task.spawn_local_on(future, local_set)?))
    }
}

impl<T> fmt::Debug for Builder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("join_set::Builder").field("task", &self.task).finish_non_exhaustive()
    }
}
