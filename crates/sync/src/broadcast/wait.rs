//! Waiting for a message: the future of a receiver, and the list of those that wait.
//!
//! ```text
//! row  queued  notification  the node belongs to
//!  1   no      (no node)     nobody
//!  2   yes     NONE          the list, under the tail's lock
//!  3   yes     ALL           the future
//! (1) enqueue 1→2   (2) settle_all 2→3, its Release store is the last access
//! (3) retire 3→1, by the next poll   (4) cancel 2→1, 3→1, with the lock
//! ```
//!
//! A list of its own rather than a `Notify`: registering and the last look for a message are then
//! one hold of one lock, and a receipt takes that lock and its slot's once each.

#![allow(unsafe_code)]

use super::Receiver;
use super::error::{RecvError, TryRecvError};
use super::ring::{Ring, Tail};
use crate::leaf;
use crate::notify::{ALL, Waiter, refresh};
use core::cell::UnsafeCell;
use core::future::Future;
use core::marker::PhantomPinned;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker, ready};
use shinkan_base::auto;
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;

/// (2) The wakers of all that wait, to be called without the lock.
#[inline]
pub(super) fn settle_all(tail: &mut Tail, wakers: &mut Wakers) {
    while let Some(node) = tail.waiters.pop_front() {
        // SAFETY: just unlinked, under the lock.
        if let Some(waker) = unsafe { Waiter::settle(node, ALL) } {
            wakers.push(waker);
        }
    }
}

/// Ends with the next message. `!Unpin`: the list points into it.
pub(super) struct Recv<'a, T> {
    receiver: &'a mut Receiver<T>,
    place: &'static Location<'static>,
    queued: bool,
    node: UnsafeCell<MaybeUninit<Waiter>>,
    _pin: PhantomPinned,
}

// SAFETY:
// - `&Recv` gives access to nothing: the node is reached by the future or under the tail's lock.
unsafe impl<T: Send> Sync for Recv<'_, T> {}
const _: () = auto::sent::<Waiter>();

impl<'a, T> Recv<'a, T> {
    #[inline]
    pub(super) fn new(receiver: &'a mut Receiver<T>, place: &'static Location<'static>) -> Self {
        let node = UnsafeCell::new(MaybeUninit::uninit());
        Self { receiver, place, queued: false, node, _pin: PhantomPinned }
    }

    #[inline]
    fn node(&self) -> NonNull<Waiter> {
        // SAFETY: a field of a borrowed value is not null.
        unsafe { NonNull::new_unchecked(self.node.get().cast()) }
    }

    #[inline]
    fn ring(&self) -> &Ring<T> {
        &self.receiver.ring
    }

    /// Whether it waits after this; if not there is something to be received.
    ///
    /// # Safety
    /// It is pinned.
    unsafe fn enqueue(&mut self, waker: &Waker) -> bool {
        // Foreign code, so before the lock.
        let waiter = Waiter::new(Some(waker.clone()));
        let node = self.node();
        // SAFETY: the place is ours, and in row 1 nothing lives there.
        unsafe { node.as_ptr().write(waiter) };
        self.queued = true;
        let mut tail = self.ring().tail.lock();
        if !self.ring().is_to_wait(self.receiver.seat.next) {
            drop(tail);
            self.retire();
            return false;
        }
        // SAFETY: alive and in no list; pinned, and cancelled before it is dropped.
        unsafe { tail.waiters.push_back(node) };
        true
    }

    /// (3) The node is in the list no more: it ends.
    #[inline]
    fn retire(&mut self) {
        self.queued = false;
        // SAFETY:
        // - made: it was queued.
        // - ours: settled, or never linked, or unlinked.
        unsafe { core::ptr::drop_in_place(self.node().as_ptr()) };
    }

    /// (4)
    #[cold]
    fn cancel_slow(&mut self) {
        let mut tail = self.ring().tail.lock();
        // SAFETY: alive, and linked there or nowhere.
        unsafe { tail.waiters.remove(self.node()) };
        drop(tail);
        self.retire();
    }
}

impl<T: Clone> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        let address = leaf::address(this.ring());
        let unit = ready!(leaf::proceed(cx, address, this.place));
        if this.queued {
            let tail = || this.ring().tail.lock();
            // SAFETY: queued there, by us.
            if unsafe { refresh(this.node(), Some(cx.waker()), tail) } {
                shinkan_context::pending(WaitKind::BroadcastRecv, address, this.place);
                return Poll::Pending;
            }
            this.retire();
        }
        loop {
            let Receiver { ring, seat } = &mut *this.receiver;
            let received = match ring.receive(seat) {
                Ok(value) => Ok(value),
                Err(TryRecvError::Lagged(n)) => Err(RecvError::Lagged(n)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Err(TryRecvError::Empty) => {
                    // SAFETY: pinned: it is being polled.
                    if unsafe { this.enqueue(cx.waker()) } {
                        shinkan_context::pending(WaitKind::BroadcastRecv, address, this.place);
                        return Poll::Pending;
                    }
                    continue;
                }
            };
            unit.made_progress();
            return Poll::Ready(received);
        }
    }
}

impl<T> Drop for Recv<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.queued {
            self.cancel_slow();
        }
    }
}
