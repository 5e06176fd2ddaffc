//! What stands for `taker.rs` where stacks were not built in.

use crate::stack::StallStack;
use crate::tenure::Tenure;

/// There is none.
pub(crate) enum Copied {}

/// Nothing is copied.
pub(crate) fn take(_tenure: &Tenure, _signal: Option<i32>) -> Option<Copied> {
    None
}

/// Nothing is named: there is no copy.
pub(crate) fn serve(
    _next: impl FnMut() -> Option<Copied>,
    _answer: impl FnMut(Option<StallStack>),
) {
}
