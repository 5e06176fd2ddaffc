//! What the runtime tells `tracing`: the spans and events that `console-subscriber` reads, with
//! Tokio's names and fields, so that the stock `tokio-console` shows a program on shinkan.
//!
//! Two faces with the same names, of which the feature `tracing` chooses one. Without it, each type
//! here has no size and each function no body, and `tracing` is not compiled: `task`, `sync`, `rt`
//! and `shinkan` call them as they stand. With it, who asks first is `tracing`'s own maximal level,
//! one relaxed load: while no subscriber wants level TRACE, that load and a branch are all there is.
//!
//! | what | span or event | target |
//! |---|---|---|
//! | a task, entered by each poll and by its drop | `runtime.spawn` | `tokio::task`, `tokio::task::blocking` |
//! | a waker of a task: cloned, dropped, woken | event | `tokio::task::waker` |
//! | a lock, channel or timer | `runtime.resource` | `tokio::sync::…`, `tokio::time::…` |
//! | its attributes | event | `runtime::resource::state_update` |
//! | one wait for it, entered by each of its polls | `runtime.resource.async_op` and `….poll` | as the resource |
//! | how such a poll ended | event | `runtime::resource::poll_op` |
//! | a stuck poll | WARN event | `shinkan::stall` |
//!
//! A subscriber is user code: nothing here is called under a lock, and what a subscriber does with
//! locks and channels of the runtime while it is told of one is not told to it again, or it would
//! never end. What was made before a subscriber came has no span and stays so.

#![deny(unsafe_code)]

mod kind;
#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod on;

pub use kind::{Kind, Stuck};
#[cfg(not(feature = "tracing"))]
pub use off::{Mark, Operation, Polling, Resource, TaskSpan, is_on, operation, stall};
#[cfg(feature = "tracing")]
pub use on::{Mark, Operation, Polling, Resource, TaskSpan, is_on, operation, stall};
