//! How a file is opened.

use super::{File, pool};
use shinkan_driver::files;
use std::future::Future;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::Location;
use std::path::{Path, PathBuf};

/// How a file is to be opened. Nothing is allowed at first.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("log");
/// use shinkan::fs::OpenOptions;
/// use shinkan::io::AsyncWriteExt;
///
/// let mut log = OpenOptions::new().append(true).create(true).open(path).await?;
/// log.write_all(b"one more line\n").await?;
/// log.flush().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions(files::OpenOptions);

impl OpenOptions {
    /// Options that allow nothing.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let error = shinkan::fs::OpenOptions::new().open("/dev/null").await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        Self(files::OpenOptions::new())
    }

    /// Whether the file may be read.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let file = shinkan::fs::OpenOptions::new().read(true).open("/dev/zero").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(&mut self, read: bool) -> &mut Self {
        self.0.read(read);
        self
    }

    /// Whether the file may be written, from its start on. What is there stays where it is not
    /// overwritten.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let file = shinkan::fs::OpenOptions::new().write(true).open("/dev/null").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn write(&mut self, write: bool) -> &mut Self {
        self.0.write(write);
        self
    }

    /// Whether each write goes to what is the end then, be it moved by others. Allows writing.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("log");
    /// # std::fs::write(&path, "")?;
    /// let log = shinkan::fs::OpenOptions::new().append(true).open(path).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.0.append(append);
        self
    }

    /// Whether the file is emptied. It must be opened for writing.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("log");
    /// # std::fs::write(&path, "old")?;
    /// let file = shinkan::fs::OpenOptions::new().write(true).truncate(true).open(path).await?;
    /// assert_eq!(file.metadata().await?.len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn truncate(&mut self, truncate: bool) -> &mut Self {
        self.0.truncate(truncate);
        self
    }

    /// Whether the file is made where there is none. It must be opened for writing.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("log");
    /// let file = shinkan::fs::OpenOptions::new().write(true).create(true).open(path).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&mut self, create: bool) -> &mut Self {
        self.0.create(create);
        self
    }

    /// Whether the file is made, and is an error where it is there already; then `create` and
    /// `truncate` say nothing. No other process can come between.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("lock");
    /// let file = shinkan::fs::OpenOptions::new().write(true).create_new(true).open(path).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_new(&mut self, create_new: bool) -> &mut Self {
        self.0.create_new(create_new);
        self
    }

    /// Who may use a file that is made: mode bits, of which the process's umask takes some away.
    /// `0o666` where it is not set.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("key");
    /// let mut options = shinkan::fs::OpenOptions::new();
    /// let key = options.write(true).create_new(true).mode(0o600).open(path).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.0.mode(mode);
        self
    }

    /// More flags of open(2). Those that say whether the file may be read or written are ignored.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("link");
    /// # std::os::unix::fs::symlink("nowhere", &path)?;
    /// const O_NOFOLLOW: i32 = 0o400000;
    /// let mut options = shinkan::fs::OpenOptions::new();
    /// assert!(options.read(true).custom_flags(O_NOFOLLOW).open(path).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn custom_flags(&mut self, flags: i32) -> &mut Self {
        self.0.custom_flags(flags);
        self
    }

    /// Opens a file in this way.
    ///
    /// # Errors
    /// `InvalidInput`: nothing is allowed, or the options contradict each other. Else as
    /// [`File::open`], and `AlreadyExists` with [`create_new`](OpenOptions::create_new).
    ///
    /// # Cancel safety
    /// The file may have been made or emptied.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let file = shinkan::fs::OpenOptions::new().read(true).write(true).open("/dev/null").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn open(&self, path: impl AsRef<Path>) -> impl Future<Output = io::Result<File>> {
        self.clone().opening(path, Location::caller())
    }

    pub(super) async fn opening(
        self,
        path: impl AsRef<Path>,
        place: &'static Location<'static>,
    ) -> io::Result<File> {
        let open = move |path: PathBuf| files::open(&self.0, &path);
        Ok(File::opened(pool::run_on(place, path, open).await?, place))
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl From<files::OpenOptions> for OpenOptions {
    fn from(options: files::OpenOptions) -> Self {
        Self(options)
    }
}
