//! Names and lines for addresses of one file: from its debug information, else from its symbols.

use crate::Frame;
use crate::image::{Elf, Image, Images};
use crate::parts::Parts;
use addr2line::Context;
use addr2line::gimli::{self, Dwarf, EndianSlice, LittleEndian};
use object::read::elf::{ElfFile64, ElfSection64};
use object::{CompressionFormat, Endianness, Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::cell::OnceCell;

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// What is known of all images, each read when it is first asked for.
pub(crate) struct Book<'a> {
    pub(crate) images: &'a Images,
    names: Vec<OnceCell<Option<Names<'a>>>>,
}

impl<'a> Book<'a> {
    pub(crate) fn of(images: &'a Images) -> Self {
        Self { images, names: images.0.iter().map(|_| OnceCell::new()).collect() }
    }

    /// What is known of the file at an address, and the address in it.
    fn names(&self, address: u64) -> Option<(&Image, &Names<'a>, u64)> {
        let (index, image) = self.images.of(address)?;
        let (parts, bias) = image.parts()?;
        let names = self.names[index].get_or_init(|| Names::of(parts)).as_ref()?;
        Some((image, names, address.wrapping_sub(bias)))
    }

    /// The address where the function around `address` starts.
    pub(crate) fn function_start(&self, address: u64) -> Option<u64> {
        let (_, names, at) = self.names(address)?;
        Some(names.symbol(at)?.start.wrapping_add(address.wrapping_sub(at)))
    }

    /// Adds the functions that stand at an address, the innermost first: several where some were
    /// inlined.
    pub(crate) fn describe(&self, address: u64, frames: &mut Vec<Frame>) {
        match self.names(address) {
            Some((image, names, at)) => names.describe(at, image, frames),
            None => {
                let object = self.images.of(address).and_then(|(_, image)| image.file_name());
                frames.push(Frame { object, ..Frame::default() });
            }
        }
    }
}

/// So many lines are looked at for one that an instruction without a line is near to.
const ROWS: usize = 256;

struct Names<'a> {
    /// By address.
    symbols: Vec<Symbol<'a>>,
    lines: Option<Context<Slice<'a>>>,
}

struct Symbol<'a> {
    start: u64,
    size: u64,
    mangled: &'a str,
}

impl<'a> Names<'a> {
    fn of(parts: &'a Parts) -> Option<Self> {
        let elf: Elf<'a> = ElfFile64::parse(parts).ok()?;
        let all = elf.symbols().chain(elf.dynamic_symbols());
        let mut symbols: Vec<_> = all.filter_map(|symbol| function(&symbol)).collect();
        symbols.sort_by_key(|symbol| symbol.start);
        // Compressed sections would need a decompressor: such a file has names and no lines.
        let section = |id: gimli::SectionId| -> Result<Slice<'a>, gimli::Error> {
            let whole = |section: &ElfSection64<'a, '_, Endianness, &'a Parts>| {
                let range = section.compressed_file_range();
                range.is_ok_and(|range| range.format == CompressionFormat::None)
            };
            let section = elf.section_by_name(id.name()).filter(whole);
            let data = section.and_then(|section| section.data().ok()).unwrap_or(&[]);
            Ok(Slice::new(data, LittleEndian))
        };
        let lines = Dwarf::load(section).and_then(Context::from_dwarf).ok();
        Some(Self { symbols, lines })
    }

    fn describe(&self, address: u64, image: &Image, frames: &mut Vec<Frame>) {
        let before = frames.len();
        let _ = self.inlined(address, frames);
        let symbol = self.symbol(address);
        if let (Some(first), Some(symbol)) = (frames.get_mut(before), symbol)
            && first.line.is_none()
            && let Some((file, line)) = self.line_near(address, symbol)
        {
            (first.file, first.line) = (Some(file), Some(line));
        }
        if frames.len() == before {
            let function = symbol.map(|symbol| readable(symbol.mangled));
            let object = image.file_name();
            frames.push(Frame { function, object, ..Frame::default() });
        } else if let (Some(last), Some(symbol)) = (frames.last_mut(), symbol) {
            // With its path, which debug information may leave out.
            last.function = Some(readable(symbol.mangled));
        }
    }

    fn inlined(&self, address: u64, frames: &mut Vec<Frame>) -> Option<()> {
        let mut found = self.lines.as_ref()?.find_frames(address).skip_all_loads().ok()?;
        while let Some(frame) = found.next().ok()? {
            let function = frame.function.and_then(|name| Some(readable(&name.raw_name().ok()?)));
            let (file, line) = match &frame.location {
                Some(location) => (location.file.map(str::to_owned), location.line),
                None => (None, None),
            };
            frames.push(Frame { function, file, line, object: None });
        }
        Some(())
    }

    /// The last line of its function before an address, else the first after it: instructions that
    /// the compiler added, a sanitizer's checks among them, belong to no line.
    fn line_near(&self, address: u64, symbol: &Symbol<'_>) -> Option<(String, u32)> {
        let lines = self.lines.as_ref()?;
        let here = innermost(lines, address)?;
        let end = symbol.start.saturating_add(symbol.size.max(1));
        let rows = lines.find_location_range(symbol.start, end).ok()?;
        let known = rows.filter_map(|(at, _, location)| Some((at, location.file?, location.line?)));
        let (mut before, after): (Vec<_>, Vec<_>) = known.partition(|(at, ..)| *at <= address);
        before.reverse();
        let of_the_same = |(at, ..): &(u64, &str, u32)| innermost(lines, *at) == Some(here);
        let (_, file, line) = before.into_iter().chain(after).take(ROWS).find(of_the_same)?;
        Some((file.to_owned(), line))
    }

    fn symbol(&self, address: u64) -> Option<&Symbol<'a>> {
        let behind = self.symbols.partition_point(|symbol| symbol.start <= address);
        let symbol = self.symbols[..behind].last()?;
        (symbol.size == 0 || address - symbol.start < symbol.size).then_some(symbol)
    }
}

/// Where the debug information has the function, inlined or not, that an address belongs to.
fn innermost(lines: &Context<Slice<'_>>, address: u64) -> Option<gimli::UnitOffset> {
    let mut found = lines.find_frames(address).skip_all_loads().ok()?;
    found.next().ok()??.dw_die_offset
}

fn function<'a>(symbol: &impl ObjectSymbol<'a>) -> Option<Symbol<'a>> {
    let is_code = symbol.kind() == SymbolKind::Text && symbol.is_definition();
    let mangled = symbol.name().ok().filter(|name| is_code && !name.is_empty())?;
    Some(Symbol { start: symbol.address(), size: symbol.size(), mangled })
}

/// Without the mangling and its hash.
fn readable(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}
