//! Whole files that the kernel has in memory, names and contents: read without waiting.
//!
//! Called on threads that must not block. Never opens what may have to be asked, or what an open
//! does something to: a FIFO, a device, a file of FUSE, a file of another machine. What io_uring
//! does before it hands an open to a thread of its own, with a look before it: the kernel finds
//! the name in its cache, or says that it can't (openat2(2), `RESOLVE_CACHED`, Linux 5.12).
//!
//! 1. `O_PATH` opens the name alone, and the file behind it hears nothing. It must be a plain file
//!    that is small, on a mount that is known (`mounts`) to answer 3.
//! 2. `O_RDONLY`, which must have led to the same file: a name may be given to another between.
//! 3. preadv2(2), `RWF_NOWAIT`, until the end.
//!
//! What is else goes from its start to a thread that may block: errors, too, are for it to tell.
//! What both may wait for is a program that lets opens and reads pass or not: fanotify(7).
//! Rejected: statx(2) of the name in place of 1, which would wait for a name that is not cached.

use crate::files::read_at_once;
use crate::mounts::Mount;
use core::sync::atomic::{AtomicU8, Ordering};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxFlags, fstatfs, openat2, statx,
};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use std::fs::File;
use std::io::{self, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// Whether the kernel finds names without waiting, and lets this process ask for it.
static FINDS: AtomicU8 = AtomicU8::new(UNKNOWN);

/// A file was not read: a thread that may block has to.
#[derive(Debug, Default)]
#[must_use = "the file is to be read by a thread that may block"]
pub struct Uncached {
    /// What was opened in vain. To close it may wait.
    opened: Option<File>,
    /// That thread should find out what the file's mount can do.
    learns: bool,
}

impl Uncached {
    /// Reads the whole file. Blocks.
    ///
    /// # Errors
    /// Those of open(2) and read(2).
    pub fn read(self, path: &Path) -> io::Result<Vec<u8>> {
        drop(self.opened);
        if !self.learns {
            return std::fs::read(path);
        }
        let mut file = File::open(path)?;
        learn(&file);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Reads a whole file of at most `limit` bytes, where nothing of it has to be waited for.
///
/// # Errors
/// It was not read, for whatever reason.
pub fn read_cached(path: &Path, limit: usize) -> Result<Vec<u8>, Uncached> {
    let unopened = |learns| Uncached { opened: None, learns };
    if !finds() {
        return Err(unopened(false));
    }
    let seen = open_cached(path, OFlags::PATH).ok().and_then(|name| Seen::of(&name));
    let Some(seen) = seen.filter(|seen| seen.size <= limit as u64) else {
        return Err(unopened(false));
    };
    match seen.mount.reads_at_once() {
        Some(true) => {}
        Some(false) => return Err(unopened(false)),
        None => return Err(unopened(true)),
    }
    let Ok(file) = open_cached(path, OFlags::RDONLY | OFlags::NONBLOCK) else {
        return Err(unopened(false));
    };
    let file = File::from(file);
    let read = Seen::of(&file)
        .filter(|now| now.is_same(&seen) && now.size <= limit as u64)
        .and_then(|now| read_all(&file, now.size as usize));
    read.ok_or(Uncached { opened: Some(file), learns: false })
}

fn open_cached(path: &Path, how: OFlags) -> rustix::io::Result<OwnedFd> {
    openat2(CWD, path, how | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::CACHED)
}

#[inline]
fn finds() -> bool {
    match FINDS.load(Ordering::Relaxed) {
        UNKNOWN => finds_slow(),
        known => known == YES,
    }
}

/// Of the root, whose name is always there: of other paths an error may be the path's own.
#[cold]
fn finds_slow() -> bool {
    let finds = match open_cached(Path::new("/"), OFlags::PATH) {
        // The root was being renamed or mounted upon.
        Ok(_) | Err(Errno::AGAIN) => YES,
        // Kernels before 5.6, those before 5.12, and filters of system calls.
        Err(Errno::NOSYS | Errno::INVAL | Errno::PERM | Errno::ACCESS) => NO,
        Err(_) => UNKNOWN,
    };
    FINDS.store(finds, Ordering::Relaxed);
    finds == YES
}

/// A plain file, as it was seen.
struct Seen {
    mount: Mount,
    inode: u64,
    size: u64,
}

impl Seen {
    /// Asks for no more than every file system has at hand: the size comes along where it is.
    fn of(file: impl AsFd) -> Option<Self> {
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let asked = StatxFlags::TYPE | StatxFlags::INO | Mount::ASKED;
        let seen = statx(file, c"", flags, asked).ok()?;
        let given = StatxFlags::from_bits_retain(seen.stx_mask);
        let is_file = FileType::from_raw_mode(seen.stx_mode.into()) == FileType::RegularFile;
        (is_file && given.contains(StatxFlags::TYPE | StatxFlags::INO | StatxFlags::SIZE))
            .then_some(Self { mount: Mount::of(&seen)?, inode: seen.stx_ino, size: seen.stx_size })
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.mount, self.inode) == (other.mount, other.inode)
    }
}

/// Reads the file, if it has this size: one that is cut or grows meanwhile, or says nothing of its
/// size, is not for here.
fn read_all(file: &File, size: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).ok()?;
    while bytes.len() < size {
        let missing = size - bytes.len();
        let (filled, _) = read_at_once(file, &mut bytes.spare_capacity_mut()[..missing]).ok()?;
        let n = filled.len();
        if n == 0 {
            return None;
        }
        // SAFETY:
        // - capacity: `n` bytes of the spare capacity were filled.
        // - initialised: they were returned as `[u8]`.
        unsafe { bytes.set_len(bytes.len() + n) };
    }
    let mut more = [MaybeUninit::uninit()];
    let (more, _) = read_at_once(file, &mut more).ok()?;
    more.is_empty().then_some(bytes)
}

/// Finds out whether the files of an open file's mount can be read at once. Blocks.
fn learn(file: &File) {
    const FUSE: u64 = 0x6573_5546;

    let Some(seen) = Seen::of(file) else { return };
    // The flag alone is asked for: what is there at once is for the read that comes.
    let reads_at_once =
        match preadv2(file, &mut [IoSliceMut::new(&mut [0])], 0, ReadWriteFlags::NOWAIT) {
            Ok(_) | Err(Errno::AGAIN) => true,
            Err(Errno::OPNOTSUPP) => false,
            Err(_) => return,
        };
    // No kernel so far reads its files at once; if one does, its opens still ask a program.
    let is_fuse = fstatfs(file).map_or(true, |system| system.f_type as u64 == FUSE);
    seen.mount.learn(reads_at_once && !is_fuse);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::write;
    use std::path::PathBuf;

    const TEXT: &[u8] = b"0123456789";

    /// A file of this test's own.
    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("shinkan-sys-cached-{}-{name}", std::process::id()))
    }

    /// Whether this machine can do it at all for a file, as asked without this module.
    fn can(path: &Path) -> bool {
        let file = File::open(path).unwrap();
        read_at_once(&file, &mut [MaybeUninit::uninit()]).is_ok()
            && openat2(CWD, path, OFlags::RDONLY, Mode::empty(), ResolveFlags::CACHED).is_ok()
            && Seen::of(&file).is_some()
    }

    /// Reads until the mount is known, and again where a name that is given at the same time, any
    /// name, hid this one.
    fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Uncached> {
        for _ in 0..100 {
            match read_cached(path, limit) {
                Ok(bytes) => return Ok(bytes),
                Err(uncached) => drop(uncached.read(path)),
            }
        }
        read_cached(path, limit)
    }

    #[test]
    fn a_small_file_is_read_and_a_larger_one_is_not() {
        let path = path("small");
        write(&path, TEXT).unwrap();
        if can(&path) {
            assert_eq!(read(&path, TEXT.len()).unwrap(), TEXT);
            let refused = read(&path, TEXT.len() - 1).unwrap_err();
            assert!(refused.opened.is_none() && !refused.learns, "{refused:?}");
            assert_eq!(refused.read(&path).unwrap(), TEXT);
            write(&path, "").unwrap();
            assert_eq!(read(&path, 0).unwrap(), b"");
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_no_small_plain_file_is_not_opened() {
        let folder = std::env::temp_dir();
        for path in ["/dev/null", "/", "/nothing", "", "a\0b", folder.to_str().unwrap()] {
            let refused = read(Path::new(path), 1 << 20).unwrap_err();
            assert!(refused.opened.is_none() && !refused.learns, "{path}: {refused:?}");
        }
    }

    #[test]
    fn a_mount_that_cannot_is_asked_once() {
        let comm = Path::new("/proc/self/comm");
        let refused = read(comm, 1 << 20).unwrap_err();
        assert!(refused.opened.is_none() && !refused.learns, "{refused:?}");
        assert_eq!(refused.read(comm).unwrap(), std::fs::read(comm).unwrap());
    }

    #[test]
    fn a_size_that_is_not_the_files_is_not_believed() {
        let path = path("size");
        write(&path, TEXT).unwrap();
        let all = |size| read_all(&File::open(&path).unwrap(), size);
        assert_eq!(all(TEXT.len() - 1), None);
        assert_eq!(all(TEXT.len() + 1), None);
        assert!(!can(&path) || all(TEXT.len()).unwrap() == TEXT);
        std::fs::remove_file(&path).unwrap();
    }
}
