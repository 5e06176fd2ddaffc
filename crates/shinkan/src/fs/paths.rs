//! What is known of a file, and its place in the tree.

use super::pool;
use shinkan_driver::files;
use std::fs::{Metadata, Permissions};
use std::future::Future;
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};

/// What is known of a file: its length, kind, permissions and times. Follows links.
///
/// # Errors
/// Those of statx(2): `NotFound`, `PermissionDenied` for a folder above. `Other`: the runtime has ended.
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
/// assert!(shinkan::fs::metadata("/").await?.is_dir());
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn metadata(path: impl AsRef<Path>) -> impl Future<Output = io::Result<Metadata>> {
    pool::run_on(Location::caller(), path, files::metadata)
}

/// As [`metadata`](super::metadata), and for a link what is known of the link itself.
///
/// # Errors
/// As [`metadata`](super::metadata).
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
/// assert!(shinkan::fs::symlink_metadata("/proc/self").await?.is_symlink());
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn symlink_metadata(path: impl AsRef<Path>) -> impl Future<Output = io::Result<Metadata>> {
    pool::run_on(Location::caller(), path, files::symlink_metadata)
}

/// Whether there is something at a path. Follows links: one that leads nowhere is not there.
///
/// # Errors
/// It cannot be told: `PermissionDenied` for a folder above. `Other`: the runtime has ended.
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
/// assert!(shinkan::fs::try_exists("/proc").await?);
/// assert!(!shinkan::fs::try_exists("/proc/nothing").await?);
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn try_exists(path: impl AsRef<Path>) -> impl Future<Output = io::Result<bool>> {
    pool::run_on(Location::caller(), path, files::try_exists)
}

/// Sets who may use a file. Follows links.
///
/// # Errors
/// Those of chmod(2): `NotFound`, `PermissionDenied` where it is another user's. `Other`: the runtime has ended.
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
/// shinkan::fs::write(&path, "final").await?;
/// let mut permissions = shinkan::fs::metadata(&path).await?.permissions();
/// permissions.set_readonly(true);
/// shinkan::fs::set_permissions(&path, permissions).await?;
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn set_permissions(
    path: impl AsRef<Path>,
    permissions: Permissions,
) -> impl Future<Output = io::Result<()>> {
    pool::run_on(Location::caller(), path, move |path: PathBuf| {
        files::set_permissions(path, permissions)
    })
}

/// Gives a file or folder another name, in the same file system. What has that name already is
/// replaced; nobody sees the name missing.
///
/// # Errors
/// Those of rename(2): `NotFound`, `CrossesDevices`, `DirectoryNotEmpty`, `PermissionDenied`.
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
/// let (draft, path) = (folder.path().join("draft"), folder.path().join("page"));
/// shinkan::fs::write(&draft, "all of it").await?;
/// shinkan::fs::rename(&draft, &path).await?;
/// assert_eq!(shinkan::fs::read_to_string(path).await?, "all of it");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn rename(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
) -> impl Future<Output = io::Result<()>> {
    pool::run_on_both(Location::caller(), from, to, files::rename)
}

/// Removes a name of a file. The file itself goes with its last name, once nobody has it open.
///
/// # Errors
/// Those of unlink(2): `NotFound`, `IsADirectory`, `PermissionDenied`. `Other`: the runtime has ended.
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
/// shinkan::fs::write(&path, "").await?;
/// shinkan::fs::remove_file(&path).await?;
/// assert!(!path.exists());
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn remove_file(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    pool::run_on(Location::caller(), path, files::remove_file)
}
