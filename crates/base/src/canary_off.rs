//! Canaries in production: none sings.

/// Whether the planted bug `name` is switched on: never, outside the models' build.
#[inline(always)]
pub const fn canary(_name: &str) -> bool {
    false
}
