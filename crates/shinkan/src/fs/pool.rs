//! One operation on the blocking pool: how each of this room's waits begins and ends.

use shinkan_base::wait::WaitKind;
use shinkan_rt::{AtTheEnd, NotTaken, spawn_operation};
use shinkan_task::JoinHandle;
use std::future::poll_fn;
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};

/// The operation was not done, or not to its end: its runtime had ended, or it panicked.
#[cold]
pub(super) fn failed() -> io::Error {
    // Tokio's words, which programs look for.
    io::Error::other("background task failed")
}

/// Has `f` run on a thread of the pool.
#[track_caller]
pub(super) fn start<R: Send + 'static>(
    f: impl FnOnce() -> R + Send + 'static,
    at_the_end: AtTheEnd,
) -> io::Result<JoinHandle<R>> {
    spawn_operation(f, at_the_end).map_err(|not_taken| match not_taken {
        NotTaken::Ended => failed(),
        NotTaken::NoThread(error) => error,
    })
}

/// Has `f` run on a thread of the pool, from the first poll on, and waits for it as a leaf that
/// was made at `place`. Dropped before, `f` is still run, unless the runtime ends first.
pub(super) async fn run<T: Send + 'static>(
    place: &'static Location<'static>,
    f: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let mut task = start(f, AtTheEnd::Cancel)?;
    let resource = task.id().as_u64() as usize;
    poll_fn(|cx| task.poll_as(cx, WaitKind::Blocking, resource, place))
        .await
        .map_err(|_| failed())?
}

/// The same for an operation on a path. What the caller gave as one is kept until the end: it may
/// be a file that is removed when it is dropped.
pub(super) async fn run_on<T: Send + 'static>(
    place: &'static Location<'static>,
    path: impl AsRef<Path>,
    f: impl FnOnce(PathBuf) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let owned = path.as_ref().to_owned();
    run(place, move || f(owned)).await
}

/// The same for an operation on two.
pub(super) async fn run_on_both<T: Send + 'static>(
    place: &'static Location<'static>,
    one: impl AsRef<Path>,
    other: impl AsRef<Path>,
    f: impl FnOnce(PathBuf, PathBuf) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (one_owned, other_owned) = (one.as_ref().to_owned(), other.as_ref().to_owned());
    run(place, move || f(one_owned, other_owned)).await
}
