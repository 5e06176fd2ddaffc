//! Mistakes that do not compile, and what the compiler says to them. Those of `spawn` are in `guide_compile_time.rs`.
#![cfg(all(feature = "macros", feature = "rt-multi-thread"))]

/// The texts are those of one compiler; another may word them differently, so this is run with
/// the one that the project is checked with.
#[test]
fn mistakes_are_told() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/attribute_*.rs");
    cases.compile_fail("tests/ui/main_*.rs");
    cases.compile_fail("tests/ui/select_*.rs");
}
