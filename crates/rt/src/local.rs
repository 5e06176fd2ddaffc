//! Tasks that stay on their thread: a set of them runs as one task.
//!
//! Called by the room `task` of the API. A [`LocalSet`] polls its tasks, some at a time, whenever
//! it is polled itself. Never moves a future of its tasks to another thread: a wake-up from
//! elsewhere hands over the right to run, which lies in a queue until the set is polled.
//!
//! `local/shared.rs` has what the set and its tasks share, `local/current.rs` which set a thread
//! is in.

mod attended;
mod current;
pub mod inbox;
mod runtime;
mod shared;

use crate::fate::UnhandledPanic;
use crate::handle::Id;
use crate::runtime::Runtime;
pub use current::LocalEnterGuard;
pub use runtime::{LocalOptions, LocalRuntime};
pub(crate) use shared::Shared;

use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll, Waker};
use pin_project_lite::pin_project;
use shinkan_base::wait::WaitKind;
use shinkan_context::budget::{self, Budget};
use shinkan_context::{self as context, Entered};
use shinkan_task::JoinHandle;
use std::rc::Rc;
use std::sync::Arc;

/// How many tasks run before the set's own task has its turn again, and with it the others of its
/// runtime.
const TASKS_A_TURN: usize = 61;

/// A set of tasks that run on the thread of whoever awaits the set, and so need not be `Send`.
///
/// Its tasks run only while the set is awaited, or while a future runs inside it
/// ([`LocalSet::run_until`], [`LocalSet::block_on`]). When it is dropped, its tasks are cancelled.
///
/// # Examples
/// ```
/// use std::rc::Rc;
///
/// let runtime = shinkan_rt::Runtime::new()?;
/// let local = shinkan_rt::local::LocalSet::new();
/// let text = local.block_on(&runtime, async {
///     let shared = Rc::new("one thread");
///     let copy = shared.clone();
///     shinkan_rt::local::spawn_local(async move { copy.len() }).await
/// });
/// assert_eq!(text.unwrap(), 10);
/// # std::io::Result::Ok(())
/// ```
pub struct LocalSet {
    context: Rc<current::Context>,
    place: &'static Location<'static>,
}

/// Spawns a task that need not be `Send` on the [`LocalSet`] that this thread is in.
///
/// # Panics
/// Outside a `LocalSet` and a `LocalRuntime` of this thread: neither in a future that runs inside
/// one, nor under [`LocalSet::enter`] or `LocalRuntime::enter`.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_local_named_at(future, None, Location::caller())
}

/// As [`spawn_local`], with a name for the task and the place that it is said to come from.
#[doc(hidden)]
#[track_caller]
pub fn spawn_local_named_at<F>(
    future: F,
    name: Option<&str>,
    place: &'static Location<'static>,
) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    if let Some(context) = current::get() {
        return Shared::spawn(&context.shared, future, name, place);
    }
    match runtime::spawn(future, name, place) {
        Ok(handle) => handle,
        Err(_) => panic!(
            "`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`: \
             call it in a future that runs inside one, or while a guard of its `enter` lives, or \
             call the method of the set. Local tasks can only be spawned on a LocalRuntime from \
             the thread the runtime was created on"
        ),
    }
}

impl LocalSet {
    /// An empty set, whose tasks will run on this thread.
    #[track_caller]
    pub fn new() -> Self {
        let shared = Arc::new(Shared::new(current::thread()));
        Self {
            context: Rc::new(current::Context { shared, attended: attended::Attended::default() }),
            place: Location::caller(),
        }
    }

    /// Makes the set this thread's until the guard is dropped: [`spawn_local`] then spawns on it.
    /// Its tasks run once the set is awaited.
    pub fn enter(&self) -> LocalEnterGuard {
        current::enter(self.context.clone(), current::How::OnlyEntered)
    }

    /// Spawns a task on the set. It runs once the set is awaited.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_local_named_at(future, None, Location::caller())
    }

    /// As [`LocalSet::spawn_local`], with a name for the task and the place that it is said to come
    /// from.
    #[doc(hidden)]
    pub fn spawn_local_named_at<F>(
        &self,
        future: F,
        name: Option<&str>,
        place: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let shared = &self.context.shared;
        let handle = Shared::spawn(shared, future, name, place);
        // Whoever awaits the set does not know of this one yet.
        shared.wake();
        handle
    }

    /// Runs `future` to its end on this thread, with the set's tasks beside it. Tasks that have
    /// not ended by then stay in the set.
    ///
    /// # Panics
    /// As `Runtime::block_on`.
    #[track_caller]
    pub fn block_on<F>(&self, rt: &Runtime, future: F) -> F::Output
    where
        F: Future,
    {
        rt.block_on(self.run_until(future))
    }

    /// Runs `future` to its end inside the set, with the set's tasks beside it. Tasks that have
    /// not ended by then stay in the set.
    ///
    /// # Cancel safety
    /// `future` is dropped with it; the set's tasks stay in the set.
    pub fn run_until<F>(&self, future: F) -> impl Future<Output = F::Output>
    where
        F: Future,
    {
        RunUntil { set: self, future, _pin: PhantomPinned }
    }

    /// What the set does when one of its tasks panics; by default nothing, for the task's join
    /// handle gets the panic.
    ///
    /// With [`UnhandledPanic::ShutdownRuntime`] the set ends: its tasks are cancelled, what is
    /// spawned later is cancelled at once, and whoever awaits the set, or a future inside it,
    /// panics.
    ///
    /// # Examples
    /// ```should_panic
    /// use shinkan_rt::UnhandledPanic;
    /// use shinkan_rt::local::{LocalSet, spawn_local};
    ///
    /// let runtime = shinkan_rt::Runtime::new().unwrap();
    /// let mut local = LocalSet::new();
    /// local.unhandled_panic(UnhandledPanic::ShutdownRuntime);
    /// local.block_on(&runtime, async {
    ///     spawn_local(async { panic!("nobody awaits this task") });
    ///     std::future::pending::<()>().await;
    /// });
    /// ```
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Self {
        let ends = matches!(behavior, UnhandledPanic::ShutdownRuntime);
        self.context.shared.end_on_panic(ends);
        self
    }

    /// The set's number, which no runtime and no other set has.
    pub fn id(&self) -> Id {
        self.context.shared.id()
    }

    /// Polls some of the tasks; whether there may be more that want to run.
    fn turn(&self) -> bool {
        let shared = &self.context.shared;
        if shared.panicked() {
            self.end_by_panic_slow();
        }
        let turn = attended::Turn::begin(&self.context);
        for _ in 0..TASKS_A_TURN {
            match shared.next() {
                Some(task) => turn.poll(task, |task| {
                    budget::with(Budget::initial(), || shared.run(task));
                }),
                None => return false,
            }
            if shared.panicked() {
                self.end_by_panic_slow();
                return false;
            }
        }
        true
    }

    #[cold]
    fn end_by_panic_slow(&self) {
        let shared = &self.context.shared;
        shared.close();
        // Who is inside `block_on` of a local runtime is told there.
        assert!(
            !shared.is_alone(),
            "a spawned task panicked and the LocalSet is configured to shutdown on unhandled \
             panic, so what is inside it will not go on. The panic was printed when it happened; \
             `LocalSet::unhandled_panic(UnhandledPanic::Ignore)` leaves panics to the join handles \
             of their tasks"
        );
    }

    /// Calls `f` as the poll of this set.
    fn polled<R>(&self, waker: &Waker, f: impl FnOnce() -> R) -> R {
        self.context.shared.register(waker);
        let _current = current::enter(self.context.clone(), current::How::Polled);
        let _stays = NoBlockInPlace::new();
        f()
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").finish_non_exhaustive()
    }
}

impl Default for LocalSet {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

/// Ends when the set is empty.
impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        if self.polled(cx.waker(), || self.turn()) {
            // More want to run; the others of this thread first.
            cx.waker().wake_by_ref();
        } else if self.context.shared.is_empty() {
            return Poll::Ready(());
        }
        let address = Arc::as_ptr(&self.context.shared).addr();
        context::pending(WaitKind::LocalSet, address, self.place);
        Poll::Pending
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        // The futures' drops see the set as theirs; what they spawn there is cancelled at once.
        let _current = current::enter(self.context.clone(), current::How::Polled);
        let _stays = NoBlockInPlace::new();
        self.context.shared.close();
    }
}

pin_project! {
    struct RunUntil<'a, F> {
        set: &'a LocalSet,
        #[pin]
        future: F,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let (set, future) = (*this.set, this.future);
        set.polled(&cx.waker().clone(), || {
            if let Poll::Ready(output) = future.poll(cx) {
                return Poll::Ready(output);
            }
            if set.turn() {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
    }
}

/// A thread in the midst of a set cannot give its runtime's work away: the set's futures stay.
struct NoBlockInPlace {
    before: Option<Entered>,
}

impl NoBlockInPlace {
    fn new() -> Self {
        let before = context::entered();
        if before != (Entered::Yes { may_block_in_place: true }) {
            return Self { before: None };
        }
        context::set_entered(Entered::Yes { may_block_in_place: false });
        Self { before: Some(before) }
    }
}

impl Drop for NoBlockInPlace {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            context::set_entered(before);
        }
    }
}
