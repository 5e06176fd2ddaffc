//! Room in a bounded channel that was reserved for a message.

use super::bounded::Sender;
use super::chan::{Bounded, Chan, Tx};
use core::fmt;
use core::iter::FusedIterator;
use core::mem;

/// Room for one message. Dropped without one, it makes room for another sender.
pub struct Permit<'a, T> {
    tx: &'a Tx<T, Bounded>,
}

/// Room for several messages, as an iterator of permits.
pub struct PermitIterator<'a, T> {
    tx: &'a Tx<T, Bounded>,
    n: usize,
}

/// Room for one message, with the sender that reserved it.
pub struct OwnedPermit<T> {
    tx: Option<Tx<T, Bounded>>,
}

#[cold]
fn give_back<T>(chan: &Chan<T, Bounded>, n: usize) {
    chan.limit.permits.release(n);
    chan.permits_came_back();
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(tx: &'a Tx<T, Bounded>) -> Self {
        Self { tx }
    }

    /// Sends the message into the room that was reserved. Never waits, also where the receiver was
    /// closed since.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::mpsc;
    /// # futures::executor::block_on(async {
    /// let (sender, mut receiver) = mpsc::channel(1);
    /// let permit = sender.reserve().await.unwrap();
    /// assert!(sender.try_send(1).is_err());
    /// permit.send(2);
    /// assert_eq!(receiver.recv().await, Some(2));
    /// # });
    /// ```
    pub fn send(self, value: T) {
        let tx = self.tx;
        mem::forget(self);
        tx.0.queue.push(value);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        give_back(&self.tx.0, 1);
    }
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(tx: &'a Tx<T, Bounded>, n: usize) -> Self {
        Self { tx, n }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.n = self.n.checked_sub(1)?;
        Some(Permit { tx: self.tx })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.n, Some(self.n))
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        if self.n > 0 {
            give_back(&self.tx.0, self.n);
        }
    }
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(tx: Tx<T, Bounded>) -> Self {
        Self { tx: Some(tx) }
    }

    fn take(&mut self) -> Tx<T, Bounded> {
        self.tx.take().expect("only methods that take the permit take its sender")
    }

    /// Sends the message and gives the sender back.
    pub fn send(mut self, value: T) -> Sender<T> {
        let tx = self.take();
        tx.0.queue.push(value);
        Sender { tx }
    }

    /// Gives the room and the sender back.
    pub fn release(mut self) -> Sender<T> {
        let tx = self.take();
        give_back(&tx.0, 1);
        Sender { tx }
    }

    /// Whether both are of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.tx.as_ref().zip(other.tx.as_ref()).is_some_and(|(a, b)| a.same_channel(b))
    }

    /// Whether this and the sender are of one channel.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.tx.as_ref().is_some_and(|tx| tx.same_channel(&sender.tx))
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(tx) = self.tx.take() {
            give_back(&tx.0, 1);
        }
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator").field("capacity", &self.n).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}
