//! The code that is loaded: program, libraries, and what the kernel maps. Only what a stack names
//! is opened.

use crate::parts::{BYTES_MAX, Parts};
use framehop::{ExplicitModuleSectionInfo, Module};
use object::elf::PT_LOAD;
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectSection};
use shinkan_sys::maps::{self, CodeFile, Mapping};
use shinkan_sys::memory;
use std::cell::{Cell, OnceCell};
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// A section of an ELF file, which keeps its parts.
#[derive(Default)]
pub(crate) struct Section {
    parts: Arc<Parts>,
    offset: u64,
    size: u64,
}

impl Deref for Section {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.parts.at(self.offset, self.size).unwrap_or(&[])
    }
}

/// A file of which some parts are there.
pub(crate) type Elf<'a> = ElfFile64<'a, Endianness, &'a Parts>;

/// One file of code, where it is loaded.
pub(crate) struct Image {
    pub(crate) mapping: Mapping,
    loaded: OnceCell<Option<Loaded>>,
    /// What may still be read of all files.
    room: Rc<Cell<u64>>,
}

struct Loaded {
    parts: Arc<Parts>,
    /// What an address is more than in the file.
    bias: u64,
}

/// All code of the process when this was made.
#[derive(Default)]
pub(crate) struct Images(pub(crate) Vec<Image>);

impl Images {
    /// Asks the kernel what is loaded.
    pub(crate) fn now() -> io::Result<Self> {
        let code = code()?;
        let room = Rc::new(Cell::new(BYTES_MAX));
        let image = |mapping| Image { mapping, loaded: OnceCell::new(), room: room.clone() };
        Ok(Self(code.map(image).collect()))
    }

    /// Whether the same is loaded still.
    pub(crate) fn are_current(&self) -> bool {
        let same = |code: Vec<Mapping>| {
            code.len() == self.0.len()
                && code.iter().zip(&self.0).all(|(now, image)| *now == image.mapping)
        };
        code().is_ok_and(|code| same(code.collect()))
    }

    /// How many bytes of files are in memory.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.first().map_or(0, |image| BYTES_MAX - image.room.get())
    }

    /// Where that address lies.
    pub(crate) fn of(&self, address: u64) -> Option<(usize, &Image)> {
        self.0.iter().enumerate().find(|(_, image)| image.range().contains(&address))
    }
}

fn code() -> io::Result<impl Iterator<Item = Mapping>> {
    Ok(maps::of_files()?.into_iter().filter(|mapping| mapping.is_code))
}

impl Image {
    pub(crate) fn range(&self) -> Range<u64> {
        self.mapping.start..self.mapping.end
    }

    /// The last part of its path.
    pub(crate) fn file_name(&self) -> Option<String> {
        Some(self.mapping.path.file_name()?.to_string_lossy().into_owned())
    }

    fn loaded(&self) -> Option<&Loaded> {
        self.loaded.get_or_init(|| self.load()).as_ref()
    }

    fn load(&self) -> Option<Loaded> {
        let mapping = &self.mapping;
        let parts = if mapping.path == Path::new(maps::OF_THE_KERNEL) {
            let mut copy = vec![0; usize::try_from(mapping.end - mapping.start).ok()?];
            (memory::read(mapping.start as usize, &mut copy) == copy.len()).then_some(())?;
            Parts::whole(copy)
        } else {
            Parts::of(&CodeFile::of(mapping).ok()?, &self.room)?
        };
        let bias = bias(&ElfFile64::parse(&parts).ok()?, mapping)?;
        Some(Loaded { parts: Arc::new(parts), bias })
    }

    /// For the unwinder.
    pub(crate) fn module(&self) -> Option<Module<Section>> {
        let Loaded { parts, bias } = self.loaded()?;
        let elf: Elf<'_> = ElfFile64::parse(&**parts).ok()?;
        let section = |name: &str| {
            let section = elf.section_by_name(name)?;
            let (offset, size) = section.file_range()?;
            parts.at(offset, size)?;
            let address = section.address();
            let end = address.checked_add(size)?;
            Some((address..end, Section { parts: parts.clone(), offset, size }))
        };
        let (text, eh_frame, header) =
            (section(".text"), section(".eh_frame"), section(".eh_frame_hdr"));
        let debug_frame = section(".debug_frame").map(|(_, data)| data);
        let split = |pair: Option<(Range<u64>, Section)>| pair.unzip();
        let (text_svma, text) = split(text);
        let (eh_frame_svma, eh_frame) = split(eh_frame);
        let (eh_frame_hdr_svma, eh_frame_hdr) = split(header);
        let info = ExplicitModuleSectionInfo {
            text_svma,
            text,
            eh_frame_svma,
            eh_frame,
            eh_frame_hdr_svma,
            eh_frame_hdr,
            debug_frame,
            ..Default::default()
        };
        Some(Module::new(self.file_name()?, self.range(), *bias, info))
    }

    /// Its parts, and what an address is more than in them.
    pub(crate) fn parts(&self) -> Option<(&Parts, u64)> {
        self.loaded().map(|loaded| (&*loaded.parts, loaded.bias))
    }
}

/// What an address is more than in the file: from the segment that the mapping is a part of.
fn bias(elf: &Elf<'_>, mapping: &Mapping) -> Option<u64> {
    let endian: Endianness = elf.endian();
    // A mapping starts at a page, a segment need not.
    const PAGE: u64 = 4095;
    let pages = mapping.end - mapping.start;
    let segment = elf.elf_program_headers().iter().find(|header| {
        let (from, size) = (header.p_offset(endian), header.p_filesz(endian));
        let first = from & !PAGE;
        header.p_type(endian) == PT_LOAD
            && first <= mapping.offset + pages
            && (first..from + size).contains(&mapping.offset)
            && header.p_flags(endian) & object::elf::PF_X != 0
    })?;
    let (from, address) = (segment.p_offset(endian), segment.p_vaddr(endian));
    Some(mapping.start.wrapping_sub(mapping.offset.wrapping_sub(from).wrapping_add(address)))
}
