//! Who waits for a slot: one waker for each direction of the `poll_*` methods (`direct.rs`), and any
//! number of futures, each with its node in a list.
//!
//! The slot's lock guards the list and every field of a linked node. No waker is cloned, called or
//! dropped under it: clones are made before, the old ones leave with the guard gone.
//!
//! ```text
//! node      means                                             changed by
//! fresh     in no list; the future was never polled, or is over
//! linked    in the list; `waker` is there                     first poll that found no readiness
//! taken     in no list, `is_taken`; the next poll is ready    set, shut down (the waker goes along)
//! ```

#![allow(unsafe_code)]

use crate::direct;
use crate::ready::{Interest, Ready, ReadyEvent};
use crate::slots::Slot;
use crate::word::Set;
use core::cell::UnsafeCell;
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use shinkan_base::canary;
use shinkan_base::list::{Links, List, Node as ListNode};
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;
use shinkan_context as context;

/// The futures that wait for one slot, under its lock.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    list: List<Node>,
}

/// A future's place in the list.
struct Node {
    links: Links<Node>,
    waker: Option<Waker>,
    mask: Ready,
    is_taken: bool,
}

// SAFETY: always the one field.
unsafe impl ListNode for Node {
    unsafe fn links(node: NonNull<Self>) -> NonNull<Links<Self>> {
        // SAFETY: alive (the caller's word); no reference is made.
        let links = unsafe { &raw mut (*node.as_ptr()).links };
        // SAFETY: a field of a live node is not null.
        unsafe { NonNull::new_unchecked(links) }
    }
}

impl Waiters {
    /// Takes the wakers of those whom `ready` concerns.
    fn take(&mut self, slot: &Slot, ready: Ready, out: &mut Wakers) {
        let mut next = self.list.front();
        while let Some(node) = next {
            // SAFETY: linked in this list, whose lock we hold.
            next = unsafe { self.list.next(node) };
            // SAFETY:
            // - alive: linked, so its future has not been dropped (its drop unlinks first).
            // - exclusive: the slot's lock is held.
            let mask = unsafe { (*node.as_ptr()).mask };
            if mask.intersects(ready) {
                // SAFETY: linked in this list.
                unsafe { self.list.remove(node) };
                // SAFETY: as for `mask`: the lock is held, and the node alive until we unlock.
                let taken = unsafe { &mut *node.as_ptr() };
                taken.is_taken = true;
                out.push(taken.waker.take().expect("a linked node has a waker"));
            }
        }
        if self.list.is_empty() {
            slot.word.no_node_waits();
        }
    }
}

/// Adds readiness for the owner of `generation` and collects the wakers of those who wait for it.
#[inline]
pub(crate) fn set(slot: &Slot, generation: u32, ready: Ready, out: &mut Wakers) {
    if let Set::Waiters(taken) = slot.word.set(generation, ready) {
        let has_nodes = taken.has_nodes();
        direct::take(slot, taken, out);
        if has_nodes {
            wake_nodes_slow(slot, Some(generation), ready, out);
        }
    }
}

/// Ends the runtime's time for this slot.
pub(crate) fn shut_down(slot: &Slot, out: &mut Wakers) {
    let taken = slot.word.shut_down();
    let has_nodes = taken.has_nodes();
    direct::take(slot, taken, out);
    if has_nodes {
        wake_nodes_slow(slot, None, Ready::ALL, out);
    }
}

#[inline(never)]
fn wake_nodes_slow(slot: &Slot, generation: Option<u32>, ready: Ready, out: &mut Wakers) {
    let mut waiters = slot.waiters.lock();
    let seen = slot.word.look();
    // Between the set and the lock the slot may have got its next owner, who was promised that
    // nobody wakes it for another's event.
    if generation.is_none_or(|generation| generation == seen.generation())
        || canary("readiness_wake_any_generation")
    {
        waiters.take(slot, ready, out);
    }
}

/// Ends the owner's time: moves what waits to `forgotten`, and returns the generation of the next
/// owner. The caller gives the slot back before it drops them: that is user code.
pub(crate) fn release(slot: &Slot, forgotten: &mut Wakers) -> u32 {
    // Futures that were leaked may still be linked. Their memory is pinned for ever, so they are
    // unlinked like any other.
    let mut waiters = slot.waiters.lock();
    if slot.word.look().has_nodes() {
        waiters.take(slot, Ready::ALL, forgotten);
    }
    let (generation, taken) = slot.word.release();
    drop(waiters);
    direct::take(slot, taken, forgotten);
    generation
}

/// Waits for an interest; made by `Source::readiness`.
///
/// # Cancel safety
/// Nothing is lost if it is dropped.
#[must_use = "futures do nothing unless they are polled"]
pub struct Readiness<'a> {
    slot: &'a Slot,
    // The descriptor, in the record of the wait.
    resource: usize,
    kind: WaitKind,
    place: &'static Location<'static>,
    is_linked: bool,
    node: UnsafeCell<Node>,
}

// SAFETY:
// - what the future shares with other threads is its node, and that only while it is linked and
//   under the slot's lock; the rest is plain data that can be sent.
unsafe impl Send for Readiness<'_> {}
// SAFETY: `&Readiness` gives out nothing but the wait's kind and place.
unsafe impl Sync for Readiness<'_> {}

impl<'a> Readiness<'a> {
    pub(crate) fn new(
        slot: &'a Slot,
        resource: usize,
        interest: Interest,
        kind: WaitKind,
        place: &'static Location<'static>,
    ) -> Self {
        let node =
            Node { links: Links::new(), waker: None, mask: interest.mask(), is_taken: false };
        Self { slot, resource, kind, place, is_linked: false, node: UnsafeCell::new(node) }
    }

    fn node_ptr(&self) -> NonNull<Node> {
        // SAFETY: the address of a field is not null.
        unsafe { NonNull::new_unchecked(self.node.get()) }
    }

    fn pending(&self) -> Poll<ReadyEvent> {
        context::pending(self.kind, self.resource, self.place);
        Poll::Pending
    }

    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<ReadyEvent> {
        let mask = self.node.get_mut().mask;
        if let Some(event) = self.slot.word.look().ready_event(mask) {
            return Poll::Ready(event);
        }
        let waker = cx.waker().clone();
        let mut waiters = self.slot.waiters.lock();
        if let Some(event) = self.slot.word.wait(mask) {
            drop(waiters);
            return Poll::Ready(event);
        }
        let node = self.node.get_mut();
        node.waker = Some(waker);
        node.is_taken = false;
        // SAFETY:
        // - alive and in place: the future is pinned (`poll`), and its drop unlinks the node.
        // - in no list: `is_linked` was false.
        unsafe { waiters.list.push_back(self.node_ptr()) };
        drop(waiters);
        self.is_linked = true;
        self.pending()
    }

    fn poll_linked(&mut self, cx: &mut Context<'_>) -> Poll<ReadyEvent> {
        let mut fresh = None;
        loop {
            let waiters = self.slot.waiters.lock();
            // SAFETY:
            // - exclusive: the slot's lock is held, and nobody touches a node without it.
            let node = unsafe { &mut *self.node.get() };
            if node.is_taken {
                let mask = node.mask;
                drop(waiters);
                self.is_linked = false;
                // What woke us may be taken by now; the answer is then empty, and a hint anyway.
                return Poll::Ready(self.slot.word.look().event(mask));
            }
            if node.waker.as_ref().is_some_and(|old| old.will_wake(cx.waker()))
                || canary("readiness_move_keeps_old")
            {
                drop(waiters);
                return self.pending();
            }
            let Some(waker) = fresh.take() else {
                drop(waiters);
                fresh = Some(cx.waker().clone());
                continue;
            };
            let old = node.waker.replace(waker);
            drop(waiters);
            drop(old);
            return self.pending();
        }
    }
}

impl Future for Readiness<'_> {
    type Output = ReadyEvent;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ReadyEvent> {
        // SAFETY: nothing is moved out; the node is reached in place.
        let this = unsafe { self.get_unchecked_mut() };
        if this.is_linked { this.poll_linked(cx) } else { this.poll_first(cx) }
    }
}

impl Drop for Readiness<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_linked {
            return;
        }
        let mut waiters = self.slot.waiters.lock();
        // SAFETY:
        // - alive: a field of ours.
        // - linked in this slot's list or, once taken, in none.
        unsafe { waiters.list.remove(self.node_ptr()) };
        drop(waiters);
        // The waker is dropped with the node, after the lock.
    }
}

impl fmt::Debug for Readiness<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").field("kind", &self.kind).field("place", &self.place).finish()
    }
}
