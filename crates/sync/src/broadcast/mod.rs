//! A channel in which every receiver gets every message.
//!
//! The channel keeps the last so many messages. A receiver that is slower loses the oldest and is
//! told how many; senders never wait.
//!
//! # Examples
//! ```
//! use shinkan_sync::broadcast;
//!
//! # futures::executor::block_on(async {
//! let (sender, mut a) = broadcast::channel(16);
//! let mut b = sender.subscribe();
//! sender.send(10).unwrap();
//! assert_eq!(a.recv().await, Ok(10));
//! assert_eq!(b.recv().await, Ok(10));
//! # });
//! ```

pub mod error;
mod receiver;
mod ring;
mod sender;
mod wait;

pub use receiver::Receiver;
pub use sender::{Sender, WeakSender};

/// Makes a channel that keeps the last `capacity` messages, rounded up to a power of two.
///
/// # Panics
/// If `capacity` is 0, or more than `usize::MAX / 2`.
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(capacity);
    let receiver = sender.subscribe();
    (sender, receiver)
}
