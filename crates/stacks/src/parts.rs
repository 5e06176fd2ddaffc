//! The parts of an ELF file that are looked at, in memory.
//!
//! Read and not mapped: where the disk fails, or somebody overwrites the file in place, a read is an
//! error, and a map would be a SIGBUS.

use object::elf::FileHeader64;
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, ReadRef};
use shinkan_sys::maps::CodeFile;
use std::cell::Cell;
use std::ops::Range;

/// What is read for one stack, of all files together. What is beyond is left out.
pub(crate) const BYTES_MAX: u64 = 256 << 20;

/// To find frames and functions. With an index of symbols, an ELF file is only understood whole.
const FIRST: [&str; 9] = [
    ".eh_frame_hdr",
    ".eh_frame",
    ".debug_frame",
    ".text",
    ".symtab",
    ".strtab",
    ".symtab_shndx",
    ".dynsym",
    ".dynstr",
];

/// For lines and for what was inlined: all of them or none.
const LINES: [&str; 11] = [
    ".debug_abbrev",
    ".debug_addr",
    ".debug_aranges",
    ".debug_info",
    ".debug_line",
    ".debug_line_str",
    ".debug_ranges",
    ".debug_rnglists",
    ".debug_str",
    ".debug_str_offsets",
    ".debug_types",
];

/// Some pieces of a file, by where they lie in it.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    len: u64,
    parts: Vec<(u64, Vec<u8>)>,
}

impl Parts {
    /// A file that is in memory as a whole.
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self { len: bytes.len() as u64, parts: vec![(0, bytes)] }
    }

    /// Reads them, and takes their size off `room`. Nothing where a read fails, or it is no ELF file.
    pub(crate) fn of(file: &CodeFile, room: &Cell<u64>) -> Option<Self> {
        let mut parts = Self { len: file.size(), parts: Vec::new() };
        parts.add(file, 0..size_of::<FileHeader64<Endianness>>() as u64, room)?;
        for table in parts.tables()? {
            parts.add(file, table, room)?;
        }
        let names = parts.section_names()?;
        parts.add(file, names, room)?;
        let [first, lines] = parts.wanted()?;
        for range in first {
            parts.add(file, range, room)?;
        }
        if lines.iter().map(|range| range.end - range.start).sum::<u64>() <= room.get() {
            for range in lines {
                parts.add(file, range, room)?;
            }
        }
        Some(parts)
    }

    fn add(&mut self, file: &CodeFile, range: Range<u64>, room: &Cell<u64>) -> Option<()> {
        let size = range.end.checked_sub(range.start)?;
        if size > 0 {
            room.set(room.get().checked_sub(size).filter(|_| range.end <= self.len)?);
            let bytes = file.read(range.start, usize::try_from(size).ok()?).ok()?;
            self.parts.push((range.start, bytes));
        }
        Some(())
    }

    /// Where the tables of segments and of sections lie.
    fn tables(&self) -> Option<[Range<u64>; 2]> {
        let header = FileHeader64::<Endianness>::parse(self).ok()?;
        let endian = header.endian().ok()?;
        let table = |from: u64, count: u16, size: u16| {
            Some(from..from.checked_add(u64::from(count) * u64::from(size))?)
        };
        let (segments, each) = (header.e_phnum(endian), header.e_phentsize(endian));
        let (sections, of_each) = (header.e_shnum(endian), header.e_shentsize(endian));
        Some([
            table(header.e_phoff(endian), segments, each)?,
            table(header.e_shoff(endian), sections, of_each)?,
        ])
    }

    /// Where the names of the sections lie.
    fn section_names(&self) -> Option<Range<u64>> {
        let header = FileHeader64::<Endianness>::parse(self).ok()?;
        let endian = header.endian().ok()?;
        let sections = header.section_headers(endian, self).ok()?;
        match sections.get(usize::from(header.e_shstrndx(endian))) {
            Some(names) => in_file(names, endian),
            None => Some(0..0),
        }
    }

    /// Where the sections lie that are looked at.
    fn wanted(&self) -> Option<[Vec<Range<u64>>; 2]> {
        let header = FileHeader64::<Endianness>::parse(self).ok()?;
        let endian = header.endian().ok()?;
        let sections = header.sections(endian, self).ok()?;
        let mut wanted = [Vec::new(), Vec::new()];
        for section in sections.iter() {
            let name = sections.section_name(endian, section).ok()?;
            let is = |names: &[&str]| names.iter().any(|wanted| wanted.as_bytes() == name);
            let Some(which) = [is(&FIRST), is(&LINES)].iter().position(|is| *is) else { continue };
            // Compressed ones are not understood.
            if section.sh_flags(endian) & u64::from(object::elf::SHF_COMPRESSED) == 0 {
                wanted[which].extend(in_file(section, endian));
            }
        }
        Some(wanted)
    }

    /// What lies there, if it was read.
    pub(crate) fn at(&self, offset: u64, size: u64) -> Option<&[u8]> {
        let size = usize::try_from(size).ok()?;
        self.from(offset).find_map(|bytes| bytes.get(..size))
    }

    /// From there to the end of each part that it lies in.
    fn from(&self, offset: u64) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().filter_map(move |(start, bytes)| {
            bytes.get(usize::try_from(offset.checked_sub(*start)?).ok()?..)
        })
    }
}

/// Where a section lies in the file; nothing where it has no bytes there.
fn in_file(
    section: &object::elf::SectionHeader64<Endianness>,
    endian: Endianness,
) -> Option<Range<u64>> {
    let (start, size) = section.file_range(endian)?;
    Some(start..start.checked_add(size)?)
}

impl<'a> ReadRef<'a> for &'a Parts {
    fn len(self) -> Result<u64, ()> {
        Ok(self.len)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        if size == 0 {
            return Ok(&[]);
        }
        self.at(offset, size).ok_or(())
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let most = usize::try_from(range.end.checked_sub(range.start).ok_or(())?).map_err(drop)?;
        let bytes = self.from(range.start).next().ok_or(())?;
        let bytes = &bytes[..most.min(bytes.len())];
        let end = bytes.iter().position(|byte| *byte == delimiter).ok_or(())?;
        Ok(&bytes[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::read::elf::ElfFile64;
    use object::{Object, ObjectSection};
    use shinkan_sys::maps;

    fn own() -> CodeFile {
        let here = (own as fn() -> CodeFile) as usize as u64;
        let maps = maps::of_files().unwrap();
        let map = maps.iter().find(|map| (map.start..map.end).contains(&here)).unwrap();
        CodeFile::of(map).unwrap()
    }

    #[test]
    fn what_is_wanted_is_read_and_counted() {
        let room = Cell::new(BYTES_MAX);
        let parts = Parts::of(&own(), &room).unwrap();
        let read: usize = parts.parts.iter().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!(BYTES_MAX - room.get(), read as u64);
        let elf: ElfFile64<'_, Endianness, &Parts> = ElfFile64::parse(&parts).unwrap();
        assert!(elf.symbols().next().is_some());
        assert!(elf.section_by_name(".text").unwrap().data().is_ok());
        assert!(elf.section_by_name(".rodata").unwrap().data().is_err(), "nobody asks for it");
    }

    #[test]
    fn without_room_there_is_nothing() {
        assert!(Parts::of(&own(), &Cell::new(100)).is_none());
    }

    #[test]
    fn what_was_not_read_is_an_error() {
        let parts = Parts { len: 100, parts: vec![(10, b"ab\0cd".to_vec())] };
        assert_eq!((&parts).read_bytes_at(11, 2), Ok(&b"b\0"[..]));
        assert_eq!((&parts).read_bytes_at(9, 2), Err(()));
        assert_eq!((&parts).read_bytes_at(13, 3), Err(()));
        assert_eq!((&parts).read_bytes_at_until(11..99, 0), Ok(&b"b"[..]));
        assert_eq!((&parts).read_bytes_at_until(13..99, 0), Err(()));
    }
}
