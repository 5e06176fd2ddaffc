//! What can be asked of an open file besides its bytes.
//!
//! All but `metadata` and `set_permissions` come after what was begun before them, and after each
//! other: they hold the lock of `inner` from their first poll on, and wait under it.

use super::File;
use super::at_once::AtOnce;
use super::buf::Buf;
use super::inner::{Done, Inner};
use super::streams::rewind;
use crate::fs::{FileTimes, pool};
use shinkan_driver::files;
use shinkan_rt::AtTheEnd;
use shinkan_sync::MutexGuard;
use std::fs::{self, Metadata, Permissions};
use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::time::SystemTime;

impl File {
    /// Has the disk hold all that was written, contents and metadata.
    ///
    /// Waits for the write that is under way first; its error is not told here, but to the next
    /// write or [`flush`](crate::io::AsyncWriteExt::flush).
    ///
    /// # Errors
    /// Those of fsync(2). `Other`: the runtime has ended.
    ///
    /// # Cancel safety
    /// The disk goes on; it is not known how far it came.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("ledger");
    /// use shinkan::io::AsyncWriteExt;
    ///
    /// let mut file = shinkan::fs::File::create(path).await?;
    /// file.write_all(b"paid").await?;
    /// file.flush().await?;
    /// file.sync_all().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn sync_all(&self) -> impl Future<Output = io::Result<()>> {
        self.after_all(Location::caller(), files::sync_all)
    }

    /// Has the disk hold all contents that were written. Less than [`sync_all`](File::sync_all):
    /// times, say, may be lost.
    ///
    /// # Errors
    /// Those of fdatasync(2), else as [`sync_all`](File::sync_all).
    ///
    /// # Cancel safety
    /// As [`sync_all`](File::sync_all).
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("ledger");
    /// use shinkan::io::AsyncWriteExt;
    ///
    /// let mut file = shinkan::fs::File::create(path).await?;
    /// file.write_all(b"paid").await?;
    /// file.flush().await?;
    /// file.sync_data().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn sync_data(&self) -> impl Future<Output = io::Result<()>> {
        self.after_all(Location::caller(), files::sync_data)
    }

    /// Cuts the file to a length in bytes, or makes it longer with zeros. The position stays, and
    /// may be behind the end then.
    ///
    /// # Errors
    /// Those of ftruncate(2): `InvalidInput` where the file was not opened for writing.
    /// `Other`: the runtime has ended.
    ///
    /// # Cancel safety
    /// It is done; what comes next on the file waits for it.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sparse");
    /// let file = shinkan::fs::File::create(path).await?;
    /// file.set_len(1 << 30).await?;
    /// assert_eq!(file.metadata().await?.len(), 1 << 30);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn set_len(&self, size: u64) -> impl Future<Output = io::Result<()>> {
        self.in_turn(Location::caller(), move |inner| {
            // What was read ahead may be cut off.
            let back = inner.idle().map_or(0, Buf::discard);
            move |file: &fs::File| rewind(file, back).and_then(|()| files::set_len(file, size))
        })
    }

    /// What is known of the file: its length, kind, permissions and times. Waits for nothing that
    /// is under way.
    ///
    /// # Errors
    /// Those of statx(2). `Other`: the runtime has ended.
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
    /// let file = shinkan::fs::File::open("/etc").await?;
    /// assert!(file.metadata().await?.is_dir());
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn metadata(&self) -> impl Future<Output = io::Result<Metadata>> {
        let std = self.std.clone();
        pool::run(Location::caller(), move || files::file_metadata(&std))
    }

    /// Another descriptor of the same open file: both share one position, and a read of one moves
    /// the other.
    ///
    /// Both hand every read to the pool from then on: one may hold the position while it waits for
    /// the disk.
    ///
    /// # Errors
    /// No descriptor is left. `Other`: the runtime has ended.
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
    /// # let path = folder.path().join("a");
    /// use shinkan::io::AsyncWriteExt;
    ///
    /// let file = shinkan::fs::File::create(&path).await?;
    /// let mut other = file.try_clone().await?;
    /// other.write_all(b"one file").await?;
    /// other.flush().await?;
    /// assert_eq!(file.metadata().await?.len(), 8);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn try_clone(&self) -> impl Future<Output = io::Result<File>> {
        let place = Location::caller();
        let lock = self.inner.lock();
        async move {
            let mut inner = lock.await;
            self.settled(&mut inner, place).await;
            inner.at_once = AtOnce::No;
            let std = self.std.clone();
            let other = pool::run(place, move || files::duplicate(&std)).await?;
            let mut other = File::at(other, AtOnce::No, place);
            other.max_buf_size = self.max_buf_size;
            Ok(other)
        }
    }

    /// Waits for what is under way, and gives the file of the standard library back. Bytes that
    /// were read ahead and the error of a write that nobody asked for are lost: seek or
    /// [`flush`](crate::io::AsyncWriteExt::flush) before.
    ///
    /// # Cancel safety
    /// The file is closed.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// let file = shinkan::fs::File::open("/dev/null").await?;
    /// let file: std::fs::File = file.into_std().await;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn into_std(mut self) -> impl Future<Output = fs::File> {
        let leaf = self.leaf_at(Location::caller());
        async move {
            poll_fn(|cx| self.inner.get_mut().poll_settled(cx, leaf)).await;
            let mut std = self.std;
            loop {
                match Arc::try_unwrap(std) {
                    Ok(file) => return file,
                    Err(shared) => {
                        // A call that was dropped at its await is still at work with it.
                        std = shared;
                        shinkan_rt::yield_now().await;
                    }
                }
            }
        }
    }

    /// Sets who may use the file. Waits for nothing that is under way.
    ///
    /// # Errors
    /// Those of fchmod(2): `PermissionDenied` where it is another user's. `Other`: the runtime has
    /// ended.
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
    /// # let path = folder.path().join("a");
    /// let file = shinkan::fs::File::create(&path).await?;
    /// let mut permissions = file.metadata().await?.permissions();
    /// permissions.set_readonly(true);
    /// file.set_permissions(permissions).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn set_permissions(
        &self,
        permissions: Permissions,
    ) -> impl Future<Output = io::Result<()>> {
        let std = self.std.clone();
        pool::run(Location::caller(), move || files::set_file_permissions(&std, permissions))
    }

    /// Sets when the file was used and changed last. Comes after what was written before it, which
    /// would set them again.
    ///
    /// # Errors
    /// Those of futimens(2): `PermissionDenied` where it is another user's. `Other`: the runtime
    /// has ended.
    ///
    /// # Cancel safety
    /// It is done; what comes next on the file waits for it.
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("a");
    /// use shinkan::fs::{File, FileTimes};
    /// use std::time::SystemTime;
    ///
    /// let file = File::create(&path).await?;
    /// file.set_times(FileTimes::new().set_accessed(SystemTime::UNIX_EPOCH)).await?;
    /// assert_eq!(file.metadata().await?.accessed()?, SystemTime::UNIX_EPOCH);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn set_times(&self, times: FileTimes) -> impl Future<Output = io::Result<()>> {
        self.in_turn(Location::caller(), move |_| {
            move |file: &fs::File| files::set_times(file, times.into_std())
        })
    }

    /// Sets when the file was changed last.
    ///
    /// # Errors
    /// As [`set_times`](File::set_times).
    ///
    /// # Cancel safety
    /// As [`set_times`](File::set_times).
    ///
    /// # Panics
    /// Outside a runtime.
    ///
    /// # Examples
    /// ```
    /// # #[shinkan::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("a");
    /// use std::time::SystemTime;
    ///
    /// let file = shinkan::fs::File::create(&path).await?;
    /// file.set_modified(SystemTime::UNIX_EPOCH).await?;
    /// assert_eq!(file.metadata().await?.modified()?, SystemTime::UNIX_EPOCH);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn set_modified(&self, time: SystemTime) -> impl Future<Output = io::Result<()>> {
        self.set_times(FileTimes::new().set_modified(time))
    }

    async fn settled(&self, inner: &mut MutexGuard<'_, Inner>, place: &'static Location<'static>) {
        let leaf = self.leaf_at(place);
        poll_fn(|cx| inner.poll_settled(cx, leaf)).await;
    }

    /// Calls `f` on a thread of the pool once nothing is under way.
    #[track_caller]
    fn after_all(
        &self,
        place: &'static Location<'static>,
        f: fn(&fs::File) -> io::Result<()>,
    ) -> impl Future<Output = io::Result<()>> {
        let lock = self.inner.lock();
        async move {
            let mut inner = lock.await;
            self.settled(&mut inner, place).await;
            let std = self.std.clone();
            pool::run(place, move || f(&std)).await
        }
    }

    /// The same for what changes the file: it counts as under way until it is done, also where
    /// its future is dropped.
    #[track_caller]
    fn in_turn<F>(
        &self,
        place: &'static Location<'static>,
        prepare: impl FnOnce(&mut Inner) -> F,
    ) -> impl Future<Output = io::Result<()>>
    where
        F: FnOnce(&fs::File) -> io::Result<()> + Send + 'static,
    {
        let lock = self.inner.lock();
        async move {
            let mut inner = lock.await;
            self.settled(&mut inner, place).await;
            let f = prepare(&mut inner);
            let operation = move |file: &_, _: &mut Buf| Done::Other(f(file));
            inner.start(&self.std, AtTheEnd::Cancel, operation)?;
            let leaf = self.leaf_at(place);
            match poll_fn(|cx| inner.poll_done(cx, leaf)).await? {
                Some(Done::Other(result)) => result,
                _ => unreachable!("the lock is held since it began"),
            }
        }
    }
}
