//! The twin of `writes.rs` in a build whose atomics are not counted.

pub(crate) fn report() -> String {
    "this build does not count writes; `cargo xtask writes` makes the one that does".into()
}
