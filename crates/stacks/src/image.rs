//! The code that is loaded: program, libraries, and what the kernel maps. Only what a stack names
//! is opened.

use framehop::{ExplicitModuleSectionInfo, Module};
use object::elf::PT_LOAD;
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectSection};
use shinkan_sys::maps::{self, MappedFile, Mapping};
use shinkan_sys::memory;
use std::cell::OnceCell;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

/// The bytes of an ELF file.
#[derive(Debug)]
pub(crate) enum Bytes {
    File(MappedFile),
    /// What the kernel maps is in no file.
    Copy(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::File(file) => file,
            Bytes::Copy(bytes) => bytes,
        }
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Bytes::Copy(Vec::new())
    }
}

/// A part of it, which keeps it.
#[derive(Default)]
pub(crate) struct Section {
    bytes: Arc<Bytes>,
    range: Range<usize>,
}

impl Deref for Section {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.range.clone()]
    }
}

/// One file of code, where it is loaded.
pub(crate) struct Image {
    pub(crate) mapping: Mapping,
    bytes: OnceCell<Option<Loaded>>,
}

struct Loaded {
    bytes: Arc<Bytes>,
    /// What an address is more than in the file.
    bias: u64,
}

/// All code of the process when this was made.
pub(crate) struct Images(pub(crate) Vec<Image>);

impl Images {
    /// Asks the kernel what is loaded.
    pub(crate) fn now() -> io::Result<Self> {
        let code = maps::of_files()?.into_iter().filter(|mapping| mapping.is_code);
        let image = |mapping| Image { mapping, bytes: OnceCell::new() };
        Ok(Self(code.map(image).collect()))
    }

    /// Where that address lies.
    pub(crate) fn of(&self, address: u64) -> Option<(usize, &Image)> {
        self.0.iter().enumerate().find(|(_, image)| image.range().contains(&address))
    }
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
        self.bytes.get_or_init(|| self.load()).as_ref()
    }

    fn load(&self) -> Option<Loaded> {
        let mapping = &self.mapping;
        let bytes = if mapping.path == Path::new(maps::OF_THE_KERNEL) {
            let mut copy = vec![0; usize::try_from(mapping.end - mapping.start).ok()?];
            (memory::read(mapping.start as usize, &mut copy) == copy.len()).then_some(())?;
            Bytes::Copy(copy)
        } else {
            Bytes::File(MappedFile::of(mapping).ok()?)
        };
        let bias = bias(&ElfFile64::parse(&*bytes).ok()?, mapping)?;
        Some(Loaded { bytes: Arc::new(bytes), bias })
    }

    /// For the unwinder.
    pub(crate) fn module(&self) -> Option<Module<Section>> {
        let Loaded { bytes, bias, .. } = self.loaded()?;
        let elf: ElfFile64<'_> = ElfFile64::parse(&***bytes).ok()?;
        let section = |name: &str| {
            let section = elf.section_by_name(name)?;
            let (start, len) = section.file_range()?;
            let start = usize::try_from(start).ok()?;
            let range = start..start.checked_add(usize::try_from(len).ok()?)?;
            (range.end <= bytes.len()).then_some(())?;
            let address = section.address();
            Some((address..address + len, Section { bytes: bytes.clone(), range }))
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

    /// Its bytes, and what an address is more than in them.
    pub(crate) fn bytes(&self) -> Option<(&Bytes, u64)> {
        self.loaded().map(|loaded| (&*loaded.bytes, loaded.bias))
    }
}

/// What an address is more than in the file: from the segment that the mapping is a part of.
fn bias(elf: &ElfFile64<'_>, mapping: &Mapping) -> Option<u64> {
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
