//! A channel from many senders to one receiver.
//!
//! [`channel`] has room for so many messages: a sender waits while there is none.
//! [`unbounded_channel`] always has room, so that a receiver that is slower than its senders fills
//! the memory.
//!
//! When all senders are dropped the receiver gets what is left, then `None`. When the receiver is
//! dropped or closed, sending fails. [`Receiver::close`] lets it take what was sent before.
//!
//! # Examples
//! ```
//! use shinkan_sync::mpsc;
//!
//! # futures::executor::block_on(async {
//! let (sender, mut receiver) = mpsc::channel(8);
//! for i in 0..3 {
//!     let sender = sender.clone();
//!     std::thread::spawn(move || sender.blocking_send(i).unwrap());
//! }
//! drop(sender);
//! let mut sum = 0;
//! while let Some(i) = receiver.recv().await {
//!     sum += i;
//! }
//! assert_eq!(sum, 3);
//! # });
//! ```

mod block;
mod bounded;
mod chan;
pub mod error;
mod permit;
mod queue;
mod receiver;
mod unbounded;
mod unbounded_receiver;

pub use bounded::{Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use receiver::Receiver;
pub use unbounded::{UnboundedSender, WeakUnboundedSender, unbounded_channel};
pub use unbounded_receiver::UnboundedReceiver;
