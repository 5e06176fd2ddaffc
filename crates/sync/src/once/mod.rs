//! Cells that are filled once: `OnceCell`, whose first reader fills it, and `SetOnce`, which
//! another task fills.

mod cell;
mod set;
mod slot;

pub use cell::{OnceCell, SetError};
pub use set::{SetOnce, SetOnceError};
pub(crate) use slot::Slot;
