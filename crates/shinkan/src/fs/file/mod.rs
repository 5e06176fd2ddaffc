//! An open file.
//!
//! What it does next, and what it leaves undone, is the table of `inner.rs`; `streams.rs` is what
//! `io` asks of a file, `operations.rs` the rest. What needs no thread stands in `at_once.rs`.

mod at_once;
mod buf;
mod inner;
mod operations;
mod raw_fd;
mod streams;

use super::OpenOptions;
use at_once::AtOnce;
use inner::{Inner, Leaf};
use shinkan_sync::Mutex;
use std::fmt;
use std::fs;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;

// Of one operation, in bytes; Tokio's.
const MAX_BUF_SIZE: usize = 2 << 20;

/// An open file.
///
/// It is read, written and moved in by the traits of [`io`](crate::io). The kernel keeps the
/// position; a file that was opened by several, or handed to another process, shares it.
///
/// # How it works
///
/// Linux has no readiness for files: a call returns when the disk is done. So each call is made on
/// a thread of the runtime's blocking pool, one at a time for each file, and hands over at most
/// [`max_buf_size`](File::max_buf_size) bytes. Two things do without a thread: a read of what the
/// kernel has in memory, up to as many bytes, and a seek in a file that was read so. They need a
/// file of this machine (not of FUSE or NFS) that was not opened with `O_DIRECT` and not cloned.
///
/// # Writing
///
/// A write is answered when the bytes are taken, before they are written. Call
/// [`flush`](crate::io::AsyncWriteExt::flush) to know that they are, and whether it went well; an
/// error that nobody asked for is told to the next write or flush. What was taken is written also
/// where the file is dropped, or the runtime ends. For the disk itself there is
/// [`sync_all`](File::sync_all).
///
/// # Cancel safety
///
/// A read, write, seek or flush that is dropped at its await goes on in the pool, and whatever
/// comes next on the file waits for it: bytes that were read are given to the next read, or the
/// position is taken back to before them.
///
/// # Examples
/// ```
/// use shinkan::fs::File;
/// use shinkan::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
///
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("notes");
/// let mut file = File::create_new(path).await?;
/// file.write_all(b"first\n").await?;
/// file.rewind().await?;
/// let mut text = String::new();
/// file.read_to_string(&mut text).await?;
/// assert_eq!(text, "first\n");
/// # Ok(())
/// # }
/// ```
pub struct File {
    std: Arc<fs::File>,
    inner: Mutex<Inner>,
    max_buf_size: usize,
    place: &'static Location<'static>,
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// Those of open(2), such as `NotFound`, `PermissionDenied`, and that no descriptor is left.
    /// `Other`: the runtime has ended.
    ///
    /// # Cancel safety
    /// The file is opened and closed again.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// use shinkan::fs::File;
    /// use shinkan::io::AsyncReadExt;
    ///
    /// let mut random = [0; 16];
    /// File::open("/dev/urandom").await?.read_exact(&mut random).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn open(path: impl AsRef<Path>) -> impl Future<Output = io::Result<File>> {
        let mut options = Self::options();
        options.read(true);
        options.opening(path, Location::caller())
    }

    /// Opens a file for writing; makes it where there is none, else empties it.
    ///
    /// # Errors
    /// As [`open`](File::open).
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
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("log");
    /// use shinkan::io::AsyncWriteExt;
    ///
    /// let mut file = shinkan::fs::File::create(&path).await?;
    /// file.write_all(b"a line\n").await?;
    /// file.flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn create(path: impl AsRef<Path>) -> impl Future<Output = io::Result<File>> {
        let mut options = Self::options();
        options.write(true).create(true).truncate(true);
        options.opening(path, Location::caller())
    }

    /// Makes a file and opens it for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists` where there is something at the path, be it a link that leads nowhere.
    /// Else as [`open`](File::open).
    ///
    /// # Cancel safety
    /// The file may have been made.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("lock");
    /// use shinkan::fs::File;
    ///
    /// let _first = File::create_new(&path).await?;
    /// let error = File::create_new(&path).await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn create_new<P: AsRef<Path>>(path: P) -> impl Future<Output = io::Result<File>> {
        let mut options = Self::options();
        options.read(true).write(true).create_new(true);
        options.opening(path, Location::caller())
    }

    /// How a file is to be opened, for all else than [`open`](File::open) and
    /// [`create`](File::create).
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("log");
    /// let log = shinkan::fs::File::options().append(true).create(true).open(path).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "options open nothing until `open` is called"]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Takes over a file of the standard library, and its position.
    ///
    /// # Examples
    /// ```
    /// let file = std::fs::File::open("/dev/null")?;
    /// let file = shinkan::fs::File::from_std(file);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn from_std(std: fs::File) -> File {
        Self::at(std, AtOnce::Unknown, Location::caller())
    }

    fn at(std: fs::File, at_once: AtOnce, place: &'static Location<'static>) -> Self {
        Self {
            std: Arc::new(std),
            inner: Mutex::new(Inner::new(at_once)),
            max_buf_size: MAX_BUF_SIZE,
            place,
        }
    }

    /// A file that a future of this room has opened, which was made at `place`.
    pub(super) fn opened(std: fs::File, place: &'static Location<'static>) -> Self {
        Self::at(std, AtOnce::Unknown, place)
    }

    /// Gives the file of the standard library back, where nothing is under way.
    ///
    /// # Errors
    /// The file itself, of which an operation is under way: [`into_std`](File::into_std) waits for
    /// it.
    ///
    /// # Examples
    /// ```
    /// let file = shinkan::fs::File::from_std(std::fs::File::open("/dev/null")?);
    /// let file = file.try_into_std().expect("nothing was asked of it");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[expect(clippy::result_large_err, reason = "Tokio's signature")]
    pub fn try_into_std(mut self) -> Result<fs::File, Self> {
        match Arc::try_unwrap(self.std) {
            Ok(file) => Ok(file),
            Err(shared) => {
                self.std = shared;
                Err(self)
            }
        }
    }

    /// Sets how many bytes one operation hands over at most. Larger reads and writes are cut to
    /// it, as their traits allow.
    ///
    /// # Panics
    /// If it is 0.
    ///
    /// # Examples
    /// ```
    /// let mut file = shinkan::fs::File::from_std(std::fs::File::open("/dev/null")?);
    /// file.set_max_buf_size(64 << 10);
    /// assert_eq!(file.max_buf_size(), 64 << 10);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn set_max_buf_size(&mut self, max_buf_size: usize) {
        assert!(
            max_buf_size > 0,
            "`max_buf_size` must be greater than 0, or nothing could be read or written; it is 2 \
             MiB where it is not set"
        );
        self.max_buf_size = max_buf_size;
    }

    /// How many bytes one operation hands over at most; 2 MiB, unless it was set.
    ///
    /// # Examples
    /// ```
    /// let file = shinkan::fs::File::from_std(std::fs::File::open("/dev/null")?);
    /// assert_eq!(file.max_buf_size(), 2 << 20);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn max_buf_size(&self) -> usize {
        self.max_buf_size
    }

    /// What a wait record says where the waiting call has no place of its own.
    fn leaf(&self) -> Leaf {
        self.leaf_at(self.place)
    }

    fn leaf_at(&self, place: &'static Location<'static>) -> Leaf {
        Leaf { resource: Arc::as_ptr(&self.std).addr(), place }
    }
}

impl From<fs::File> for File {
    #[track_caller]
    fn from(std: fs::File) -> Self {
        Self::from_std(std)
    }
}

impl From<OwnedFd> for File {
    #[track_caller]
    fn from(fd: OwnedFd) -> Self {
        Self::from_std(fs::File::from(fd))
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.std.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.std.as_raw_fd()
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tokio's name, which one of its tests asks for.
        f.debug_struct("tokio::fs::File").field("std", &self.std).finish()
    }
}
