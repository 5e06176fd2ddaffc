//! What bounded and unbounded channels share: counts of senders, close, the receiver's poll.

#![allow(unsafe_code)]

use super::error::TryRecvError;
use super::queue::{Cursor, Popped, Queue, Tail, Waits};
use crate::Notify;
use crate::batch::Batch;
use crate::leaf;
use core::panic::{Location, RefUnwindSafe, UnwindSafe};
use core::task::{Context, Poll, ready};
use shinkan_base::atomics::{Arc, AtomicUsize, Ordering, hint};
use shinkan_base::canary;
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;
use shinkan_context::services::wake_all;

/// What limits the messages in a channel.
pub(super) trait Limit {
    /// The wakers of those who wait for room are to be called by the caller.
    fn close(&self, tail: &Tail, wakers: &mut Wakers);
    fn is_closed(&self, tail: &Tail) -> bool;
    /// Whether nothing can come any more in a closed channel, of which all messages before `index`
    /// were received.
    fn is_idle(&self, tail: &Tail, index: usize) -> bool;
    /// `n` messages were received.
    fn give_back(&self, n: usize);
}

/// Permits, of which each message takes one.
pub(super) struct Bounded {
    pub(super) permits: Batch,
    pub(super) bound: usize,
}

/// None but the queue's own closed bit.
pub(super) struct Unbounded;

pub(super) struct Chan<T, L> {
    pub(super) queue: Queue<T>,
    pub(super) limit: L,
    place: &'static Location<'static>,
    senders: AtomicUsize,
    weak: AtomicUsize,
    closed: Notify,
}

/// A sender's share.
pub(super) struct Tx<T, L: Limit>(pub(super) Arc<Chan<T, L>>);

/// The receiver's share.
pub(super) struct Rx<T, L: Limit> {
    pub(super) chan: Arc<Chan<T, L>>,
    cursor: Cursor<T>,
    closed: bool,
}

impl<T, L> UnwindSafe for Chan<T, L> {}
impl<T, L> RefUnwindSafe for Chan<T, L> {}

impl Bounded {
    /// Whether all permits are there.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.permits.available() == self.bound
    }
}

impl Limit for Bounded {
    fn close(&self, _tail: &Tail, wakers: &mut Wakers) {
        self.permits.close_into(wakers);
    }

    #[inline]
    fn is_closed(&self, _tail: &Tail) -> bool {
        self.permits.is_closed()
    }

    fn is_idle(&self, _tail: &Tail, _index: usize) -> bool {
        self.is_full()
    }

    #[inline]
    fn give_back(&self, n: usize) {
        self.permits.release(n);
    }
}

impl Limit for Unbounded {
    fn close(&self, tail: &Tail, _wakers: &mut Wakers) {
        tail.close();
    }

    #[inline]
    fn is_closed(&self, tail: &Tail) -> bool {
        tail.is_closed()
    }

    fn is_idle(&self, tail: &Tail, index: usize) -> bool {
        tail.index() == index
    }

    #[inline]
    fn give_back(&self, _n: usize) {}
}

pub(super) fn channel<T, L: Limit>(
    limit: L,
    place: &'static Location<'static>,
) -> (Tx<T, L>, Rx<T, L>) {
    let (queue, cursor) = Queue::new();
    let chan = Arc::new(Chan {
        queue,
        limit,
        place,
        senders: AtomicUsize::new(1),
        weak: AtomicUsize::new(0),
        closed: Notify::new(),
    });
    (Tx(chan.clone()), Rx { chan, cursor, closed: false })
}

impl<T, L: Limit> Chan<T, L> {
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.limit.is_closed(self.queue.tail())
    }

    pub(super) fn strong_count(&self) -> usize {
        self.senders.load(Ordering::Acquire)
    }

    pub(super) fn weak_count(&self) -> usize {
        self.weak.load(Ordering::Relaxed)
    }

    pub(super) fn add_weak(&self) {
        self.weak.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove_weak(&self) {
        self.weak.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T> Chan<T, Bounded> {
    /// Permits that carried no message came back: the receiver of a closed channel may wait for
    /// them.
    #[inline]
    pub(super) fn permits_came_back(&self) {
        if canary("mpsc_idle_unseen") {
            return;
        }
        if self.limit.permits.is_closed() && self.limit.is_full() {
            self.queue.end();
        }
    }
}

impl<T, L: Limit> Tx<T, L> {
    pub(super) async fn closed(&self, place: &'static Location<'static>) {
        let notified = self.0.closed.notified_as(WaitKind::MpscClosed, place);
        if !self.0.is_closed() {
            notified.await;
        }
    }

    pub(super) fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A sender, if there is still one.
    pub(super) fn of(chan: &Arc<Chan<T, L>>) -> Option<Self> {
        let senders = &chan.senders;
        let mut count = senders.load(Ordering::Acquire);
        while count > 0 {
            match senders.compare_exchange_weak(
                count,
                count + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(Self(chan.clone())),
                Err(now) => count = now,
            }
        }
        None
    }
}

impl<T, L: Limit> Clone for Tx<T, L> {
    fn clone(&self) -> Self {
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

impl<T, L: Limit> Drop for Tx<T, L> {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.queue.end();
        }
    }
}

impl<T, L: Limit> Rx<T, L> {
    /// Where the channel was made: the place of a wait that has no future of its own.
    pub(super) fn place(&self) -> &'static Location<'static> {
        self.chan.place
    }

    pub(super) fn close(&mut self) {
        if core::mem::replace(&mut self.closed, true) {
            return;
        }
        let mut wakers = Wakers::new();
        self.chan.limit.close(self.chan.queue.tail(), &mut wakers);
        self.chan.closed.notify_waiters_into(&mut wakers);
        wake_all(&mut wakers);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.chan.is_closed() || self.chan.strong_count() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.chan.queue.len(self.cursor.index)
    }

    #[inline]
    fn pop(&mut self) -> Popped<T> {
        // SAFETY: made together.
        unsafe { self.cursor.pop(&self.chan.queue) }
    }

    fn is_over(&self) -> bool {
        self.closed && self.chan.limit.is_idle(self.chan.queue.tail(), self.cursor.index)
    }

    #[inline]
    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
    ) -> Poll<Option<T>> {
        let unit = ready!(leaf::proceed(cx, leaf::address(&*self.chan), place));
        let mut popped = self.pop();
        if let Popped::Nothing = popped {
            popped = match self.wait(cx, place) {
                Poll::Ready(()) => self.pop(),
                Poll::Pending => return Poll::Pending,
            };
        }
        unit.made_progress();
        Poll::Ready(match popped {
            Popped::Value(value) => {
                self.chan.limit.give_back(1);
                Some(value)
            }
            Popped::End | Popped::Nothing => None,
        })
    }

    pub(super) fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        place: &'static Location<'static>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        let unit = ready!(leaf::proceed(cx, leaf::address(&*self.chan), place));
        if limit == 0 {
            unit.made_progress();
            return Poll::Ready(0);
        }
        let (mut n, mut end) = self.take_many(buffer, limit);
        if n == 0 && !end {
            ready!(self.wait(cx, place));
            (n, end) = self.take_many(buffer, limit);
        }
        debug_assert!(n > 0 || end || self.is_over());
        unit.made_progress();
        Poll::Ready(n)
    }

    /// Moves up to `limit` messages into `buffer`; how many, and whether the end was reached.
    fn take_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> (usize, bool) {
        let mut n = 0;
        let mut end = false;
        while n < limit {
            match self.pop() {
                Popped::Value(value) => {
                    buffer.push(value);
                    n += 1;
                }
                Popped::End => {
                    end = true;
                    break;
                }
                Popped::Nothing => break,
            }
        }
        if n > 0 {
            self.chan.limit.give_back(n);
        }
        (n, end)
    }

    /// Ready: look again; if there is nothing then, it is over.
    #[cold]
    fn wait(&mut self, cx: &mut Context<'_>, place: &'static Location<'static>) -> Poll<()> {
        // SAFETY: made together.
        match unsafe { self.cursor.wait(&self.chan.queue, cx.waker()) } {
            Waits::Published => return Poll::Ready(()),
            // Asked after the wait was noted: permits that come back later see it.
            _ if self.is_over() => return Poll::Ready(()),
            // The sender was interrupted in the middle of a few instructions: let it run.
            Waits::Busy => {
                hint::yield_now();
                cx.waker().wake_by_ref();
            }
            Waits::Yes => {}
        }
        shinkan_context::pending(WaitKind::MpscRecv, leaf::address(&*self.chan), place);
        Poll::Pending
    }

    pub(super) fn try_recv(&mut self) -> Result<T, TryRecvError> {
        loop {
            // What was claimed before now is about to be published: the message may be one that
            // was sent before this call, behind another that is not.
            let claimed = self.chan.queue.len(self.cursor.index) > 0;
            match self.pop() {
                Popped::Value(value) => {
                    self.chan.limit.give_back(1);
                    return Ok(value);
                }
                Popped::End => return Err(TryRecvError::Disconnected),
                Popped::Nothing if claimed => hint::yield_now(),
                Popped::Nothing if self.is_over() => return Err(TryRecvError::Disconnected),
                Popped::Nothing => return Err(TryRecvError::Empty),
            }
        }
    }
}

impl<T, L: Limit> Drop for Rx<T, L> {
    fn drop(&mut self) {
        /// Goes on after a waker that panics, and after a value whose drop does: a queue whose
        /// cursor does not leave would be read from its start again.
        struct Drain<'a, T, L: Limit>(&'a mut Rx<T, L>);
        impl<T, L: Limit> Drain<'_, T, L> {
            fn run(&mut self) {
                while let Popped::Value(value) = self.0.pop() {
                    self.0.chan.limit.give_back(1);
                    drop(value);
                }
            }
        }
        impl<T, L: Limit> Drop for Drain<'_, T, L> {
            fn drop(&mut self) {
                self.run();
                // SAFETY: made together, and the cursor goes away with us.
                unsafe { self.0.cursor.leave(&self.0.chan.queue) };
            }
        }
        let mut drain = Drain(self);
        let Drain(rx) = &mut drain;
        // SAFETY: made together.
        let _waker = unsafe { rx.cursor.forget_waker(&rx.chan.queue) };
        rx.close();
        drain.run();
    }
}
