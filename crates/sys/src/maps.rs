//! What lies where in this process's memory, from proc(5), and the files that lie there.

use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};
use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A piece of a file in this process's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The first address.
    pub start: u64,
    /// The address behind the last.
    pub end: u64,
    /// Whether what lies there may be run.
    pub is_code: bool,
    /// Where in the file `start` is.
    pub offset: u64,
    /// The file's number in its file system.
    pub inode: u64,
    /// Its path, when it was mapped.
    pub path: PathBuf,
}

/// The path of the code that the kernel maps into every process, which lies in no file.
pub const OF_THE_KERNEL: &str = "[vdso]";

/// All files that are mapped now, and the kernel's code, by address.
///
/// # Errors
/// There is no proc(5).
pub fn of_files() -> io::Result<Vec<Mapping>> {
    Ok(fs::read_to_string("/proc/self/maps")?.lines().filter_map(parse).collect())
}

fn parse(line: &str) -> Option<Mapping> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let rights = words.next()?;
    let offset = words.next()?;
    let _device = words.next()?;
    let inode = words.next()?.parse().ok()?;
    let path = words.next()?.trim_start();
    let hex = |word| u64::from_str_radix(word, 16).ok();
    (inode != 0 && path.starts_with('/') || path == OF_THE_KERNEL).then_some(())?;
    Some(Mapping {
        start: hex(start)?,
        end: hex(end)?,
        is_code: rights.as_bytes().get(2) == Some(&b'x'),
        offset: hex(offset)?,
        inode,
        path: PathBuf::from(path.strip_suffix(" (deleted)").unwrap_or(path)),
    })
}

/// A file's bytes, of which only those that are looked at cost memory.
#[derive(Debug)]
pub struct MappedFile {
    start: *mut u8,
    len: usize,
}

// SAFETY:
// - read-only memory that belongs to no thread.
unsafe impl Send for MappedFile {}
// SAFETY:
// - as above.
unsafe impl Sync for MappedFile {}

impl MappedFile {
    /// The file of a [`Mapping`]. A program whose file was deleted or replaced since it started
    /// still has its own.
    ///
    /// # Errors
    /// It is gone, or another file has its path now.
    pub fn of(mapping: &Mapping) -> io::Result<Self> {
        let same = |path: &Path| -> Option<File> {
            let file = File::open(path).ok()?;
            (file.metadata().ok()?.ino() == mapping.inode).then_some(file)
        };
        let file = same(&mapping.path).or_else(|| same(Path::new("/proc/self/exe")));
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // SAFETY:
        // - a new place of the kernel's choice: nothing that is in use is replaced.
        let start = unsafe {
            mmap(core::ptr::null_mut(), len, ProtFlags::READ, MapFlags::PRIVATE, &file, 0)
        }?;
        Ok(Self { start: start.cast(), len })
    }

    /// Memory of no file, all zeroes.
    ///
    /// # Errors
    /// There is none.
    pub fn anonymous(len: usize) -> io::Result<Self> {
        // SAFETY:
        // - as in `of`.
        let start = unsafe {
            mmap_anonymous(core::ptr::null_mut(), len, ProtFlags::READ, MapFlags::PRIVATE)
        }?;
        Ok(Self { start: start.cast(), len })
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY:
        // - mapped for `len` bytes until `drop`, to be read.
        // - unchanged: it is the file of code that is loaded. Who overwrites such a file in place,
        //   rather than replace it, breaks the running program itself: the code is mapped as this is.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }
}

impl Drop for MappedFile {
    fn drop(&mut self) {
        // SAFETY:
        // - ours, whole, and nobody borrows it any more.
        let _ = unsafe { munmap(self.start.cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_itself_is_found() {
        let here = (the_program_itself_is_found as fn()) as usize as u64;
        let maps = of_files().unwrap();
        let own = maps.iter().find(|map| (map.start..map.end).contains(&here)).unwrap();
        assert!(own.is_code, "{own:?}");
        let file = MappedFile::of(own).unwrap();
        assert_eq!(file[..4], *b"\x7fELF");
        let other = Mapping { inode: own.inode + 1, path: "/nothing".into(), ..own.clone() };
        assert!(MappedFile::of(&other).is_err());
    }

    #[test]
    fn lines_that_are_no_files_are_left_out() {
        assert_eq!(parse("7ffc000-7ffd000 rw-p 00000000 00:00 0    [stack]"), None);
        assert_eq!(parse("7ffc000-7ffd000 rw-p 00000000 00:00 0 "), None);
        let map = parse("10-20 r-xp 00000030 fd:00 77     /a b (deleted)").unwrap();
        assert_eq!((map.start, map.end, map.offset, map.inode), (16, 32, 48, 77));
        assert!(map.is_code && map.path == Path::new("/a b"));
    }
}
