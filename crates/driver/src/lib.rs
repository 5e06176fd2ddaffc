//! Readiness of descriptors, and the clock: what a runtime learns from outside.
//!
//! # What a backend gives
//!
//! A backend is one arm of [`Driver`]'s closed choice: epoll, the fake of simulations, later a
//! ring. Each keeps this contract, on which `rt` and the API rely:
//!
//! 1. **Everything ends in one set.** An event becomes `set(token, bits)` on a [slot](Token), and
//!    nothing else. Each set advances the word's tick; a clear names the tick that it saw, so it
//!    never erases a newer edge.
//! 2. **Edges.** After an operation said `WouldBlock` (or moved fewer bytes of a stream than
//!    asked), the next change is reported, once, to at least one turn. A report too many is
//!    allowed, one too few is not. The first report after registration needs no change.
//! 3. **Registered once**, for the descriptor's life, for reading and writing; deregistered when
//!    the [`Source`] is dropped. An event harvested before that may be applied after it: the
//!    token's generation keeps it from the slot's next owner.
//! 4. **Any number of threads turn at once.** One event goes to one of them. [`Driver::turn`]
//!    calls no waker and takes no lock for longer than it moves wakers out of one slot.
//! 5. **The doorbell counts.** Each [`Driver::ring`] adds a unit; a turn that waits returns while
//!    there is one, and takes none; [`Driver::take_bell`] takes one. So a turn that only looks
//!    steals no ring.
//! 6. **A turn without events is one call of the kernel**, and a simulation's is none.
//! 7. **The end.** After [`Driver::shutdown`] each wait is answered with an error and nothing can
//!    be registered; what is registered can still be dropped, at any time.
//! 8. **Faults.** A registration that fails leaves nothing behind. A turn never fails.
//!
//! The table of slots lives as long as the last [`Io`] or [`Source`], and gives memory back where it
//! was made for many more descriptors than there are (`slots.rs`). The word's protocol stands in
//! `word.rs`, the waiters' in `direct.rs` and `waiters.rs`; their models are `models/tests/readiness_*.rs`.

#![deny(unsafe_code)]

mod clock;
mod direct;
mod driver;
mod fake;
pub mod files;
#[cfg(not(shinkan_loom))]
mod kept;
#[cfg(shinkan_loom)]
#[path = "kept_loom.rs"]
mod kept;
pub mod ops;
mod poll;
mod process;
mod ready;
mod registered;
mod room;
pub mod signals;
mod slots;
mod source;
mod token;
mod waiters;
mod word;

pub use clock::Clock;
pub use driver::{Driver, Io, Turn, Turned, is_rt_shutdown_err, rt_shutdown_err};
pub use process::Process;
pub use ready::{Direction, Interest, Ready, ReadyEvent};
pub use registered::Registered;
pub use source::Source;
pub use token::Token;
pub use waiters::Readiness;
