//! The two futures of a `Notify`: one borrows it, one keeps it alive.

#![allow(unsafe_code)]

use super::{Notify, Wait};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use shinkan_base::auto;
use std::sync::Arc;

/// Ends when its [`Notify`] is notified. Made by [`Notify::notified`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct Notified<'a> {
    notify: &'a Notify,
    wait: Wait,
}

/// Ends when its [`Notify`] is notified, and keeps it alive. Made by [`Notify::notified_owned`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct OwnedNotified {
    notify: Arc<Notify>,
    wait: Wait,
}

// SAFETY:
// - the `Notify` may be shared; the node, which its queue points to, is reached by the future or
//   under the lock of the queue, wherever the future is.
unsafe impl Send for Notified<'_> {}
// SAFETY:
// - `&Notified` gives access to the `Notify`, which may be shared, and to nothing of the wait.
unsafe impl Sync for Notified<'_> {}
// SAFETY: as above.
unsafe impl Sync for OwnedNotified {}

const _: () = {
    auto::sent::<&Notify>();
    auto::sent::<Wait>();
    auto::shared::<&Notify>();
    auto::shared::<Arc<Notify>>();
};

impl<'a> Notified<'a> {
    #[inline]
    pub(super) fn new(notify: &'a Notify, wait: Wait) -> Self {
        Self { notify, wait }
    }

    /// Takes its place in the queue without a poll: from here on a `notify_one` counts for it.
    /// True if it is notified already, so that awaiting it ends at once.
    ///
    /// # Examples
    /// ```
    /// # use shinkan_sync::Notify;
    /// # futures::executor::block_on(async {
    /// let notify = Notify::new();
    /// let mut notified = std::pin::pin!(notify.notified());
    /// assert!(!notified.as_mut().enable());
    /// notify.notify_one();
    /// notified.await;
    /// # });
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.step(None).is_ready()
    }

    #[inline]
    fn step(self: Pin<&mut Self>, cx: Option<&mut Context<'_>>) -> Poll<()> {
        // SAFETY: nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: pinned; made with this `notify`; cancelled in `drop`.
        unsafe { this.wait.poll(this.notify, cx) }
    }
}

impl OwnedNotified {
    #[inline]
    pub(super) fn new(notify: Arc<Notify>, wait: Wait) -> Self {
        Self { notify, wait }
    }

    /// As [`Notified::enable`].
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.step(None).is_ready()
    }

    #[inline]
    fn step(self: Pin<&mut Self>, cx: Option<&mut Context<'_>>) -> Poll<()> {
        // SAFETY: nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: pinned; made with this `notify`; cancelled in `drop`.
        unsafe { this.wait.poll(&this.notify, cx) }
    }
}

impl Future for Notified<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.step(Some(cx))
    }
}

impl Future for OwnedNotified {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.step(Some(cx))
    }
}

impl Drop for Notified<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: made with this `notify`.
        unsafe { self.wait.cancel(self.notify) };
    }
}

impl Drop for OwnedNotified {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: made with this `notify`.
        unsafe { self.wait.cancel(&self.notify) };
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notified").field("notify", self.notify).finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnedNotified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedNotified").field("notify", &self.notify).finish_non_exhaustive()
    }
}
