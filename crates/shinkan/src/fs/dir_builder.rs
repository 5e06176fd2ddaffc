//! How a folder is made.

use super::pool;
use shinkan_driver::files;
use std::future::Future;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::panic::Location;
use std::path::{Path, PathBuf};

/// How a folder is to be made.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("a/b");
/// shinkan::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).await?;
/// assert!(path.is_dir());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct DirBuilder {
    recursive: bool,
    mode: Option<u32>,
}

impl DirBuilder {
    /// One folder, for everybody whom the process's umask allows.
    ///
    /// # Examples
    /// ```
    /// let builder = shinkan::fs::DirBuilder::new();
    /// # drop(builder);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the folders above are made too where they are missing, and a folder that is there
    /// already is no error.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// shinkan::fs::DirBuilder::new().recursive(true).create("/tmp").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.recursive = recursive;
        self
    }

    /// Who may use the folder: mode bits, of which the process's umask takes some away. `0o777`
    /// where it is not set.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("private");
    /// shinkan::fs::DirBuilder::new().mode(0o700).create(&path).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = Some(mode);
        self
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// Those of mkdir(2): `AlreadyExists`, `NotFound` where a folder above is missing,
    /// `PermissionDenied`. `Other`: the runtime has ended.
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
    /// let path = folder.path().join("new");
    /// shinkan::fs::DirBuilder::new().create(&path).await?;
    /// let error = shinkan::fs::DirBuilder::new().create(&path).await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn create(&self, path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
        let mut builder = files::DirBuilder::new();
        builder.recursive(self.recursive);
        if let Some(mode) = self.mode {
            builder.mode(mode);
        }
        let make = move |path: PathBuf| files::make_dir(&builder, &path);
        pool::run_on(Location::caller(), path, make)
    }
}
