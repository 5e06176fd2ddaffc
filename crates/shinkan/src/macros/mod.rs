//! `select!`, `join!` and `try_join!`.
//!
//! They hand their input, and the `$crate` by which they were found, to a procedural
//! macro (`shinkan-macros`), so that what it writes works in a program that knows this package
//! under another name.

pub mod support;

pub use shinkan_macros::{tokio_main, tokio_main_rt, tokio_test, tokio_test_rt};

/// Waits for the first of several futures, drops the others at once, and runs the handler of the
/// first.
///
/// ```text
/// select! {
///     biased;                                   // optional
///     pattern = future, if condition => handler,
///     …                                         // up to 64 branches
///     else => handler                           // optional
/// }
/// ```
///
/// All futures are polled by the task that runs the `select!`, in turns. The one that is polled
/// first is chosen at random at each poll, so that a branch that is always ready does not starve
/// the others; with `biased;` they are polled in the order in which they are written.
///
/// 1. The conditions are evaluated. A branch whose condition is false is disabled; its future is
///    evaluated, but not polled.
/// 2. The futures are evaluated and polled. If what a future returns doesn't fit the pattern, its
///    branch is disabled and the others go on.
/// 3. When one is ready and fits, **all futures are dropped**, with their destructors; then its
///    handler runs and returns the value of the whole. The handler may use `?`, `.await`, `break`.
/// 4. Where all branches are disabled, `else` runs.
///
/// To keep a future over several `select!`, pin it outside and write `&mut future`.
///
/// # Cancel safety
/// A future that is dropped before it is done loses what it has done. In a loop, use futures whose
/// documentation says that nothing is lost, such as `recv` of a channel or `read` of a stream.
///
/// # Panics
/// Where all branches are disabled and there is no `else`.
///
/// # Examples
/// ```
/// # shinkan::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let first = shinkan::select! {
///     n = std::future::ready(1) => n,
///     n = std::future::pending::<u32>() => n,
/// };
/// assert_eq!(first, 1);
/// # });
/// ```
#[macro_export]
macro_rules! select {
    ($($input:tt)*) => {
        $crate::macros::support::select_internal!($crate; $($input)*)
    };
}

/// Waits for all of several futures and returns a tuple of what they returned.
///
/// They run on one task, in turns: while one waits, the others go on. They don't run at the same
/// time on several threads; spawn tasks for that. Each poll begins with another of them; with
/// `biased;` in front always with the first.
///
/// # Cancel safety
/// All futures are dropped.
///
/// # Examples
/// ```
/// # shinkan::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (n, text) = shinkan::join!(async { 1 }, async { "one" });
/// assert_eq!((n, text), (1, "one"));
/// # });
/// ```
#[macro_export]
macro_rules! join {
    ($($input:tt)*) => {
        $crate::macros::support::join_internal!($crate; $($input)*)
    };
}

/// Waits for all of several futures that return a `Result`, or for the first error.
///
/// Returns `Ok` with a tuple of what they returned, or the first error; the futures that are not
/// done are dropped then. They run as with [`join!`](crate::join).
///
/// # Cancel safety
/// All futures are dropped.
///
/// # Examples
/// ```
/// # shinkan::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let both = shinkan::try_join!(async { "1".parse::<u8>() }, async { "one".parse::<u8>() });
/// assert!(both.is_err());
/// # });
/// ```
#[macro_export]
macro_rules! try_join {
    ($($input:tt)*) => {
        $crate::macros::support::try_join_internal!($crate; $($input)*)
    };
}
