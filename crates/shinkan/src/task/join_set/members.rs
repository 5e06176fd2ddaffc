//! The handles of a set, in a slab that the set alone touches.

use core::future::Future;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll, Waker};
use shinkan_context::budget::{self, Budget};
use shinkan_task::ended::{Ended, Member};
use shinkan_task::{AbortHandle, Id, JoinError, JoinHandle};
use std::collections::VecDeque;
use std::sync::Arc;

pub(super) struct Members<T> {
    slots: Vec<Option<Slot<T>>>,
    free: Vec<usize>,
    // Numbers of handles to poll: those that were never polled, and those that were taken over
    // from `ended`. A number may be one whose member has left, or a newer one has taken.
    ready: VecDeque<usize>,
    ended: Arc<Ended>,
    // Whether the parent's waker was left since a task ended last.
    waits: bool,
}

struct Slot<T> {
    handle: JoinHandle<T>,
    // Made when the handle is first found pending.
    member: Option<Arc<Member>>,
}

impl<T> Members<T> {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            ended: Arc::default(),
            waits: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Tells two sets apart.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.ended).addr()
    }

    pub(super) fn insert(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        let slot = Some(Slot { handle, member: None });
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number] = slot;
                number
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        self.ready.push_back(number);
        // Whoever awaits the set does not know of this one yet, and must poll it.
        if core::mem::take(&mut self.waits)
            && let Some(parent) = self.ended.take_parent()
        {
            parent.wake();
        }
        abort
    }

    pub(super) fn for_each(&self, f: impl Fn(&JoinHandle<T>)) {
        self.slots.iter().flatten().for_each(|slot| f(&slot.handle));
    }

    pub(super) fn clear(&mut self) {
        self.ready.clear();
        self.free.clear();
        self.slots.clear();
    }

    /// The next that has ended; never leaves a waker for the caller.
    pub(super) fn try_next(&mut self) -> Option<Result<(Id, T), JoinError>> {
        loop {
            if let Some(result) = self.next_ready() {
                return Some(result);
            }
            if !self.ended.take_or_wait(&mut self.ready, None) {
                return None;
            }
        }
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Id, T), JoinError>> {
        loop {
            if let Some(result) = self.next_ready() {
                return Poll::Ready(result);
            }
            // Cloned before the lock: a waker's clone is not ours.
            if !self.ended.take_or_wait(&mut self.ready, Some(cx.waker().clone())) {
                self.waits = true;
                return Poll::Pending;
            }
        }
    }

    fn next_ready(&mut self) -> Option<Result<(Id, T), JoinError>> {
        while let Some(number) = self.ready.pop_front() {
            if let Some(result) = self.poll_one(number) {
                return Some(result);
            }
        }
        None
    }

    fn poll_one(&mut self, number: usize) -> Option<Result<(Id, T), JoinError>> {
        let slot = self.slots.get_mut(number)?.as_mut()?;
        // A task that has ended needs no waker, so none is made for it.
        let waker = if slot.handle.is_finished() {
            Waker::noop().clone()
        } else {
            let member = slot
                .member
                .get_or_insert_with(|| Arc::new(Member::new(number, self.ended.clone())));
            member.begin();
            Waker::from(member.clone())
        };
        let mut cx = Context::from_waker(&waker);
        let id = slot.handle.id();
        // The set paid for this already; and it is the set that waits, not this handle.
        let polled = budget::with(Budget::unlimited(), || {
            let _no_record = shinkan_context::enter_frame(ptr::null());
            Pin::new(&mut slot.handle).poll(&mut cx)
        });
        let Poll::Ready(result) = polled else { return None };
        let left = self.slots[number].take();
        self.free.push(number);
        drop(left);
        Some(result.map(|output| (id, output)))
    }
}
