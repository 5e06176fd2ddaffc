//! The right to a task's output.
//!
//! The handle and whoever completes the task meet in the state word and in the slot of the join
//! waker; whose the slot is when, stands at the head of `state.rs`.

use crate::abort::AbortHandle;
use crate::cell::{Outcome, quietly};
use crate::error::JoinError;
use crate::header::{Header, Ptr};
use crate::id::Id;
use crate::outcome::{Join, LeaveJoin};
use crate::task_ref::TaskRef;
use crate::waker;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::panic::{Location, RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use shinkan_base::canary;
use shinkan_base::wait::WaitKind;
use shinkan_context::{budget, pending};

/// Waits for a task to end and gives its output. Dropped, it lets the task run on alone.
///
/// # Cancel safety
/// A `&mut JoinHandle` that is awaited and dropped loses nothing: the output stays until it is
/// taken.
///
/// # Panics
/// When it is polled again after it gave the output.
pub struct JoinHandle<T> {
    task: Ptr,
    // Whether the output was given.
    taken: bool,
    _output: PhantomData<T>,
}

// SAFETY:
// - the handle moves one `T`, or its drop, from the task's thread to its own.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared borrow reaches the header alone.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}
impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    /// The task's output is a `T`; the reference and the state's join interest are the handle's.
    #[inline]
    pub(crate) unsafe fn from_ptr(task: Ptr) -> Self {
        Self { task, taken: false, _output: PhantomData }
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: our reference keeps the task alive.
        unsafe { self.task.as_ref() }
    }

    /// Aborts the task: its future is dropped where it would be polled next, and this handle gets
    /// a [`JoinError`] that says cancelled, unless the task ends by itself first. Returns at once;
    /// await the handle to know that the future is gone.
    pub fn abort(&self) {
        // SAFETY: ours is a counted reference; it is lent, not dropped.
        let lent = ManuallyDrop::new(unsafe { TaskRef::from_ptr(self.task) });
        lent.abort();
    }

    /// Whether the task has ended. A task that was aborted may still be about to.
    pub fn is_finished(&self) -> bool {
        self.header().state.is_done()
    }

    /// A handle that can abort the task and does not wait for it.
    #[must_use = "an abort handle does nothing unless its `abort` is called"]
    pub fn abort_handle(&self) -> AbortHandle {
        // SAFETY: ours is a counted reference; it is lent, not dropped.
        let lent = ManuallyDrop::new(unsafe { TaskRef::from_ptr(self.task) });
        AbortHandle::new(lent.duplicate())
    }

    /// The number of the task.
    pub fn id(&self) -> Id {
        Id::of(self.header())
    }

    /// Has `waker` woken when the task ends; at once, if it has. For sets of handles.
    #[doc(hidden)]
    pub fn set_join_waker(&mut self, waker: &Waker) {
        if self.register(waker) {
            waker.wake_by_ref();
        }
    }

    /// True: the task is done. Else its end will wake `waker`.
    #[inline]
    fn register(&mut self, waker: &Waker) -> bool {
        let header = self.header();
        match header.state.begin_join() {
            Join::Done => return true,
            Join::Empty => {}
            Join::Registered => {
                let same = header.join_waker.with(|slot| {
                    // SAFETY: published by us; who completes the task may take it meanwhile, by
                    // reading it too.
                    unsafe { &*slot.cast::<Waker>() }.will_wake(waker)
                });
                if same {
                    return false;
                }
                if !header.state.withdraw_waker() {
                    return true;
                }
                // SAFETY: withdrawn: the slot is ours and holds a waker.
                drop(unsafe { take_waker(header) });
            }
        }
        // The clone may panic, so it comes before the slot is touched.
        let waker = waker.clone();
        let early = canary("task_publish_waker_early") && header.state.publish_waker();
        header.join_waker.with_mut(|slot| {
            // SAFETY: the slot is ours and empty.
            unsafe { *slot = MaybeUninit::new(waker) };
        });
        if early || header.state.publish_waker() {
            return false;
        }
        // SAFETY: not published: the slot is still ours and holds the waker.
        drop(unsafe { take_waker(header) });
        true
    }
}

/// # Safety
/// The slot is the caller's and holds a waker.
#[inline]
unsafe fn take_waker(header: &Header) -> Waker {
    // SAFETY: the caller's word; the slot counts as empty from now on.
    header.join_waker.with_mut(|slot| unsafe { slot.cast::<Waker>().read() })
}

impl<T> JoinHandle<T> {
    /// As `poll`, for a leaf of which the task is a part: the record of the waiting task names
    /// what the leaf is, and where it was made.
    ///
    /// # Panics
    /// As `poll`.
    #[doc(hidden)]
    pub fn poll_as(
        &mut self,
        cx: &mut Context<'_>,
        kind: WaitKind,
        resource: usize,
        place: &'static Location<'static>,
    ) -> Poll<Result<T, JoinError>> {
        assert!(
            !self.taken,
            "a JoinHandle was polled again after it had given the output of its task: await it \
             once, or fuse it"
        );
        let Poll::Ready(unit) = budget::poll_proceed(cx) else {
            pending(WaitKind::Budget, resource, place);
            return Poll::Pending;
        };
        if !self.register(cx.waker()) {
            pending(kind, resource, place);
            return Poll::Pending;
        }
        let mut outcome = MaybeUninit::<Outcome<T>>::uninit();
        let take = self.header().vtable.take_output;
        // SAFETY: done, with our join interest set and not taken: the output is there and ours.
        unsafe { take(self.task, outcome.as_mut_ptr().cast()) };
        self.taken = true;
        unit.made_progress();
        // SAFETY: written in the line above.
        Poll::Ready(unsafe { outcome.assume_init() })
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (id, place) = (this.header().frame.id, this.header().origin.place());
        this.poll_as(cx, WaitKind::Join, id as usize, place)
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        let header = self.header();
        let last = match header.state.leave_join() {
            LeaveJoin::Left => return,
            LeaveJoin::Free => true,
            LeaveJoin::DropWaker => {
                // SAFETY: the slot is ours, by the answer.
                let waker = unsafe { take_waker(header) };
                quietly(|| drop(waker));
                header.state.drop_ref()
            }
            LeaveJoin::DropOutput => {
                if !self.taken {
                    let drop_output = header.vtable.drop_output;
                    // SAFETY: done, with our join interest set and not taken: it is ours.
                    quietly(|| unsafe { drop_output(self.task) });
                }
                header.state.leave_done()
            }
        };
        if last {
            // SAFETY: our reference was the last.
            unsafe { waker::free(self.task) };
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id()).finish()
    }
}
