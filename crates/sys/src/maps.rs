//! What lies where in this process's memory, from proc(5), and the files that lie there.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
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

/// The addresses of the mapping that holds this one; nothing where none does, or there is no proc(5).
pub fn around(address: u64) -> Option<Range<u64>> {
    let maps = BufReader::new(File::open("/proc/self/maps").ok()?);
    // By address, and each read cheaply: what lies behind is not asked for.
    let mut ranges = maps.lines().map_while(|line| range(line.ok()?.split(' ').next()?));
    ranges.find(|range| range.end > address).filter(|range| range.contains(&address))
}

fn range(text: &str) -> Option<Range<u64>> {
    let (start, end) = text.split_once('-')?;
    let hex = |word| u64::from_str_radix(word, 16).ok();
    Some(hex(start)?..hex(end)?)
}

fn parse(line: &str) -> Option<Mapping> {
    let mut words = line.splitn(6, ' ');
    let Range { start, end } = range(words.next()?)?;
    let rights = words.next()?;
    let offset = words.next()?;
    let _device = words.next()?;
    let inode = words.next()?.parse().ok()?;
    let path = words.next()?.trim_start();
    (inode != 0 && path.starts_with('/') || path == OF_THE_KERNEL).then_some(())?;
    Some(Mapping {
        start,
        end,
        is_code: rights.as_bytes().get(2) == Some(&b'x'),
        offset: u64::from_str_radix(offset, 16).ok()?,
        inode,
        path: PathBuf::from(path.strip_suffix(" (deleted)").unwrap_or(path)),
    })
}

/// A file of code, to be read.
#[derive(Debug)]
pub struct CodeFile {
    file: File,
    size: u64,
}

impl CodeFile {
    /// The file of a [`Mapping`]. A program whose file was deleted or replaced since it started
    /// still has its own.
    ///
    /// # Errors
    /// It is gone, or another file has its path now.
    pub fn of(mapping: &Mapping) -> io::Result<Self> {
        let same = |path: &Path| -> Option<Self> {
            // Whatever has that path now must not hold the caller up.
            let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path).ok()?;
            let about = file.metadata().ok()?;
            let is_it = about.is_file() && about.ino() == mapping.inode;
            is_it.then(|| Self { file, size: about.len() })
        };
        let file = same(&mapping.path).or_else(|| same(Path::new("/proc/self/exe")));
        Ok(file.ok_or(io::ErrorKind::NotFound)?)
    }

    /// In bytes, when it was opened.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// `size` bytes from `offset` on.
    ///
    /// # Errors
    /// Those of pread(2); the file has become shorter.
    pub fn read(&self, offset: u64, size: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
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
        let file = CodeFile::of(own).unwrap();
        assert_eq!(file.read(0, 4).unwrap(), b"\x7fELF");
        assert!(file.read(file.size() - 3, 4).is_err());
        let other = Mapping { inode: own.inode + 1, path: "/nothing".into(), ..own.clone() };
        assert!(CodeFile::of(&other).is_err());
        let folder = Path::new("/proc/self").to_path_buf();
        let inode = fs::metadata(&folder).unwrap().ino();
        let no_file = Mapping { inode, path: folder, ..own.clone() };
        assert!(CodeFile::of(&no_file).is_err());
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
