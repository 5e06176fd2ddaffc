//! What stands for `said.rs` in the builds without the monitor.

use core::panic::Location;

#[derive(Debug)]
pub(crate) struct SaidCell;

impl SaidCell {
    pub(crate) fn new() -> Self {
        Self
    }

    #[inline]
    pub(crate) fn set(&self, _task: u64, _place: Option<&'static Location<'static>>) {}

    #[inline]
    pub(crate) fn clear(&self) {}

    pub(crate) fn read(&self) -> (u64, Option<&'static Location<'static>>) {
        (0, None)
    }
}
