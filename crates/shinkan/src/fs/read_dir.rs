//! What is in a folder.

use super::pool;
use shinkan_base::wait::WaitKind;
use shinkan_driver::files;
use shinkan_rt::AtTheEnd;
use shinkan_task::JoinHandle;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, FileType, Metadata};
use std::future::{Future, poll_fn};
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Entries that one hand-over to the pool fetches. The kernel gives some hundreds at once, so most
/// of them need no call.
const BATCH: usize = 32;

/// Lists what is in a folder, in the order of the file system, without `.` and `..`.
///
/// # Errors
/// Those of open(2): `NotFound`, `NotADirectory`, `PermissionDenied`. `Other`: the runtime has
/// ended.
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
/// let mut entries = shinkan::fs::read_dir("/").await?;
/// while let Some(entry) = entries.next_entry().await? {
///     println!("{}", entry.path().display());
/// }
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn read_dir(path: impl AsRef<Path>) -> impl Future<Output = io::Result<ReadDir>> {
    let place = Location::caller();
    async move {
        let first = move |path: PathBuf| {
            let mut folder = Folder { std: files::read_dir(path)?, batch: VecDeque::new() };
            let more = folder.fetch();
            Ok((folder, more))
        };
        let (folder, more) = pool::run_on(place, path, first).await?;
        Ok(ReadDir { state: State::Here { folder, more }, place })
    }
}

/// What is in a folder, entry by entry; [`read_dir`] makes it.
///
/// An entry that is made or removed meanwhile may be there or not.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path();
/// shinkan::fs::write(path.join("a"), "").await?;
/// let mut entries = shinkan::fs::read_dir(path).await?;
/// assert_eq!(entries.next_entry().await?.expect("one file").file_name(), "a");
/// assert!(entries.next_entry().await?.is_none());
/// # Ok(())
/// # }
/// ```
#[must_use = "a folder is read entry by entry, by `next_entry`"]
pub struct ReadDir {
    state: State,
    place: &'static Location<'static>,
}

enum State {
    Here {
        folder: Folder,
        /// There may be entries behind the batch.
        more: bool,
    },
    Fetching(JoinHandle<(Folder, bool)>),
    /// The fetch was not done, and the folder went with it.
    Lost,
}

struct Folder {
    std: fs::ReadDir,
    batch: VecDeque<io::Result<DirEntry>>,
}

impl Folder {
    /// Fills the batch, and says whether there may be more. Blocks.
    fn fetch(&mut self) -> bool {
        for _ in 0..BATCH {
            let Some(entry) = files::next_entry(&mut self.std) else { return false };
            let failed = entry.is_err();
            self.batch.push_back(entry.map(DirEntry::new));
            if failed {
                break;
            }
        }
        true
    }
}

impl ReadDir {
    /// The next entry; nothing at the end.
    ///
    /// # Errors
    /// Those of getdents(2). `Other`: the runtime has ended.
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
    /// let mut entries = shinkan::fs::read_dir("/").await?;
    /// assert!(entries.next_entry().await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn next_entry(&mut self) -> impl Future<Output = io::Result<Option<DirEntry>>> {
        let place = Location::caller();
        async move { poll_fn(|cx| self.poll_at(cx, place)).await }
    }

    /// As [`next_entry`](ReadDir::next_entry), for futures that are written by hand. The task of
    /// the last call is woken.
    ///
    /// # Errors
    /// As [`next_entry`](ReadDir::next_entry).
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut entries = shinkan::fs::read_dir("/").await?;
    /// let first = std::future::poll_fn(|cx| entries.poll_next_entry(cx)).await?;
    /// assert!(first.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_next_entry(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        self.poll_at(cx, self.place)
    }

    fn poll_at(
        &mut self,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
    ) -> Poll<io::Result<Option<DirEntry>>> {
        loop {
            match &mut self.state {
                State::Here { folder, more } => {
                    if let Some(entry) = folder.batch.pop_front() {
                        return Poll::Ready(entry.map(Some));
                    }
                    if !*more {
                        return Poll::Ready(Ok(None));
                    }
                    self.fetch()?;
                }
                State::Fetching(task) => {
                    let resource = task.id().as_u64() as usize;
                    let fetched = ready!(task.poll_as(cx, WaitKind::Blocking, resource, place));
                    let Ok((folder, more)) = fetched else {
                        self.state = State::Lost;
                        return Poll::Ready(Err(pool::failed()));
                    };
                    self.state = State::Here { folder, more };
                }
                State::Lost => return Poll::Ready(Err(pool::failed())),
            }
        }
    }

    fn fetch(&mut self) -> io::Result<()> {
        if let State::Here { mut folder, .. } = std::mem::replace(&mut self.state, State::Lost) {
            let fetch = move || {
                let more = folder.fetch();
                (folder, more)
            };
            self.state = State::Fetching(pool::start(fetch, AtTheEnd::Cancel)?);
        }
        Ok(())
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ReadDir");
        match &self.state {
            State::Here { folder, .. } => {
                debug.field("folder", &folder.std).field("fetched", &folder.batch.len())
            }
            State::Fetching(task) => debug.field("fetching", task),
            State::Lost => debug.field("lost", &true),
        };
        debug.finish()
    }
}

/// One entry of a folder.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path();
/// # std::fs::write(path.join("a"), "hello")?;
/// let mut entries = shinkan::fs::read_dir(path).await?;
/// let entry = entries.next_entry().await?.expect("one file");
/// assert_eq!(entry.path(), path.join("a"));
/// assert_eq!(entry.metadata().await?.len(), 5);
/// # Ok(())
/// # }
/// ```
pub struct DirEntry {
    // Where the file system said it with the name.
    file_type: Option<FileType>,
    std: Arc<fs::DirEntry>,
}

impl DirEntry {
    /// Blocks, with few file systems.
    fn new(std: fs::DirEntry) -> Self {
        Self { file_type: files::entry_type(&std).ok(), std: Arc::new(std) }
    }

    /// The path of the folder, as it was given, with the entry's name.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut entries = shinkan::fs::read_dir("/proc/self").await?;
    /// let entry = entries.next_entry().await?.expect("not empty");
    /// assert!(entry.path().starts_with("/proc/self"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn path(&self) -> PathBuf {
        self.std.path()
    }

    /// The entry's name, without the folder.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut entries = shinkan::fs::read_dir("/proc/self").await?;
    /// let entry = entries.next_entry().await?.expect("not empty");
    /// assert_eq!(entry.path().file_name(), Some(&*entry.file_name()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn file_name(&self) -> OsString {
        self.std.file_name()
    }

    /// What is known of the entry; of a link, not of what it leads to.
    ///
    /// # Errors
    /// Those of statx(2): `NotFound` where it was removed. `Other`: the runtime has ended.
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
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path();
    /// # std::fs::write(path.join("a"), "hello")?;
    /// let mut entries = shinkan::fs::read_dir(path).await?;
    /// let entry = entries.next_entry().await?.expect("one file");
    /// assert_eq!(entry.metadata().await?.len(), 5);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn metadata(&self) -> impl Future<Output = io::Result<Metadata>> {
        let std = self.std.clone();
        pool::run(Location::caller(), move || files::entry_metadata(&std))
    }

    /// What kind of file it is. Most file systems say so with the name, and this is ready at once.
    ///
    /// # Errors
    /// As [`metadata`](DirEntry::metadata).
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// # Panics
    /// Outside a runtime, where the file system must be asked.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path();
    /// # std::fs::create_dir(path.join("a"))?;
    /// let mut entries = shinkan::fs::read_dir(path).await?;
    /// let entry = entries.next_entry().await?.expect("one folder");
    /// assert!(entry.file_type().await?.is_dir());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn file_type(&self) -> impl Future<Output = io::Result<FileType>> {
        let place = Location::caller();
        async move {
            if let Some(file_type) = self.file_type {
                return Ok(file_type);
            }
            let std = self.std.clone();
            pool::run(place, move || files::entry_type(&std)).await
        }
    }

    /// The number of the file in its file system.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path();
    /// # std::fs::write(path.join("a"), "")?;
    /// use std::os::unix::fs::MetadataExt;
    ///
    /// let mut entries = shinkan::fs::read_dir(path).await?;
    /// let entry = entries.next_entry().await?.expect("one file");
    /// assert_eq!(entry.ino(), entry.metadata().await?.ino());
    /// # Ok(())
    /// # }
    /// ```
    pub fn ino(&self) -> u64 {
        self.std.ino()
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirEntry").field(&self.path()).finish()
    }
}
