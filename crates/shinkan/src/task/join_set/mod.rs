//! A set of tasks that are awaited in the order in which they end.
//!
//! The handles stand in a slab that the set alone touches. What crosses threads is a queue of
//! slab numbers behind a lock ([`shinkan_task::ended::Ended`]): a task that ends puts its number there and
//! wakes whoever awaits the set. So `join_next` polls only handles that have something to say,
//! and costs the same for ten tasks and for a million.
//!
//! Rejected: polling a handle when it is inserted, to leave the waker. A task that has ended
//! before anybody awaits the set then never needs one.

mod builder;
mod members;

pub use builder::Builder;

use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::task::{Context, Poll, ready};
use members::Members;
use shinkan_base::wait::WaitKind;
use shinkan_context::budget;
use shinkan_rt::Handle;
use shinkan_rt::local::{LocalSet, spawn_local};
use shinkan_task::{AbortHandle, Id, JoinError, JoinHandle};
use std::panic::resume_unwind;

/// A set of tasks that all give a `T`.
///
/// They are awaited one after the other, in the order in which they end. When the set is dropped,
/// all of its tasks are aborted.
///
/// # Examples
/// ```
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// use shinkan::task::JoinSet;
///
/// let mut set = JoinSet::new();
/// for n in 0..10 {
///     set.spawn(async move { n * n });
/// }
/// let mut sum = 0;
/// while let Some(square) = set.join_next().await {
///     sum += square.unwrap();
/// }
/// assert_eq!(sum, 285);
/// # });
/// ```
pub struct JoinSet<T> {
    members: Members<T>,
}

impl<T> JoinSet<T> {
    /// An empty set. Does not allocate for the tasks.
    pub fn new() -> Self {
        Self { members: Members::new() }
    }

    /// How many tasks are in the set, running or ended.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no task is in the set.
    pub fn is_empty(&self) -> bool {
        self.members.len() == 0
    }
}

impl<T: 'static> JoinSet<T> {
    /// What configures one task before it is spawned into the set.
    ///
    /// # Examples
    /// ```
    /// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
    /// let mut set = shinkan::task::JoinSet::new();
    /// set.build_task().name("the answer").spawn(async { 42 }).unwrap();
    /// assert_eq!(set.join_next().await.unwrap().unwrap(), 42);
    /// # });
    /// ```
    pub fn build_task(&mut self) -> Builder<'_, T> {
        Builder::new(self)
    }

    /// Spawns a task into the set. It runs also while nobody awaits the set.
    ///
    /// # Panics
    /// Outside a runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.members.insert(shinkan_rt::spawn(task))
    }

    /// Spawns a task on the given runtime into the set.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.members.insert(handle.spawn(task))
    }

    /// Spawns a task that stays on this thread, on the current `LocalSet`, into the set.
    ///
    /// # Panics
    /// Outside a `LocalSet`.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.members.insert(spawn_local(task))
    }

    /// Spawns a task that stays on this thread, on the given `LocalSet`, into the set.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.members.insert(local_set.spawn_local(task))
    }

    /// Runs a closure that blocks, on the runtime's threads for such, as a task of the set. Once
    /// it has started, aborting it has no effect.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
    /// let mut set = shinkan::task::JoinSet::new();
    /// set.spawn_blocking(|| std::fs::metadata(".").is_ok());
    /// assert!(set.join_next().await.unwrap().unwrap());
    /// # });
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.members.insert(shinkan_rt::spawn_blocking(f))
    }

    /// As [`JoinSet::spawn_blocking`], on the given runtime.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.members.insert(handle.spawn_blocking(f))
    }

    /// Waits for one of the tasks to end, takes it out of the set and gives its output; nothing
    /// if the set is empty.
    ///
    /// # Errors
    /// The task's, if it panicked or was aborted.
    ///
    /// # Cancel safety
    /// Nothing is lost: a task is taken out only together with its output.
    #[track_caller]
    pub fn join_next(&mut self) -> impl Future<Output = Option<Result<T, JoinError>>> {
        let place = Location::caller();
        async move { poll_fn(|cx| self.poll_output(cx, place)).await }
    }

    /// As [`JoinSet::join_next`], with the number of the task. An error knows its own.
    ///
    /// # Errors
    /// The task's, if it panicked or was aborted.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn join_next_with_id(
        &mut self,
    ) -> impl Future<Output = Option<Result<(Id, T), JoinError>>> {
        let place = Location::caller();
        async move { poll_fn(|cx| self.poll_any(cx, place)).await }
    }

    /// Gives the output of a task that has ended already, and takes it out of the set. Nothing if
    /// there is none, or if the set is empty.
    ///
    /// # Errors
    /// The task's, if it panicked or was aborted.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.members.try_next().map(|result| result.map(|(_, output)| output))
    }

    /// As [`JoinSet::try_join_next`], with the number of the task.
    ///
    /// # Errors
    /// The task's, if it panicked or was aborted.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.members.try_next()
    }

    /// Aborts all tasks and waits until each has ended. Their outputs and panics are dropped.
    ///
    /// # Cancel safety
    /// All tasks are aborted in any case; those that were not awaited stay in the set.
    #[track_caller]
    pub fn shutdown(&mut self) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            self.abort_all();
            while poll_fn(|cx| self.poll_any(cx, place)).await.is_some() {}
        }
    }

    /// Waits for all tasks and gives their outputs, in the order in which they ended.
    ///
    /// # Panics
    /// If a task panicked or was aborted; the others are aborted then.
    ///
    /// # Cancel safety
    /// The set is dropped with the future, which aborts its tasks; outputs that were taken out
    /// are lost.
    ///
    /// # Examples
    /// ```
    /// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
    /// let set: shinkan::task::JoinSet<u32> = (0..3).map(|n| async move { n }).collect();
    /// let mut outputs = set.join_all().await;
    /// outputs.sort();
    /// assert_eq!(outputs, [0, 1, 2]);
    /// # });
    /// ```
    #[track_caller]
    pub fn join_all(mut self) -> impl Future<Output = Vec<T>> {
        let place = Location::caller();
        async move {
            let mut outputs = Vec::with_capacity(self.len());
            while let Some(result) = poll_fn(|cx| self.poll_output(cx, place)).await {
                match result {
                    Ok(output) => outputs.push(output),
                    Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                    Err(error) => panic!("{error}, while `JoinSet::join_all` waited for it"),
                }
            }
            outputs
        }
    }

    /// Aborts all tasks. They stay in the set until they are joined.
    pub fn abort_all(&mut self) {
        self.members.for_each(JoinHandle::abort);
    }

    /// Empties the set without aborting anything: the tasks go on in the background.
    pub fn detach_all(&mut self) {
        self.members.clear();
    }

    /// Polls for a task that has ended, takes it out of the set and gives its output; `None` if
    /// the set is empty. On Pending the waker of the last call is woken when a task ends.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_output(cx, Location::caller())
    }

    /// As [`JoinSet::poll_join_next`], with the number of the task.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.poll_any(cx, Location::caller())
    }

    fn poll_output(
        &mut self,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
    ) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_any(cx, place).map(|next| next.map(|result| result.map(|(_, output)| output)))
    }

    fn poll_any(
        &mut self,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        if self.is_empty() {
            return Poll::Ready(None);
        }
        let Poll::Ready(unit) = budget::poll_proceed(cx) else {
            shinkan_context::pending(WaitKind::Budget, self.members.address(), place);
            return Poll::Pending;
        };
        let polled = self.members.poll_next(cx);
        if polled.is_pending() {
            shinkan_context::pending(WaitKind::JoinSet, self.members.address(), place);
        }
        let result = ready!(polled);
        unit.made_progress();
        Poll::Ready(Some(result))
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.members.for_each(JoinHandle::abort);
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Spawns each future into a new set.
///
/// # Panics
/// Outside a runtime.
impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(iter: I) -> Self {
        let mut set = Self::new();
        set.extend(iter);
        set
    }
}

impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn extend<I: IntoIterator<Item = F>>(&mut self, iter: I) {
        for task in iter {
            self.spawn(task);
        }
    }
}
