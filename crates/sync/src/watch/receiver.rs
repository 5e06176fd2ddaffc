//! The receiving side of the watch channel.

use super::error::RecvError;
use super::{Ref, Shared, VERSION};
use crate::leaf;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use shinkan_base::atomics::Ordering;
use shinkan_base::canary;
use shinkan_base::wait::WaitKind;
use std::sync::Arc;

/// Sees the value of a watch channel, and remembers which one it saw last. A clone remembers the
/// same.
pub struct Receiver<T> {
    pub(super) shared: Arc<Shared<T>>,
    pub(super) version: usize,
}

impl<T> Receiver<T> {
    /// The current value. It does not count as seen: [`changed`](Receiver::changed) may still end
    /// at once.
    pub fn borrow(&self) -> Ref<'_, T> {
        let value = self.shared.read();
        let has_changed = self.version != self.shared.state().0;
        Ref { value, has_changed }
    }

    /// The current value, which counts as seen from now on.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let value = self.shared.read();
        let (version, _) = self.shared.state();
        let has_changed = self.version != version;
        self.version = version;
        Ref { value, has_changed }
    }

    /// Whether there is a value that was not seen.
    ///
    /// # Errors
    /// If all senders were dropped, also where the last value was not seen.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        match self.shared.state() {
            (_, true) => Err(RecvError(())),
            (version, false) => Ok(self.version != version),
        }
    }

    /// Whether all senders were dropped.
    pub fn is_closed(&self) -> bool {
        self.shared.state().1
    }

    /// Counts the current value as not seen.
    pub fn mark_changed(&mut self) {
        self.version = self.version.wrapping_sub(VERSION);
    }

    /// Counts the current value as seen.
    pub fn mark_unchanged(&mut self) {
        self.version = self.shared.state().0;
    }

    /// Waits for a value that was not seen, and counts it as seen.
    ///
    /// # Errors
    /// If all senders were dropped, and the last value was seen.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped: the value still counts as not seen.
    #[track_caller]
    pub fn changed(&mut self) -> impl Future<Output = Result<(), RecvError>> {
        let place = Location::caller();
        let address = leaf::address(&*self.shared);
        leaf::cooperative(address, place, changed(&self.shared, &mut self.version, place))
    }

    /// Waits until `f` accepts the value, starting with the current one, and counts what it saw as
    /// seen.
    ///
    /// # Errors
    /// If all senders were dropped, and the last value was not accepted.
    ///
    /// # Cancel safety
    /// Nothing is lost if it is dropped, but values that were not accepted count as seen.
    ///
    /// # Panics
    /// If `f` does. It runs while the value is borrowed, so it must not send.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::watch;
    /// # futures::executor::block_on(async {
    /// let (sender, mut receiver) = watch::channel(1);
    /// std::thread::spawn(move || (2..=5).for_each(|i| drop(sender.send(i))));
    /// assert!(*receiver.wait_for(|i| *i >= 3).await.unwrap() >= 3);
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_for(
        &mut self,
        f: impl FnMut(&T) -> bool,
    ) -> impl Future<Output = Result<Ref<'_, T>, RecvError>> {
        let place = Location::caller();
        leaf::cooperative(leaf::address(&*self.shared), place, self.accepted(place, f))
    }

    async fn accepted(
        &mut self,
        place: &'static Location<'static>,
        mut f: impl FnMut(&T) -> bool,
    ) -> Result<Ref<'_, T>, RecvError> {
        let mut closed = false;
        loop {
            {
                let value = self.shared.read();
                let (version, _) = self.shared.state();
                let has_changed = self.version != version;
                self.version = version;
                if (!closed || has_changed) && f(&value) {
                    return Ok(Ref { value, has_changed });
                }
            }
            if closed {
                return Err(RecvError(()));
            }
            closed = changed(&self.shared, &mut self.version, place).await.is_err();
        }
    }

    /// Whether both are of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

async fn changed<T>(
    shared: &Shared<T>,
    seen: &mut usize,
    place: &'static Location<'static>,
) -> Result<(), RecvError> {
    loop {
        let early = if canary("watch_look_first") { Some(shared.state()) } else { None };
        // Made before the look, so that it ends if the value changes after it.
        let changed = shared.changed.notified_as(WaitKind::WatchChanged, place);
        let (version, closed) = early.unwrap_or_else(|| shared.state());
        if *seen != version {
            *seen = version;
            return Ok(());
        }
        if closed {
            return Err(RecvError(()));
        }
        changed.await;
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.receivers.fetch_add(1, Ordering::Relaxed);
        Self { shared: self.shared.clone(), version: self.version }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if canary("watch_unwatched_first") {
            self.shared.unwatched.notify_waiters();
            self.shared.receivers.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        if self.shared.receivers.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.shared.unwatched.notify_waiters();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("shared", &self.shared)
            .field("version", &(self.version / VERSION))
            .finish()
    }
}
