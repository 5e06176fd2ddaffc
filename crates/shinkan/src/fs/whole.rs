//! Files as a whole: one hand-over to the pool for all of it, or none.

use super::contents::Contents;
use super::pool;
use shinkan_base::wait::WaitKind;
use shinkan_context::budget;
use shinkan_driver::files::{self, Uncached};
use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

/// A file of more bytes goes to the pool: copying it would hold the worker's other tasks for longer
/// than handing it over takes.
const MAX_AT_ONCE: usize = 128 << 10;

/// Reads a whole file. One of up to 128 KiB that the kernel has in memory is read at once, without
/// a thread, where its mount allows it.
///
/// # Errors
/// Those of open(2) and read(2): `NotFound`, `PermissionDenied`, `IsADirectory`. `Other`: the runtime has ended.
///
/// # Cancel safety
/// Nothing is lost.
///
/// # Panics
/// Outside a runtime.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// let name = shinkan::fs::read("/proc/self/comm").await?;
/// assert!(name.ends_with(b"\n"));
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn read(path: impl AsRef<Path>) -> impl Future<Output = io::Result<Vec<u8>>> {
    read_on(Location::caller(), path, Ok)
}

/// Reads a whole file that is text, at once or not as [`read`](super::read) does.
///
/// # Errors
/// As [`read`](super::read); `InvalidData` where it is not UTF-8.
///
/// # Cancel safety
/// Nothing is lost.
///
/// # Panics
/// Outside a runtime.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// let status = shinkan::fs::read_to_string("/proc/self/status").await?;
/// assert!(status.starts_with("Name:"));
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn read_to_string(path: impl AsRef<Path>) -> impl Future<Output = io::Result<String>> {
    read_on(Location::caller(), path, text)
}

/// Writes a whole file: makes it where there is none, and replaces what is in it. Others may see a
/// part of it meanwhile; [`rename`](super::rename) does it at once. A vector, a string and `Bytes`
/// are taken over, all else is copied first.
///
/// # Errors
/// Those of open(2) and write(2): `PermissionDenied`, `IsADirectory`, `StorageFull`; a part may have
/// been written then. `Other`: the runtime has ended.
///
/// # Cancel safety
/// It may be done or not, and is not stopped in the middle.
///
/// # Panics
/// Outside a runtime.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a");
/// shinkan::fs::write(&path, "hello").await?;
/// assert_eq!(std::fs::read(path)?, b"hello");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn write(
    path: impl AsRef<Path>,
    contents: impl AsRef<[u8]>,
) -> impl Future<Output = io::Result<()>> {
    let place = Location::caller();
    async move {
        let contents = Contents::of(contents);
        pool::run_on(place, path, move |path: PathBuf| files::write(path, contents)).await
    }
}

/// Copies the contents and the permissions of a file, and returns how many bytes it has. Follows
/// links, and replaces what is there; a file must not be copied to itself. The kernel moves the
/// bytes, where the file systems allow it.
///
/// # Errors
/// Those of open(2), read(2) and write(2), and `InvalidInput` where it is no file; a part may have
/// been written then. `Other`: the runtime has ended.
///
/// # Cancel safety
/// It may be done or not, and is not stopped in the middle.
///
/// # Panics
/// Outside a runtime.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// let (from, to) = (folder.path().join("from"), folder.path().join("to"));
/// shinkan::fs::write(&from, "hello").await?;
/// assert_eq!(shinkan::fs::copy(&from, &to).await?, 5);
/// assert_eq!(shinkan::fs::read_to_string(to).await?, "hello");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> impl Future<Output = io::Result<u64>> {
    pool::run_on_both(Location::caller(), from, to, files::copy)
}

/// What is given as a path is kept until the end, as by [`pool::run_on`].
async fn read_on<T: Send + 'static>(
    place: &'static Location<'static>,
    path: impl AsRef<Path>,
    finish: fn(Vec<u8>) -> io::Result<T>,
) -> io::Result<T> {
    let name = path.as_ref();
    match poll_fn(|cx| poll_at_once(cx, name, place)).await {
        Ok(bytes) => finish(bytes),
        Err(uncached) => {
            let owned = name.to_owned();
            pool::run(place, move || uncached.read(&owned).and_then(finish)).await
        }
    }
}

/// Reads without a thread. An error: a thread has to, or has to say what is wrong.
fn poll_at_once(
    cx: &mut Context<'_>,
    path: &Path,
    place: &'static Location<'static>,
) -> Poll<Result<Vec<u8>, Uncached>> {
    if !shinkan_rt::takes_operations() {
        return Poll::Ready(Err(Uncached::default()));
    }
    let Poll::Ready(unit) = budget::poll_proceed(cx) else {
        shinkan_context::pending(WaitKind::Budget, 0, place);
        return Poll::Pending;
    };
    let read = files::read_cached(path, MAX_AT_ONCE);
    if read.is_ok() {
        unit.made_progress();
    }
    Poll::Ready(read)
}

/// The bytes as text.
fn text(bytes: Vec<u8>) -> io::Result<String> {
    // What is none is read once more, for the error of the standard library.
    String::from_utf8(bytes).or_else(|error| io::read_to_string(error.as_bytes()))
}
