//! What stands for `taker.rs` where stacks were not built in.

use crate::stack::StallStack;

/// There is none.
pub(crate) enum Copied {}

/// Nothing is copied.
pub(crate) fn take(
    _thread: i32,
    _on_stack: usize,
    _monitor: i32,
    _signal: Option<i32>,
) -> Option<Copied> {
    None
}

/// Nothing is named: there is no copy.
pub(crate) fn serve(
    _next: impl FnMut() -> Option<Copied>,
    _answer: impl FnMut(Option<StallStack>),
) {
}
