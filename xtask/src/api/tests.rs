//! Small crates, documented by the toolchain's own rustdoc: what is planted in one must be found.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::differences::{Argued, Difference, all};
use super::docs::Docs;
use super::surface::{Surface, read};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let thread = format!("{:?}", std::thread::current().id());
        let name = format!("xtask-api-{}-{thread}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Documents a crate, which may name the ones before it.
    fn document(&self, name: &str, text: &str, with: &[&str]) {
        let source = self.0.join(format!("{name}.rs"));
        fs::write(&source, text).unwrap();
        let mut rustdoc = self.command("rustdoc", name, with);
        rustdoc.args(super::FLAGS.split(' ')).arg("-o").arg(&self.0).arg(&source);
        crate::output(&mut rustdoc).unwrap();
    }

    /// Compiles it as far as others need to name it.
    fn compile(&self, name: &str) {
        let mut rustc = self.command("rustc", name, &[]);
        let source = self.0.join(format!("{name}.rs"));
        rustc.args(["--crate-type=lib", "--emit=metadata", "--out-dir"]).arg(&self.0).arg(&source);
        crate::output(&mut rustc).unwrap();
    }

    fn command(&self, program: &str, name: &str, with: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(["--edition=2024", "--cap-lints=allow", "--crate-name", name]);
        command.env("RUSTC_BOOTSTRAP", "1").arg("-L").arg(&self.0);
        for other in with {
            command.arg("--extern").arg(format!("{other}={}/lib{other}.rmeta", self.0.display()));
        }
        command
    }

    fn surface(&self, name: &str, with: &[&str], other: Option<&Surface>) -> Surface {
        let names: Vec<&str> = std::iter::once(name).chain(with.iter().copied()).collect();
        let docs = Docs::load(&self.0, &names).unwrap();
        read(&docs, name, other.map(|other| &other.paths)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the folder for temporary files does no harm.
        drop(fs::remove_dir_all(&self.0));
    }
}

fn differences(theirs: &str, ours: &str) -> Vec<Difference> {
    let folder = Folder::new();
    folder.document("theirs", theirs, &[]);
    folder.document("ours", ours, &[]);
    let theirs = folder.surface("theirs", &[], None);
    let ours = folder.surface("ours", &[], Some(&theirs));
    all(&theirs, &ours)
}

fn labels(theirs: &str, ours: &str) -> Vec<String> {
    differences(theirs, ours).iter().map(Difference::label).collect()
}

const LOCK: &str = "
    use std::sync::Arc;
    pub struct Lock<T: ?Sized> { ring: Arc<u8>, value: T }
    pub struct Guard<'a, T: ?Sized>(&'a Lock<T>);
    impl<T: ?Sized> Lock<T> {
        pub const fn new(value: T) -> Self where T: Sized { loop {} }
        pub async fn lock(&self) -> Guard<'_, T> { loop {} }
        #[track_caller]
        pub fn wait<F, R>(&self, f: F) -> std::io::Result<R>
        where F: FnOnce(&T) -> R + Send + 'static { loop {} }
        pub fn join(self: Arc<Self>, other: impl Into<String>) -> &'static str { loop {} }
        pub fn pick<'a>(&self, name: &'a str) -> &'a str { loop {} }
        fn inner(&self) {}
        #[doc(hidden)]
        pub fn secret(&self) {}
    }
    impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for Lock<T> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) }
    }
    impl<T: ?Sized> Drop for Lock<T> { fn drop(&mut self) {} }
    pub mod deep { pub fn call(bytes: &mut [u8; 4], more: Option<&str>) {} }
";

#[test]
fn the_same_in_other_words() {
    // Other names of parameters, bounds elsewhere, a future for an `async fn`, lifetimes written
    // out, an alias opened, more than was there, and all of it behind re-exports.
    let ours = "
        use std::{fmt, future::Future, io, sync::Arc};
        mod private {
            use super::*;
            pub struct Lock<V> where V: ?Sized { count: Arc<u8>, value: V }
            pub struct Guard<'lock, V: ?Sized> { lock: &'lock Lock<V> }
            impl<V> Lock<V> { pub const fn new(value: V) -> Lock<V> { loop {} } }
            impl<V: ?Sized> Lock<V> {
                #[track_caller]
                pub fn lock<'me>(&'me self) -> impl Future<Output = Guard<'me, V>> + use<'me, V> {
                    async { loop {} }
                }
                #[track_caller]
                pub fn wait<G: Send, O>(&self, f: G) -> Result<O, io::Error>
                where G: FnOnce(&V) -> O, G: 'static { loop {} }
                pub fn join(self: Arc<Self>, other: impl Into<String>) -> &'static str { loop {} }
                pub fn pick<'name>(&self, name: &'name str) -> &'name str { loop {} }
                pub fn more(&self) {}
            }
            impl<V> fmt::Debug for Lock<V> where V: fmt::Debug + ?Sized {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { Ok(()) }
            }
            impl Default for Lock<u8> { fn default() -> Self { loop {} } }
            pub fn call(b: &mut [u8; 4], m: Option<&str>) {}
        }
        pub use private::{Guard, Lock};
        pub mod deep { pub use super::private::call; }
    ";
    assert_eq!(differences(LOCK, ours), []);
    assert_eq!(differences(LOCK, LOCK), []);
}

/// A mutation: what is replaced, by what, and what must be said of it.
type Planted<'a> = (&'a str, &'a str, &'a [&'a str]);

/// Each mutation in a module of its own, so that one run of rustdoc shows all.
fn check(text: &str, planted: &[Planted<'_>]) {
    let (mut theirs, mut ours, mut wanted) = (String::new(), String::new(), Vec::new());
    for (at, (from, to, labels)) in planted.iter().enumerate() {
        assert!(text.contains(from), "{from}");
        theirs.push_str(&format!("pub mod m{at:02} {{ {text} }}\n"));
        ours.push_str(&format!("pub mod m{at:02} {{ {} }}\n", text.replace(from, to)));
        wanted.extend(labels.iter().map(|label| format!("crate::m{at:02}::{label}")));
    }
    let found = labels(&theirs, &ours);
    let lost: Vec<_> = wanted.iter().filter(|label| !found.contains(label)).collect();
    let more: Vec<_> = found.iter().filter(|label| !wanted.contains(label)).collect();
    assert!(lost.is_empty() && more.is_empty(), "not found: {lost:#?}\nfound too: {more:#?}");
}

#[test]
fn planted_bugs_are_found() {
    let phantom = "(&'a Lock<T>, std::marker::PhantomData<*const u8>)";
    let pinned = "ring: std::marker::PhantomPinned";
    check(
        LOCK,
        &[
            // Signatures.
            ("self: Arc<Self>", "self: Box<Self>", &["Lock::join — fn"]),
            ("-> &'static str", "-> &'static [u8]", &["Lock::join — fn"]),
            ("more: Option<&str>", "more: Option<&mut str>", &["deep::call — fn"]),
            ("[u8; 4]", "[u8; 8]", &["deep::call — fn"]),
            ("-> Guard<'_, T>", "-> Guard<'_, u8>", &["Lock::lock — fn"]),
            ("-> &'a str", "-> &str", &["Lock::pick — fn"]),
            ("pub async fn lock", "pub fn lock", &["Lock::lock — fn"]),
            ("impl Into<String>", "impl Into<Vec<u8>>", &["Lock::join — fn"]),
            // Bounds, and the order in which parameters are named.
            ("R + Send + 'static", "R + Send + Sync + 'static", &["Lock::wait — fn"]),
            ("wait<F, R>", "wait<R, F>", &["Lock::wait — fn"]),
            ("Debug> std", "Debug + Clone> std", &["Lock — impl Debug"]),
            ("(&'a Lock<T>);", "(&'a Lock<T>) where T: 'static;", &["Guard — struct"]),
            // Auto traits.
            (
                "ring: Arc<u8>",
                "ring: std::rc::Rc<u8>",
                &["Guard — auto Send", "Guard — auto Sync", "Lock — auto Send", "Lock — auto Sync"],
            ),
            ("(&'a Lock<T>)", phantom, &["Guard — auto Send", "Guard — auto Sync"]),
            ("ring: Arc<u8>", pinned, &["Lock — auto Unpin"]),
            // What is new, and warns.
            ("pub fn join", "#[deprecated] pub fn join", &["Lock::join — deprecated"]),
            ("pub fn join", "#[must_use] pub fn join", &["Lock::join — must_use"]),
            // What is missing.
            ("pub fn join", "fn join", &["Lock::join — fn"]),
            ("pub mod deep", "mod deep", &["deep — mod"]),
            ("pub fn call", "fn call", &["deep::call — fn"]),
            ("pub const fn new", "pub fn new", &["Lock::new — const fn"]),
            ("#[track_caller]", "", &["Lock::wait — track_caller"]),
            ("std::fmt::Debug for", "std::fmt::Display for", &["Lock — impl Debug"]),
            ("pub struct Guard", "struct Guard", &["Guard — struct", "Lock::lock — fn"]),
        ],
    );
}

#[test]
fn enums_and_traits() {
    let theirs = "
        #[derive(Clone)]
        pub enum Why { Full(u8), Closed }
        pub trait Read: Send {
            type Item: Clone;
            fn read(&mut self) -> Self::Item;
            fn more(&self) -> usize { 0 }
        }
    ";
    check(
        theirs,
        &[
            ("Closed", "Closed", &[]),
            ("Closed", "Closed, New", &["Why::New — variant"]),
            ("Full(u8)", "Full(u16)", &["Why::Full::0 — field"]),
            ("pub enum", "#[non_exhaustive] pub enum", &["Why — non_exhaustive"]),
            ("#[derive(Clone)]", "", &["Why — impl Clone"]),
            (": Send", ": Send + Sync", &["Read — trait"]),
            ("usize { 0 }", "usize;", &["Read::more — trait-item"]),
            ("type Item: Clone;", "type Item;", &["Read::Item — trait-item"]),
            ("type Item", "fn n(&self); type Item", &["Read::n — trait-item"]),
            ("type Item", "fn n(&self) {} type Item", &[]),
        ],
    );
}

#[test]
fn items_of_other_crates() {
    let theirs = "
        pub mod sync { pub struct Permit; impl Permit { pub fn me(self) -> Permit { self } } }
        pub use sync::Permit;
        pub use std::io::Error;
    ";
    let folder = Folder::new();
    folder.document("theirs", theirs, &[]);
    folder.document(
        "inner",
        "mod a { pub struct Permit; impl Permit { pub fn me(self) -> Self { self } } }
         pub use a::Permit;",
        &[],
    );
    folder.compile("inner");
    folder.document(
        "outer",
        "pub use inner as sync; pub use inner::*; pub use std::io::Error;",
        &["inner"],
    );
    let theirs = folder.surface("theirs", &[], None);
    let ours = folder.surface("outer", &["inner"], Some(&theirs));
    assert_eq!(all(&theirs, &ours), []);
    assert!(theirs.names.contains("crate::Permit::me fn(1)"), "{:?}", theirs.names);
    assert_eq!(theirs.names, ours.names);
    // The inner crate is not loaded: then its items are not known.
    let ours = folder.surface("outer", &[], Some(&theirs));
    assert_ne!(all(&theirs, &ours), []);
}

#[test]
fn hidden_modules_with_public_items() {
    let theirs = "#[doc(hidden)] pub mod inside { pub struct Socket; } pub use inside::Socket;";
    let labels = labels(theirs, "pub struct Socket(std::rc::Rc<u8>);");
    assert!(labels.contains(&"crate::Socket — auto Send".to_string()), "{labels:?}");
    assert!(!labels.iter().any(|label| label.contains("inside")), "{labels:?}");
}

#[test]
fn the_list_of_what_was_argued() {
    let text = "# why\n\ncrate::a::B — auto Send — holds a raw pointer\n";
    let argued = Argued::parse(text).unwrap();
    let difference = Difference {
        key: ("crate::a::B".into(), "auto Send".into()),
        theirs: Vec::new(),
        ours: Vec::new(),
    };
    assert!(argued.has(&difference));
    let found = [difference.label()].into_iter().collect();
    assert_eq!(argued.idle(&found), [""; 0]);
    assert_eq!(
        argued.idle(&std::collections::BTreeSet::new()),
        ["line 3: `crate::a::B — auto Send` is no difference any more"]
    );
    assert!(Argued::parse("crate::a::B — auto Send").is_err());
    assert!(Argued::parse("crate::a::B — auto Send — x").is_err());
    assert!(Argued::parse(&format!("{text}{text}")).is_err());
}

#[test]
fn the_list_in_the_tree_is_well_formed() {
    let list = fs::read_to_string(crate::root().join(super::LIST)).unwrap();
    Argued::parse(&list).unwrap();
}
