//! Folders, as a whole.

use super::pool;
use shinkan_driver::files;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::path::Path;

/// Makes a folder. The one above must be there.
///
/// # Errors
/// Those of mkdir(2): `AlreadyExists`, `NotFound`, `PermissionDenied`.
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
/// let path = folder.path().join("new");
/// shinkan::fs::create_dir(&path).await?;
/// assert!(path.is_dir());
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn create_dir(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    pool::run_on(Location::caller(), path, files::create_dir)
}

/// Makes a folder, and the ones above where they are missing. One that is there already is no
/// error.
///
/// # Errors
/// Those of mkdir(2): `AlreadyExists` where there is something else at the path, `PermissionDenied`.
/// `Other`: the runtime has ended.
///
/// # Cancel safety
/// It may be done, in part or not at all.
///
/// # Panics
/// Outside a runtime.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a/b/c");
/// shinkan::fs::create_dir_all(&path).await?;
/// shinkan::fs::create_dir_all(&path).await?;
/// assert!(path.is_dir());
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn create_dir_all(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    pool::run_on(Location::caller(), path, files::create_dir_all)
}

/// Removes an empty folder.
///
/// # Errors
/// Those of rmdir(2): `NotFound`, `NotADirectory`, `DirectoryNotEmpty`, `PermissionDenied`.
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
/// let path = folder.path().join("a");
/// shinkan::fs::create_dir(&path).await?;
/// shinkan::fs::remove_dir(&path).await?;
/// assert!(!path.exists());
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn remove_dir(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    pool::run_on(Location::caller(), path, files::remove_dir)
}

/// Removes a folder and all that is in it. Links in it are removed, not what they lead to.
///
/// # Errors
/// Those of unlink(2) and rmdir(2); the rest of the folder stays. `NotADirectory` where the path is a
/// link. `Other`: the runtime has ended.
///
/// # Cancel safety
/// It may be done, in part or not at all.
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
/// shinkan::fs::create_dir_all(path.join("b/c")).await?;
/// shinkan::fs::remove_dir_all(&path).await?;
/// assert!(!path.exists());
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn remove_dir_all(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    pool::run_on(Location::caller(), path, files::remove_dir_all)
}
