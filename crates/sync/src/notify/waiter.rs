//! The node with which a future waits for a `Notify`, and its life: made at the first wait, given
//! back by the notifier's Release store or by the future's own cancel.

#![allow(unsafe_code)]

use super::Notify;
use crate::leaf;
use core::marker::PhantomPinned;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use shinkan_base::atomics::{AtomicU8, Ordering, UnsafeCell};
use shinkan_base::canary;
use shinkan_base::list::{Links, Node};
use shinkan_base::wait::WaitKind;

pub(super) const NONE: u8 = 0;
pub(super) const ONE_FIRST: u8 = 1;
pub(super) const ONE_LAST: u8 = 2;
pub(crate) const ALL: u8 = 3;

/// Linked while its notification is NONE.
pub(crate) struct Waiter {
    links: Links<Waiter>,
    notification: AtomicU8,
    // Guarded by the queue's lock while the notification is NONE.
    waker: UnsafeCell<Option<Waker>>,
}

// SAFETY:
// - always the one field.
unsafe impl Node for Waiter {
    #[inline(always)]
    unsafe fn links(node: NonNull<Self>) -> NonNull<Links<Self>> {
        // SAFETY: alive (the caller's word); no reference is made.
        let links = unsafe { &raw mut (*node.as_ptr()).links };
        // SAFETY: a field of a live node is not null.
        unsafe { NonNull::new_unchecked(links) }
    }
}

impl Waiter {
    #[inline]
    pub(crate) fn new(waker: Option<Waker>) -> Self {
        Self {
            links: Links::new(),
            notification: AtomicU8::new(NONE),
            waker: UnsafeCell::new(waker),
        }
    }

    /// # Safety
    /// `node` is alive.
    #[inline]
    pub(crate) unsafe fn notification(node: NonNull<Self>) -> u8 {
        // SAFETY: alive (the caller's word).
        unsafe { &(*node.as_ptr()).notification }.load(Ordering::Acquire)
    }

    /// The waker's place.
    ///
    /// # Safety
    /// `node` is alive; the caller holds the lock of its queue or the node is in none and its
    /// own; the borrow ends before that does.
    #[inline]
    pub(crate) unsafe fn waker<'a>(node: NonNull<Self>) -> &'a mut Option<Waker> {
        // SAFETY: alive (the caller's word).
        let cell = unsafe { &(*node.as_ptr()).waker };
        // SAFETY: exclusive (the caller's word).
        cell.with_mut(|waker| unsafe { &mut *waker })
    }

    /// Takes the waker out and gives the node back to its future: the last access to it.
    ///
    /// # Safety
    /// `node` was just unlinked under the lock, which is still held.
    #[inline]
    pub(crate) unsafe fn settle(node: NonNull<Self>, notification: u8) -> Option<Waker> {
        // SAFETY: alive until the store below is seen.
        let word = unsafe { &(*node.as_ptr()).notification };
        if canary("notify_settle_first") {
            word.store(notification, Ordering::Release);
        }
        // SAFETY: unlinked under the lock, not yet settled.
        let waker = unsafe { Self::waker(node) }.take();
        word.store(notification, Ordering::Release);
        waker
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not polled; there is no node.
    Init,
    /// The node is made, and in the queue or settled.
    Waiting,
    /// Notified; there is no node.
    Done,
}

/// The waiting part of a future: the future around it says of which `Notify`. `!Unpin`: the queue
/// points into it.
pub(crate) struct Wait {
    calls: usize,
    place: &'static Location<'static>,
    kind: WaitKind,
    phase: Phase,
    // Made when it is queued, so that a wait that ends at once never writes it.
    node: core::cell::UnsafeCell<MaybeUninit<Waiter>>,
    _pin: PhantomPinned,
}

impl Wait {
    #[inline]
    pub(crate) fn new(notify: &Notify, kind: WaitKind, place: &'static Location<'static>) -> Self {
        Self {
            calls: notify.calls(),
            place,
            kind,
            phase: Phase::Init,
            node: core::cell::UnsafeCell::new(MaybeUninit::uninit()),
            _pin: PhantomPinned,
        }
    }

    #[inline]
    fn node(&self) -> NonNull<Waiter> {
        // SAFETY: a field of a borrowed value is not null.
        unsafe { NonNull::new_unchecked(self.node.get().cast()) }
    }

    /// Ends the wait, or queues the node. Without a context there is nobody to be woken yet.
    ///
    /// # Safety
    /// It is pinned, `notify` is the one it was made with, and [`Wait::cancel`] is called before
    /// it is dropped.
    #[inline]
    pub(super) unsafe fn poll(
        &mut self,
        notify: &Notify,
        cx: Option<&mut Context<'_>>,
    ) -> Poll<()> {
        let noted = cx.is_some();
        // SAFETY: as our caller's.
        if unsafe { self.is_done(notify, cx.map(|cx| cx.waker())) } {
            return Poll::Ready(());
        }
        if noted {
            shinkan_context::pending(self.kind, leaf::address(notify), self.place);
        }
        Poll::Pending
    }

    /// # Safety
    /// As [`Wait::poll`].
    unsafe fn is_done(&mut self, notify: &Notify, waker: Option<&Waker>) -> bool {
        match self.phase {
            Phase::Done => true,
            Phase::Init if notify.consume(self.calls) => {
                self.phase = Phase::Done;
                true
            }
            Phase::Init => {
                let waiter = Waiter::new(waker.cloned());
                let node = self.node();
                // SAFETY: the place is ours, and in phase Init nothing lives there.
                unsafe { node.as_ptr().write(waiter) };
                self.phase = Phase::Waiting;
                // SAFETY: pinned, and cancelled before it is dropped (the caller's word).
                if unsafe { notify.enqueue(node, self.calls) } {
                    return false;
                }
                drop(self.retire());
                true
            }
            Phase::Waiting => {
                // SAFETY: the phase says that the node was made, by an enqueue here.
                if unsafe { refresh(self.node(), waker, || notify.queue.lock()) } {
                    return false;
                }
                drop(self.retire());
                true
            }
        }
    }

    /// Destroys the node, which is in no queue any more. The waker that it held is the caller's to
    /// drop: that may panic, so nothing may be left to do for others.
    fn retire(&mut self) -> Option<Waker> {
        debug_assert_eq!(self.phase, Phase::Waiting);
        self.phase = Phase::Done;
        // SAFETY: settled, or taken out of the queue by our caller: ours.
        let waker = unsafe { Waiter::waker(self.node()) }.take();
        // SAFETY:
        // - made: the phase was Waiting.
        // - ours: as above.
        unsafe { core::ptr::drop_in_place(self.node().as_ptr()) };
        waker
    }

    /// Leaves the queue; what the node was given goes to the next.
    ///
    /// # Safety
    /// `notify` is the one it was made with.
    #[inline]
    pub(super) unsafe fn cancel(&mut self, notify: &Notify) {
        if self.phase == Phase::Waiting {
            // SAFETY: as our caller's.
            unsafe { self.cancel_slow(notify) };
        }
    }

    #[cold]
    unsafe fn cancel_slow(&mut self, notify: &Notify) {
        // SAFETY: enqueued there by us.
        let next = unsafe { notify.cancel(self.node()) };
        let _own = self.retire();
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

/// False where the node is settled; else it now holds `waker`, if there is one.
///
/// # Safety
/// `node` was queued by its owner, who calls this, and `lock` takes the lock of that queue.
pub(crate) unsafe fn refresh<G>(
    node: NonNull<Waiter>,
    waker: Option<&Waker>,
    lock: impl Fn() -> G,
) -> bool {
    // A waker's clone and drop are foreign code, so they are done outside the lock.
    let mut fresh = None;
    loop {
        // SAFETY: alive (the caller's word).
        if unsafe { Waiter::notification(node) } != NONE {
            return false;
        }
        let Some(waker) = waker else { return true };
        let queue = lock();
        // SAFETY: as above.
        if unsafe { Waiter::notification(node) } != NONE {
            return false;
        }
        // SAFETY: linked, and we hold the lock.
        let held = unsafe { Waiter::waker(node) };
        if held.as_ref().is_some_and(|held| held.will_wake(waker)) {
            return true;
        }
        if fresh.is_some() {
            core::mem::swap(held, &mut fresh);
            drop(queue);
            return true;
        }
        drop(queue);
        fresh = Some(waker.clone());
    }
}
