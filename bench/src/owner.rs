//! Whose an instruction is: by the chain of functions that were inlined around it, as the program's
//! own debug information has them. The function with a symbol says little: a task's poll has the
//! whole server inlined into it, and the source file little more: it is core's for every `Option`.

use addr2line::Context;
use addr2line::gimli::{self, Dwarf, EndianSlice, LittleEndian};
use object::{Object, ObjectSection};
use std::path::Path;

/// Std, core and alloc, and what stands in for them.
pub(crate) const STD: &str = "std";
/// Code of other files than the program's: libc, the dynamic linker, the kernel's page.
pub(crate) const LIBC: &str = "libc";

/// An instruction's place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// The crate of the source file.
    pub(crate) file: String,
    /// The innermost crate around it that is not std; std, if there is no other.
    pub(crate) owner: String,
}

/// Whether whoever calls such code is to have it counted, where that is asked for.
pub(crate) fn is_of_callers(owner: &str) -> bool {
    [STD, LIBC].contains(&owner)
}

/// This program's debug information.
pub(crate) struct Sources<'a> {
    lines: Context<EndianSlice<'a, LittleEndian>>,
}

impl<'a> Sources<'a> {
    /// `program` is the bytes of its file.
    pub(crate) fn of(program: &'a [u8]) -> Result<Sources<'a>, String> {
        let elf = object::File::parse(program).map_err(|error| error.to_string())?;
        let section = |id: gimli::SectionId| -> Result<_, gimli::Error> {
            let section = elf.section_by_name(id.name());
            let data = section.and_then(|section| section.data().ok()).unwrap_or(&[]);
            Ok(EndianSlice::new(data, LittleEndian))
        };
        let lines = Dwarf::load(section).and_then(Context::from_dwarf);
        Ok(Sources { lines: lines.map_err(|error| format!("debug information: {error}"))? })
    }

    pub(crate) fn at(&self, address: u64) -> Place {
        of_files(&self.files(address).unwrap_or_default())
    }

    /// Source files of the functions around it, the innermost first.
    fn files(&self, address: u64) -> Option<Vec<String>> {
        let mut files = Vec::new();
        let mut frames = self.lines.find_frames(address).skip_all_loads().ok()?;
        while let Some(frame) = frames.next().ok()? {
            files.extend(frame.location.and_then(|at| at.file.map(str::to_string)));
        }
        Some(files)
    }
}

fn of_files(files: &[String]) -> Place {
    let mut crates = files.iter().map(|file| crate_of(file));
    let file = crates.clone().next().unwrap_or_else(|| STD.into());
    let owner = crates.find(|name| !is_of_callers(name)).unwrap_or_else(|| STD.into());
    Place { file, owner }
}

/// The package that a source file belongs to.
fn crate_of(file: &str) -> String {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Ok(inside) = Path::new(file).strip_prefix(bench) {
        // The allocator that counts stands in for std's.
        let is_std = inside == Path::new("src/allocations.rs");
        return if is_std { STD.into() } else { "shinkan-bench".into() };
    }
    let crates = bench.parent().map(|root| root.join("crates"));
    if let Some(inside) = crates.and_then(|crates| Path::new(file).strip_prefix(crates).ok()) {
        let name = inside.iter().next().unwrap_or_default().to_string_lossy();
        return if name == "shinkan" { name.into() } else { format!("shinkan-{name}") };
    }
    // A package from the registry stands in a folder of its name and version.
    let registry = file.split_once("/registry/src/").and_then(|(_, path)| path.split('/').nth(1));
    match registry {
        Some(folder) => folder.rsplit_once('-').map_or(folder, |(name, _)| name).into(),
        None => STD.into(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const CORE: &str = "/rustc/59807616e1/library/core/src/option.rs";
    const TOKIO: &str = "/home/a/.cargo/registry/src/index.io-1949/tokio-1.54.1/src/net/tcp.rs";
    const HTTP: &str = "/home/a/.cargo/registry/src/index.io-1949/http-body-util-0.1.5/src/full.rs";

    #[test]
    fn files_belong_to_crates() {
        let here = |path: &str| crate_of(&format!("{}/{path}", env!("CARGO_MANIFEST_DIR")));
        assert_eq!(here("src/rows/served.rs"), "shinkan-bench");
        assert_eq!(here("src/allocations.rs"), STD);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_str().unwrap();
        assert_eq!(crate_of(&format!("{root}/crates/rt/src/worker.rs")), "shinkan-rt");
        assert_eq!(crate_of(&format!("{root}/crates/shinkan/src/lib.rs")), "shinkan");
        assert_eq!(crate_of(TOKIO), "tokio");
        assert_eq!(crate_of(HTTP), "http-body-util");
        assert_eq!(crate_of(CORE), STD);
        assert_eq!(crate_of("/rust/deps/hashbrown-0.16.1/src/map.rs"), STD);
    }

    #[test]
    fn inlined_std_is_its_callers_and_a_task_has_not_its_server() {
        let place = |files: &[&str]| {
            let files: Vec<String> = files.iter().map(|file| file.to_string()).collect();
            let Place { file, owner } = of_files(&files);
            [file, owner]
        };
        assert_eq!(place(&[CORE, CORE, TOKIO, HTTP]), [STD, "tokio"]);
        assert_eq!(place(&[HTTP, TOKIO]), ["http-body-util", "http-body-util"]);
        assert_eq!(place(&[CORE]), [STD, STD]);
        assert_eq!(place(&[]), [STD, STD]);
    }

    #[test]
    fn this_test_finds_itself() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let sources = Sources::of(&program).unwrap();
        let elf = object::File::parse(&*program).unwrap();
        let symbol = object::Object::symbols(&elf)
            .find(|symbol| {
                object::ObjectSymbol::name(symbol)
                    .is_ok_and(|name| name.contains("owner_test_mark"))
            })
            .expect("it is not stripped");
        let place = sources.at(object::ObjectSymbol::address(&symbol));
        assert_eq!(place.owner, "shinkan-bench");
        assert_eq!(owner_test_mark(), 7);
    }

    #[inline(never)]
    fn owner_test_mark() -> u8 {
        std::hint::black_box(7)
    }
}
