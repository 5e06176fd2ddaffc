//! The memory of one task: header, scheduler, and one place for the future and then its output.
//!
//! Everything here is done once a task or once a poll, for one type of future; `raw` has what all
//! share. The future is moved once, into its place, and is dropped there.

use crate::error::JoinError;
use crate::header::{Header, Hold, Ptr, Vtable};
use crate::id::Id;
use crate::origin::Origin;
use crate::outcome::{Complete, Completer, EndPoll};
use crate::runnable::Runnable;
use crate::schedule::Schedule;
use crate::task_ref::TaskRef;
use crate::waker;
use core::any::Any;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use shinkan_base::atomics::UnsafeCell;
use shinkan_context::{FrameGuard, enter_frame};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a task ends with.
pub(crate) type Outcome<T> = Result<T, JoinError>;

#[repr(C)]
struct TaskCell<F: Future, S> {
    header: Header,
    scheduler: S,
    place: UnsafeCell<Place<F>>,
}

/// The future in rows 1 to 7 of the state's table, until whoever owns it drops it; then the output
/// until the join handle takes or drops it.
#[repr(C)]
union Place<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<Outcome<F::Output>>,
}

/// Makes a task and returns its pointer, with the three references that `State::new` counts.
#[inline]
pub(crate) fn allocate<F, S>(future: F, scheduler: S, id: Id, origin: Origin) -> Ptr
where
    F: Future,
    S: Schedule,
{
    // Field by field, so that the future is moved once: from the caller's frame into its place.
    let mut cell = Box::<TaskCell<F, S>>::new_uninit();
    let raw = cell.as_mut_ptr();
    let header = Header::new(id.as_u64(), origin, &Typed::<F, S>::VTABLE);
    // SAFETY: a field of memory that is the box's.
    let to = unsafe { &raw mut (*raw).header };
    // SAFETY: fresh memory, nothing is overwritten.
    unsafe { to.write(header) };
    // SAFETY: a field of memory that is the box's.
    let to = unsafe { &raw mut (*raw).scheduler };
    // SAFETY: fresh memory, nothing is overwritten.
    unsafe { to.write(scheduler) };
    // SAFETY: a field of memory that is the box's.
    let to = unsafe { &raw mut (*raw).place };
    // SAFETY: fresh memory, nothing is overwritten.
    unsafe { to.write(UnsafeCell::new(Place { future: ManuallyDrop::new(future) })) };
    let raw = Box::into_raw(cell).cast::<Header>();
    // SAFETY: a box is not null.
    unsafe { NonNull::new_unchecked(raw) }
}

/// Drops the future of a task while the panic of its poll still unwinds, so that what is dropped
/// with it can ask `std::thread::panicking`: so a lock learns that it is poisoned. A second panic
/// stays in here; one that left would end the process.
struct Unwinding<'a, F: Future, S: Schedule>(&'a Typed<F, S>);

impl<F: Future, S: Schedule> Drop for Unwinding<'_, F, S> {
    fn drop(&mut self) {
        // SAFETY:
        // - ours: the poll that made this value has the future until `end_poll` or `complete`.
        // - in its place, and dropped once: a poll that returns forgets this value first.
        quietly(|| unsafe { self.0.drop_future() });
    }
}

/// A live task whose future and scheduler are of these types, and the right that the vtable's
/// caller has to it.
struct Typed<F, S> {
    task: Ptr,
    _types: PhantomData<fn(F, S)>,
}

impl<F: Future, S: Schedule> Typed<F, S> {
    const VTABLE: Vtable = Vtable {
        poll: Self::poll,
        cancel: Self::cancel,
        schedule: Self::schedule,
        home: Self::home,
        take_output: Self::take_output,
        drop_output: Self::drop_output,
        free: Self::free,
        future_size: size_of::<F>(),
    };

    /// # Safety
    /// `Vtable::poll`.
    unsafe fn poll(task: Ptr) {
        let this = Self { task, _types: PhantomData };
        let header = this.header();
        let frame = enter_frame(&header.frame);
        header.frame.wait.clear();
        let waker = waker::borrowed(task);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let unwinding = Unwinding(&this);
            // SAFETY: the future is ours from `begin` (row 3) until `end_poll` or `complete`.
            let polled = unsafe { this.poll_future(&mut Context::from_waker(&waker)) };
            core::mem::forget(unwinding);
            if polled.is_ready() {
                // SAFETY: as above; where this panics, it was dropped all the same.
                unsafe { this.drop_future() };
            }
            polled
        }));
        let outcome = match polled {
            Ok(Poll::Ready(output)) => Ok(output),
            Ok(Poll::Pending) => {
                drop(frame);
                // SAFETY: as above; the future is in its place.
                return unsafe { this.end_poll() };
            }
            Err(payload) => {
                this.scheduler().unhandled_panic();
                Err(JoinError::panic(this.id(), payload))
            }
        };
        // SAFETY: the poller completes; the future was dropped.
        unsafe { this.finish(Completer::Poller, outcome, frame) };
    }

    /// # Safety
    /// The poll that `begin` started ended Pending.
    unsafe fn end_poll(&self) {
        match self.header().state.end_poll() {
            EndPoll::Idle => {}
            // SAFETY: row 2: the poller's reference is the Runnable's now.
            EndPoll::Requeue => unsafe { self.give_runnable(Hold::Given, S::yield_now) },
            // SAFETY: still row 3 or 4, the future in its place.
            EndPoll::Cancel => unsafe { Self::cancel(self.task, Completer::Poller) },
            // SAFETY: the last reference was ours.
            EndPoll::Free => unsafe { Self::free(self.task) },
        }
    }

    /// # Safety
    /// `Vtable::cancel`.
    unsafe fn cancel(task: Ptr, by: Completer) {
        let this = Self { task, _types: PhantomData };
        let frame = enter_frame(&this.header().frame);
        // SAFETY: the caller owns the future, which is in its place, and drops it here alone.
        let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { this.drop_future() }));
        let error = match dropped {
            Ok(()) => JoinError::cancelled(this.id()),
            Err(payload) => JoinError::panic(this.id(), payload),
        };
        // SAFETY: the future was dropped.
        unsafe { this.finish(by, Err(error), frame) };
    }

    /// Stores the outcome, leaves the registry, ends the task and wakes the joiner. The frame is
    /// left before the task can be gone, so that no waker's code finds a dangling one.
    ///
    /// # Safety
    /// The caller owns the place, in which there is no future any more, and one reference, which
    /// ends here.
    #[inline]
    unsafe fn finish(&self, by: Completer, outcome: Outcome<F::Output>, frame: FrameGuard) {
        let header = self.header();
        let mut has_output = header.state.has_join_handle();
        if has_output {
            let output = ManuallyDrop::new(outcome);
            self.cell_place().with_mut(|place| {
                let value = Place { output };
                // SAFETY: the place is ours and holds nothing that must be dropped.
                unsafe { place.write(value) };
            });
        } else {
            quietly(|| drop(outcome));
        }
        drop(frame);
        // SAFETY: our reference keeps the task alive; this one more is not counted, nor dropped.
        let lent = ManuallyDrop::new(unsafe { TaskRef::from_ptr(self.task) });
        let mut refs = 1;
        if let Some(registered) = self.scheduler().release(&lent) {
            debug_assert!(registered.ptr() == self.task, "another task was released");
            // Both references end in one step.
            if registered.ptr() == self.task {
                refs += 1;
                core::mem::forget(registered);
            }
        }
        loop {
            match header.state.complete(by, refs, has_output) {
                Complete::Finished => return,
                // SAFETY: the last reference was ours.
                Complete::Free => return unsafe { Self::free(self.task) },
                // SAFETY: DONE and JOIN_WAKER are set: the slot is ours.
                Complete::TellJoiner => return unsafe { self.tell_joiner(refs) },
                Complete::Unwanted => {
                    has_output = false;
                    let _frame = enter_frame(&header.frame);
                    // SAFETY: the handle went before the task was done, so the output is ours.
                    quietly(|| unsafe { self.drop_stored_output() });
                }
            }
        }
    }

    /// # Safety
    /// The slot of the join waker is the caller's and holds one; so are `refs` references.
    #[inline]
    unsafe fn tell_joiner(&self, refs: usize) {
        let state = &self.header().state;
        let waker = self.header().join_waker.with(|slot| {
            // SAFETY: the slot holds a waker and is ours; `joiner_told` empties it.
            unsafe { slot.cast::<Waker>().read() }
        });
        if state.joiner_told(refs) {
            // SAFETY: the last reference was ours.
            unsafe { Self::free(self.task) };
        }
        quietly(|| waker.wake());
    }

    /// # Safety
    /// `Vtable::schedule`.
    unsafe fn schedule(task: Ptr, hold: Hold) {
        let this = Self { task, _types: PhantomData };
        // SAFETY: the caller's Runnable is passed on.
        unsafe { this.give_runnable(hold, S::schedule) };
    }

    /// # Safety
    /// `Vtable::home`.
    unsafe fn home(task: Ptr) -> Option<NonNull<()>> {
        let this = Self { task, _types: PhantomData };
        this.scheduler().home()
    }

    /// # Safety
    /// `Vtable::schedule`.
    #[inline]
    unsafe fn give_runnable(&self, hold: Hold, give: impl FnOnce(&S, Runnable)) {
        // SAFETY: the caller's word.
        let runnable = unsafe { Runnable::from_ptr(self.task) };
        // The scheduler stands in the task, which may run and end on another thread while the
        // call goes on: unless it can be copied for nothing, a reference keeps both alive.
        if let Some(scheduler) = self.scheduler().copy() {
            give(&scheduler, runnable);
        } else if hold == Hold::Kept {
            give(self.scheduler(), runnable);
        } else {
            self.header().state.add_ref();
            // SAFETY: counted in the line above.
            let keep = unsafe { TaskRef::from_ptr(self.task) };
            give(self.scheduler(), runnable);
            drop(keep);
        }
    }

    /// # Safety
    /// `Vtable::take_output`.
    unsafe fn take_output(task: Ptr, to: *mut ()) {
        let this = Self { task, _types: PhantomData };
        let to = to.cast::<Outcome<F::Output>>();
        this.cell_place().with_mut(|place| {
            // SAFETY: the output is there, at the place's start (`repr(C)`), and it is the caller's;
            // both are good for one outcome, and do not overlap.
            unsafe { to.copy_from_nonoverlapping(place.cast(), 1) };
        });
    }

    /// # Safety
    /// `Vtable::drop_output`.
    unsafe fn drop_output(task: Ptr) {
        let this = Self { task, _types: PhantomData };
        let _frame = enter_frame(&this.header().frame);
        // SAFETY: the caller's word.
        unsafe { this.drop_stored_output() };
    }

    /// # Safety
    /// `Vtable::free`.
    unsafe fn free(task: Ptr) {
        let this = Self { task, _types: PhantomData };
        if !this.header().state.is_done() {
            let _frame = enter_frame(&this.header().frame);
            // SAFETY: we are alone, and a task that never ended has its future.
            quietly(|| unsafe { this.drop_future() });
        }
        let raw = task.as_ptr().cast::<TaskCell<F, S>>();
        // SAFETY: the task is alive until the box goes.
        let scheduler = unsafe { &raw mut (*raw).scheduler };
        // SAFETY: we are alone; it is not used again.
        unsafe { scheduler.drop_in_place() };
        // The origin's tag, if there is one; and the model checker's atomics are told of their end.
        // SAFETY: we are alone; it is not used again.
        unsafe { task.drop_in_place() };
        let raw = raw.cast::<MaybeUninit<TaskCell<F, S>>>();
        // SAFETY: made by `allocate` as this box; nothing in it needs to be dropped any more.
        drop(unsafe { Box::from_raw(raw) });
    }

    /// # Safety
    /// The caller owns the future, which is in its place.
    #[inline]
    unsafe fn poll_future(&self, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.cell_place().with_mut(|place| {
            // SAFETY: the place is ours, and the future is in it, at its start (`repr(C)`).
            let future = unsafe { &mut *place.cast::<F>() };
            // SAFETY: pinned: it is never moved out of the box, and is dropped in its place.
            unsafe { Pin::new_unchecked(future) }.poll(cx)
        })
    }

    /// # Safety
    /// The caller owns the future, which is in its place, and does not use it again.
    #[inline]
    unsafe fn drop_future(&self) {
        self.cell_place().with_mut(|place| {
            // SAFETY: the place is ours, and the future is in it, at its start (`repr(C)`).
            unsafe { place.cast::<F>().drop_in_place() };
        });
    }

    /// # Safety
    /// The caller owns the output, which is in its place, and does not use it again.
    #[inline]
    unsafe fn drop_stored_output(&self) {
        self.cell_place().with_mut(|place| {
            // SAFETY: the place is ours, and the output is in it, at its start (`repr(C)`).
            unsafe { place.cast::<Outcome<F::Output>>().drop_in_place() };
        });
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: whoever made `self` keeps the task alive while it uses it.
        unsafe { self.task.as_ref() }
    }

    #[inline(always)]
    fn scheduler(&self) -> &S {
        let raw = self.task.as_ptr().cast::<TaskCell<F, S>>();
        // SAFETY: alive (as above), and written once, by `allocate`.
        unsafe { &(*raw).scheduler }
    }

    #[inline(always)]
    fn cell_place(&self) -> &UnsafeCell<Place<F>> {
        let raw = self.task.as_ptr().cast::<TaskCell<F, S>>();
        // SAFETY: alive (as above); a borrow of the cell claims nothing about its content.
        unsafe { &(*raw).place }
    }

    #[inline]
    fn id(&self) -> Id {
        Id::of(self.header())
    }
}

/// Calls user code whose panic nobody can be told of.
#[inline]
pub(crate) fn quietly(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        forget_payload_slow(payload);
    }
}

#[cold]
fn forget_payload_slow(payload: Box<dyn Any + Send>) {
    // A payload may panic in its drop, and so may that panic's: the second one is leaked.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        core::mem::forget(second);
    }
}

#[cfg(test)]
mod tests {
    use super::TaskCell;

    #[test]
    fn a_small_task_is_128_bytes() {
        type Small = core::future::Ready<u64>;
        assert_eq!(size_of::<TaskCell<Small, usize>>(), 128);
    }
}
