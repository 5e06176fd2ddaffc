//! The environment, read only.

use std::ffi::OsString;

/// The value of a variable, where it is set.
pub fn var(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
