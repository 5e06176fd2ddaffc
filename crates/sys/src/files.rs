//! Files and folders. All of it may wait for a disk or for another machine, so whoever calls it
//! is a thread that may block; apart from [`read_at_once`] and [`seek`], whose heads say when.
//!
//! What the standard library has is taken from there.

use rustix::fs::OFlags;
use rustix::io::ReadWriteFlags;
use std::fs::{DirEntry, File, FileTimes, FileType, Metadata, Permissions, ReadDir};
use std::io::{self, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::mem::{MaybeUninit, transmute};
use std::os::fd::AsFd;
use std::path::Path;
use std::slice::from_raw_parts_mut;

pub use std::fs::{
    DirBuilder, OpenOptions, canonicalize, copy, create_dir, create_dir_all, hard_link, metadata,
    read_dir, read_link, remove_dir, remove_dir_all, remove_file, rename, set_permissions,
    symlink_metadata, write,
};
pub use std::os::unix::fs::symlink;

/// Whether there is something at a path, behind links.
///
/// # Errors
/// It cannot be told.
pub fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    path.as_ref().try_exists()
}

/// Opens a file.
///
/// # Errors
/// Those of open(2); `InvalidInput` for options that contradict each other.
pub fn open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}

/// Makes a folder.
///
/// # Errors
/// Those of mkdir(2).
pub fn make_dir(builder: &DirBuilder, path: &Path) -> io::Result<()> {
    builder.create(path)
}

/// Reads once, from the file's position; again where a signal came between.
///
/// # Errors
/// Those of read(2).
pub fn read_some(mut file: &File, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Writes everything at the file's position.
///
/// # Errors
/// Those of write(2); some of it may have been written.
pub fn write_all(mut file: &File, buf: &[u8]) -> io::Result<()> {
    file.write_all(buf)
}

/// Moves the file's position. It waits for others that hold the position of the same open file,
/// and at some file systems for the file's size.
///
/// # Errors
/// Those of lseek(2).
pub fn seek(mut file: &File, to: SeekFrom) -> io::Result<u64> {
    file.seek(to)
}

/// Writes what the kernel keeps of the file to the disk.
///
/// # Errors
/// Those of fsync(2).
pub fn sync_all(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// Writes what the kernel keeps of the file's contents to the disk.
///
/// # Errors
/// Those of fdatasync(2).
pub fn sync_data(file: &File) -> io::Result<()> {
    file.sync_data()
}

/// Cuts the file, or makes it longer with zeros.
///
/// # Errors
/// Those of ftruncate(2).
pub fn set_len(file: &File, size: u64) -> io::Result<()> {
    file.set_len(size)
}

/// Sets when the file was used last.
///
/// # Errors
/// Those of futimens(2).
pub fn set_times(file: &File, times: FileTimes) -> io::Result<()> {
    file.set_times(times)
}

/// Sets who may use an open file.
///
/// # Errors
/// Those of fchmod(2).
pub fn set_file_permissions(file: &File, permissions: Permissions) -> io::Result<()> {
    file.set_permissions(permissions)
}

/// What is known of an open file.
///
/// # Errors
/// Those of statx(2).
pub fn file_metadata(file: &File) -> io::Result<Metadata> {
    file.metadata()
}

/// Another descriptor of the same open file, with the same position.
///
/// # Errors
/// No descriptors left.
pub fn duplicate(file: &File) -> io::Result<File> {
    file.try_clone()
}

/// The next entry of a folder; nothing at its end.
pub fn next_entry(dir: &mut ReadDir) -> Option<io::Result<DirEntry>> {
    dir.next()
}

/// What kind of file an entry is. Most file systems say so with the name, and nobody is asked.
///
/// # Errors
/// Those of statx(2).
pub fn entry_type(entry: &DirEntry) -> io::Result<FileType> {
    entry.file_type()
}

/// What is known of an entry; of a link, not of what it leads to.
///
/// # Errors
/// Those of statx(2).
pub fn entry_metadata(entry: &DirEntry) -> io::Result<Metadata> {
    entry.metadata()
}

/// Whether [`read_at_once`] never waits for a disk. Around the page cache (`O_DIRECT`) the kernel
/// would begin the read without waiting for a lock, and then wait for its end.
pub fn is_cached(file: &File) -> bool {
    rustix::fs::fcntl_getfl(file).is_ok_and(|flags| !flags.contains(OFlags::DIRECT))
}

/// Reads what the kernel has in memory, from the file's position, which moves. Returns the part
/// that was filled, and the rest; nothing filled is the end of the file. It may fill less than a
/// read that waits would.
///
/// It waits for no disk. It does wait for others that hold the position of the same open file:
/// not for a file that was duplicated. preadv2(2) with `RWF_NOWAIT`.
///
/// # Errors
/// `WouldBlock`: this time it would have had to wait. `Interrupted`. Else the kernel can't tell with
/// this file, or there is an error, which the read that waits will find.
#[inline]
pub fn read_at_once<'b>(
    file: &File,
    buf: &'b mut [MaybeUninit<u8>],
) -> io::Result<(&'b mut [u8], &'b mut [MaybeUninit<u8>])> {
    // The kernel's `iovec`, with memory that need not be initialised.
    #[repr(C)]
    struct Iovec(*mut MaybeUninit<u8>, usize);
    const CURRENT_POSITION: u64 = u64::MAX;

    let memory = Iovec(buf.as_mut_ptr(), buf.len());
    // SAFETY:
    // - same layout: an `IoSliceMut` is ABI-compatible with `iovec` on Unix, as std documents.
    // - writable, and nobody else's: `buf` is borrowed for longer than `slice` lives.
    // - never read as bytes: it goes to the kernel alone, which only writes.
    let slice = unsafe { transmute::<Iovec, IoSliceMut<'_>>(memory) };
    let nowait = ReadWriteFlags::NOWAIT;
    let n = rustix::io::preadv2(file.as_fd(), &mut [slice], CURRENT_POSITION, nowait)?;
    let (filled, rest) = buf.split_at_mut(n);
    // SAFETY:
    // - initialised: the kernel has written these bytes.
    // - borrowed: as long as `buf` is, whose front `filled` gives up.
    let filled = unsafe { from_raw_parts_mut(filled.as_mut_ptr().cast(), n) };
    Ok((filled, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &File, room: usize) -> io::Result<Vec<u8>> {
        let mut buf = vec![MaybeUninit::uninit(); room];
        read_at_once(file, &mut buf).map(|(filled, _)| filled.to_vec())
    }

    #[test]
    fn a_pipe_has_nothing_yet_then_has_and_then_ends() {
        let (reader, mut writer) = io::pipe().unwrap();
        let reader = File::from(std::os::fd::OwnedFd::from(reader));
        assert_eq!(read(&reader, 8).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        writer.write_all(b"abc").unwrap();
        assert_eq!(read(&reader, 2).unwrap(), b"ab");
        drop(writer);
        assert_eq!(read(&reader, 8).unwrap(), b"c");
        assert_eq!(read(&reader, 8).unwrap(), b"");
    }

    #[test]
    fn the_position_moves() {
        let path = std::env::temp_dir().join(format!("shinkan-sys-files-{}", std::process::id()));
        write(&path, b"abcdef").unwrap();
        let file = File::open(&path).unwrap();
        // The kernel has just written it, so it is in memory, where it can tell at all.
        if let Ok(first) = read(&file, 4) {
            assert_eq!(first, b"abcd");
            assert_eq!(seek(&file, SeekFrom::Current(0)).unwrap(), 4);
            assert_eq!(read(&file, 4).unwrap(), b"ef");
            assert_eq!(read(&file, 4).unwrap(), b"");
        }
        remove_file(&path).unwrap();
    }

    #[test]
    fn a_folder_is_for_the_read_that_waits() {
        let folder = File::open(".").unwrap();
        assert!(is_cached(&folder));
        assert_ne!(read(&folder, 8).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
