//! The future that waits for permits. One generic future serves every lock and channel; a
//! [`Gate`] says whose semaphore it is and what the permits are turned into.

use super::{Batch, GRANTED, QUEUED, Refusal, Waiter, told};
use crate::leaf;
use core::cell::UnsafeCell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use shinkan_base::atomics::Ordering;
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;
use shinkan_context::services::wake_all;
use shinkan_trace::{Operation, Polling};

/// Whose permits are waited for, and what becomes of them.
///
/// # Safety
/// `semaphore` returns the same one each time, and it stays where it is while the gate lives,
/// also when the gate is moved.
pub(crate) unsafe trait Gate {
    type Output;
    const KIND: WaitKind;

    fn semaphore(&self) -> &Batch;
    /// The permits are the caller's now.
    fn granted(self, permits: usize) -> Self::Output;
    /// The semaphore is closed.
    fn refused(self) -> Self::Output;
    /// Permits that were granted have been given back unused.
    fn gave_back(&self) {}
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing was asked for; the node is not made.
    Init,
    /// The node is made, and in the queue or settled.
    Queued,
    /// The permits are ours, but the budget was used up; there is no node.
    Held,
    /// There is neither permit nor node.
    Done,
}

/// Waits for permits. `!Unpin`: the queue points into it.
pub(crate) struct Acquire<G: Gate> {
    gate: Option<G>,
    asked: usize,
    place: &'static Location<'static>,
    phase: Phase,
    operation: Operation,
    // Made when it is queued, so that an acquire that does not wait never writes it.
    node: UnsafeCell<MaybeUninit<Waiter>>,
    _pin: PhantomPinned,
}

// SAFETY:
// - `&Acquire` gives access to nothing but the phase and the place.
unsafe impl<G: Gate + Sync> Sync for Acquire<G> {}

impl<G: Gate> Acquire<G> {
    #[inline]
    pub(crate) fn new(gate: G, asked: usize, place: &'static Location<'static>) -> Self {
        Self {
            gate: Some(gate),
            asked,
            place,
            phase: Phase::Init,
            operation: Operation::none(),
            node: UnsafeCell::new(MaybeUninit::uninit()),
            _pin: PhantomPinned,
        }
    }

    #[inline]
    fn node(&self) -> NonNull<Waiter> {
        // SAFETY: a field of a borrowed future is not null.
        unsafe { NonNull::new_unchecked(self.node.get().cast()) }
    }

    #[inline]
    fn batch(&self) -> &Batch {
        self.gate.as_ref().expect("a future was polled after it had ended").semaphore()
    }

    /// The permits are ours: hands them out, if the budget allows.
    #[inline]
    fn finish(&mut self, cx: &mut Context<'_>) -> Poll<G::Output> {
        let address = leaf::address(self.batch());
        let Poll::Ready(unit) = leaf::proceed(cx, address, self.place) else {
            self.phase = Phase::Held;
            return Poll::Pending;
        };
        unit.made_progress();
        self.phase = Phase::Done;
        match self.gate.take() {
            Some(gate) => Poll::Ready(gate.granted(self.asked)),
            None => unreachable!("the gate was asked just now"),
        }
    }

    #[cold]
    fn refuse(&mut self) -> Poll<G::Output> {
        self.phase = Phase::Done;
        match self.gate.take() {
            Some(gate) => Poll::Ready(gate.refused()),
            None => panic!("a future was polled after it had ended"),
        }
    }

    /// Destroys the node, which is in no queue any more. The waker that it held is the caller's to
    /// drop: that may panic, so nothing may be left to do for others.
    fn retire(&mut self, next: Phase) -> Option<Waker> {
        debug_assert!(self.phase == Phase::Queued);
        self.phase = next;
        let node = self.node();
        // SAFETY: settled, or taken out of the queue by our caller: ours.
        let waker = unsafe { Waiter::inner(node) }.waker.take();
        // SAFETY:
        // - made: the phase was Queued.
        // - ours: as above.
        unsafe { core::ptr::drop_in_place(node.as_ptr()) };
        waker
    }

    #[inline(always)]
    fn poll_permits(&mut self, cx: &mut Context<'_>) -> Poll<G::Output> {
        if self.phase != Phase::Init {
            return self.poll_again_slow(cx);
        }
        match self.batch().try_acquire(self.asked) {
            Ok(()) => self.finish(cx),
            Err(Refusal::NoPermits) => self.enqueue_slow(cx),
            Err(Refusal::Closed) => self.refuse(),
        }
    }

    #[cold]
    fn enqueue_slow(&mut self, cx: &mut Context<'_>) -> Poll<G::Output> {
        let waiter = Waiter::new(self.asked, cx.waker().clone());
        let node = self.node();
        // SAFETY: the place is ours, and in phase Init nothing lives there.
        unsafe { node.as_ptr().write(waiter) };
        self.phase = Phase::Queued;
        // SAFETY: the future is pinned, and its drop takes the node out.
        match unsafe { self.batch().enqueue(node) } {
            Ok(false) => {
                told::changed(self.batch());
                self.wait()
            }
            Ok(true) => {
                drop(self.retire(Phase::Held));
                told::changed(self.batch());
                self.finish(cx)
            }
            Err(_) => {
                drop(self.retire(Phase::Done));
                self.refuse()
            }
        }
    }

    fn wait(&self) -> Poll<G::Output> {
        shinkan_context::pending(G::KIND, leaf::address(self.batch()), self.place);
        Poll::Pending
    }

    #[cold]
    fn poll_again_slow(&mut self, cx: &mut Context<'_>) -> Poll<G::Output> {
        if self.phase == Phase::Queued {
            let node = self.node();
            // SAFETY: alive: the phase says that it was made.
            let state = unsafe { &(*node.as_ptr()).state };
            if state.load(Ordering::Acquire) == QUEUED {
                // SAFETY: enqueued by us.
                if unsafe { self.batch().refresh(node, cx.waker()) } {
                    return self.wait();
                }
            }
            // SAFETY: as above.
            let state = unsafe { &(*node.as_ptr()).state };
            let granted = state.load(Ordering::Acquire) == GRANTED;
            // SAFETY: settled, so ours.
            let collected = unsafe { Waiter::inner(node) }.collected();
            drop(self.retire(if granted { Phase::Held } else { Phase::Done }));
            if !granted && collected > 0 {
                self.batch().release(collected);
                self.gave_back();
            }
        }
        match self.phase {
            Phase::Held if self.batch().is_closed() => {
                // Closed after the grant: as if it had been closed before.
                self.phase = Phase::Done;
                self.batch().release(self.asked);
                self.gave_back();
                self.refuse()
            }
            Phase::Held => self.finish(cx),
            _ => self.refuse(),
        }
    }

    #[cold]
    fn drop_slow(&mut self) {
        // What stands first is dropped last, also where the waker of another panics.
        let _own;
        if self.phase == Phase::Queued {
            let mut wakers = Wakers::new();
            // SAFETY: enqueued by us.
            unsafe { self.batch().cancel(self.node(), &mut wakers) };
            _own = self.retire(Phase::Done);
            let _gave_back = GaveBack(self);
            wake_all(&mut wakers);
        } else {
            self.phase = Phase::Done;
            let _gave_back = GaveBack(self);
            self.batch().release(self.asked);
        }
    }

    fn gave_back(&self) {
        if let Some(gate) = &self.gate {
            gate.gave_back();
        }
    }
}

/// The method that `tracing` is told of as the one that waits.
const fn source(kind: WaitKind) -> &'static str {
    match kind {
        WaitKind::Mutex => "Mutex::lock",
        WaitKind::RwLockRead => "RwLock::read",
        WaitKind::RwLockWrite => "RwLock::write",
        WaitKind::MpscSend => "Sender::send",
        WaitKind::OnceCell => "OnceCell::get_or_init",
        _ => "Semaphore::acquire",
    }
}

/// Tells the gate when it is dropped.
struct GaveBack<'a, G: Gate>(&'a Acquire<G>);

impl<G: Gate> Drop for GaveBack<'_, G> {
    fn drop(&mut self) {
        self.0.gave_back();
    }
}

impl<G: Gate> Future for Acquire<G> {
    type Output = G::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<G::Output> {
        // SAFETY: the node is not moved; the gate is never pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let polling = match &this.gate {
            Some(gate) => this.operation.poll(&gate.semaphore().trace, source(G::KIND), "poll"),
            None => Polling::none(),
        };
        let polled = this.poll_permits(cx);
        polling.end(polled.is_ready());
        polled
    }
}

impl<G: Gate> Drop for Acquire<G> {
    #[inline]
    fn drop(&mut self) {
        if matches!(self.phase, Phase::Queued | Phase::Held) {
            self.drop_slow();
        }
    }
}

impl<G: Gate> fmt::Debug for Acquire<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").field("permits", &self.asked).field("place", self.place).finish()
    }
}
