//! Canaries in the models' build: the environment variable `SHINKAN_CANARY` switches one bug on,
//! which a model must then find.

use std::sync::OnceLock;

static SELECTED: OnceLock<Option<String>> = OnceLock::new();

/// Whether the planted bug `name` is switched on by `SHINKAN_CANARY`.
pub fn canary(name: &str) -> bool {
    SELECTED.get_or_init(|| std::env::var("SHINKAN_CANARY").ok()).as_deref() == Some(name)
}
