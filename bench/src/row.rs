//! What is known of a row before it runs, the same on both sides.

/// A row's name and plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Info {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Operations in a round of normal length, a tenth of a second or less on Tokio.
    pub(crate) ops: u64,
    /// Its instructions are kept in the repository: they are the same on each run with one worker.
    pub(crate) counted: bool,
}

impl Info {
    pub(crate) const fn new(name: &'static str, about: &'static str, ops: u64) -> Info {
        Info { name, about, ops, counted: false }
    }
}

/// How long a round is and how many workers it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Operations before the measured ones.
    pub(crate) warm: u64,
    pub(crate) ops: u64,
    pub(crate) workers: usize,
}
