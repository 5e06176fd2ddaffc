//! Where paths lead.

use super::pool;
use shinkan_driver::files;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};

/// The path of the same file without links, `.` and `..`, from the root on.
///
/// # Errors
/// Those of realpath(3): `NotFound`, `PermissionDenied`. `Other`: the runtime has ended.
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
/// let path = shinkan::fs::canonicalize("/proc/../proc/./1/..").await?;
/// assert_eq!(path, std::path::Path::new("/proc"));
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn canonicalize(path: impl AsRef<Path>) -> impl Future<Output = io::Result<PathBuf>> {
    pool::run_on(Location::caller(), path, files::canonicalize)
}

/// Gives a file a second name, in the same file system.
///
/// # Errors
/// Those of link(2): `NotFound`, `AlreadyExists`, `CrossesDevices`, `PermissionDenied`.
/// `Other`: the runtime has ended.
///
/// # Cancel safety
/// It may be done or not.
///
/// # Panics
/// Outside a runtime.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// let (old, new) = (folder.path().join("old"), folder.path().join("new"));
/// shinkan::fs::write(&old, "one file").await?;
/// shinkan::fs::hard_link(&old, &new).await?;
/// assert_eq!(shinkan::fs::read_to_string(new).await?, "one file");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn hard_link(
    original: impl AsRef<Path>,
    link: impl AsRef<Path>,
) -> impl Future<Output = io::Result<()>> {
    pool::run_on_both(Location::caller(), original, link, files::hard_link)
}

/// Makes a link that leads to a path, which need not be there. One that is not absolute begins at
/// the folder of the link.
///
/// # Errors
/// Those of symlink(2): `AlreadyExists`, `PermissionDenied`. `Other`: the runtime has ended.
///
/// # Cancel safety
/// It may be done or not.
///
/// # Panics
/// Outside a runtime.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// let link = folder.path().join("link");
/// shinkan::fs::symlink("elsewhere", &link).await?;
/// assert_eq!(shinkan::fs::read_link(link).await?, std::path::Path::new("elsewhere"));
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn symlink(
    original: impl AsRef<Path>,
    link: impl AsRef<Path>,
) -> impl Future<Output = io::Result<()>> {
    pool::run_on_both(Location::caller(), original, link, files::symlink)
}

/// The path that a link leads to, as it stands in the link.
///
/// # Errors
/// Those of readlink(2): `NotFound`, `InvalidInput` where it is no link. `Other`: the runtime has ended.
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
/// let program = shinkan::fs::read_link("/proc/self/exe").await?;
/// assert!(program.is_absolute());
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn read_link(path: impl AsRef<Path>) -> impl Future<Output = io::Result<PathBuf>> {
    pool::run_on(Location::caller(), path, files::read_link)
}
