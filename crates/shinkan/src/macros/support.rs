//! What the expansions of `select!`, `join!` and `try_join!` name. Public because they stand in
//! the programs; not for programs to use.

use pin_project_lite::pin_project;
use shinkan_context::budget;

pub use core::future::{Future, IntoFuture, poll_fn};
pub use core::option::Option;
pub use core::pin::Pin;
pub use core::result::Result;
pub use core::task::{Context, Poll, ready};
pub use shinkan_macros::{join_internal, select_internal, try_join_internal};

/// A pseudo-random number below `n`: where a `select!` begins.
#[inline]
pub fn thread_rng_n(n: u32) -> u32 {
    shinkan_context::random_below(n)
}

/// Ready where the task has budget; else Pending, and the task is woken. A `select!` asks it first,
/// because leaves without budget wait, and those that don't know of it would always win.
#[inline]
pub fn poll_budget_available(cx: &mut Context<'_>) -> Poll<()> {
    // The unit is given back: the branch that goes on takes its own.
    budget::poll_proceed(cx).map(drop)
}

/// The end of a `select!` that has nothing to wait for.
#[cold]
#[track_caller]
pub fn no_branch_is_left() -> ! {
    panic!(
        "all branches of a `select!` are disabled and it has no `else` branch: add \
         `else => …`, or a branch that is always enabled"
    )
}

pin_project! {
    /// Two futures, or two pairs of them: many are a tree of pairs, which is pinned once.
    #[derive(Debug)]
    pub struct Pair<A, B> {
        // Dropped in the order in which they are written.
        #[pin]
        first: A,
        #[pin]
        second: B,
    }
}

/// Makes a pair.
#[inline]
pub fn pair<A, B>(first: A, second: B) -> Pair<A, B> {
    Pair { first, second }
}

impl<A, B> Pair<A, B> {
    /// Both, pinned.
    #[inline]
    pub fn split(self: Pin<&mut Self>) -> (Pin<&mut A>, Pin<&mut B>) {
        let me = self.project();
        (me.first, me.second)
    }
}

pin_project! {
    /// A future, or what it returned until that is taken.
    #[project = MaybeDoneProjection]
    #[project_replace = MaybeDoneReplaced]
    #[derive(Debug)]
    pub enum MaybeDone<F, T> {
        /// It is not done.
        Future { #[pin] future: F },
        /// It is done.
        Done { output: T },
        /// Its output was taken.
        Gone,
    }
}

/// Wraps a future.
#[inline]
pub fn maybe_done<F, T>(future: F) -> MaybeDone<F, T> {
    MaybeDone::Future { future }
}

impl<F, T> MaybeDone<F, T> {
    /// The output of a future that is done.
    ///
    /// # Panics
    /// Where it is not, or was taken.
    #[inline]
    pub fn take_output(self: Pin<&mut Self>) -> T {
        match self.project_replace(Self::Gone) {
            MaybeDoneReplaced::Done { output } => output,
            _ => unreachable!("`join!` takes each output once, when all are there"),
        }
    }
}

impl<F, T, E> MaybeDone<F, Result<T, E>> {
    /// The output as that of the whole `try_join!`, if it is an error.
    #[inline]
    pub fn take_error<U>(mut self: Pin<&mut Self>) -> Option<Result<U, E>> {
        match self.as_mut().project() {
            MaybeDoneProjection::Done { output: Err(_) } => self.take_output().err().map(Err),
            _ => None,
        }
    }

    /// The output without the `Result`.
    ///
    /// # Panics
    /// Where it is an error: `take_error` was to be asked.
    #[inline]
    pub fn take_ok(self: Pin<&mut Self>) -> T {
        match self.take_output() {
            Ok(output) => output,
            Err(_) => unreachable!("`try_join!` ends at the first error"),
        }
    }
}

impl<F: Future> Future for MaybeDone<F, F::Output> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let MaybeDoneProjection::Future { future } = self.as_mut().project() {
            let output = ready!(future.poll(cx));
            self.set(Self::Done { output });
        }
        Poll::Ready(())
    }
}
