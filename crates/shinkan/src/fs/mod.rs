//! Files and folders.
//!
//! The functions are those of [`std::fs`], as futures. Linux has no readiness for files, so each
//! runs on a thread of the runtime's blocking pool and costs a hand-over to it, some ten
//! microseconds. Many small operations in a row are cheaper as one closure in
//! [`spawn_blocking`](crate::task::spawn_blocking), and a whole file is read cheapest by [`read`].
//! Pipes, sockets and devices that may wait for ever are no files in this sense: use
//! `net::unix::pipe` or `io::unix::AsyncFd`.
//!
//! # What needs no thread
//!
//! What the kernel has in memory is read where it is asked for, without a hand-over: by [`File`]
//! in parts, which says when, and whole by [`read`] and [`read_to_string`]. Those need a plain file
//! of up to 128 KiB whose path, too, the kernel has in memory, Linux 5.12, and a file system that
//! answers so: ext4, XFS and Btrfs do, network and overlay file systems, FUSE, tmpfs and `/proc`
//! don't. The first file of each mount is read on the pool all the same, to find out. All else is
//! done by the pool, and all errors are told by it. So such a read may be done at its first poll;
//! and the kernel is asked for openat2(2) and preadv2(2), which a filter of system calls may refuse,
//! with an error.
//!
//! An operation that is dropped at its await goes on. One that no thread was free for when its
//! runtime ended, or that is begun later, fails, with an error of kind `Other` that says
//! "background task failed"; one outside of every runtime panics.
//!
//! # Examples
//! ```
//! # #[shinkan::main]
//! # async fn main() -> std::io::Result<()> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("greeting");
//! use shinkan::fs;
//!
//! fs::write(&path, "hello").await?;
//! assert_eq!(fs::read_to_string(&path).await?, "hello");
//! fs::remove_file(&path).await?;
//! # Ok(())
//! # }
//! ```

mod contents;
mod dir_builder;
mod file;
mod file_times;
mod folders;
mod links;
mod open_options;
mod paths;
mod pool;
mod read_dir;
mod whole;

pub use dir_builder::DirBuilder;
pub use file::File;
pub use file_times::FileTimes;
pub use folders::{create_dir, create_dir_all, remove_dir, remove_dir_all};
pub use links::{canonicalize, hard_link, read_link, symlink};
pub use open_options::OpenOptions;
pub use paths::{metadata, remove_file, rename, set_permissions, symlink_metadata, try_exists};
pub use read_dir::{DirEntry, ReadDir, read_dir};
pub use whole::{copy, read, read_to_string, write};
