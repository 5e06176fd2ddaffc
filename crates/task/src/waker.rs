//! The standard library's `Waker` over a task: its pointer and one table for all tasks.
//! Called on any thread, by anybody who kept a waker; never polls.

use crate::header::{Header, Hold, Ptr};
use crate::outcome::Wake;
use crate::runnable::Runnable;
use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};
use core::task::{RawWaker, RawWakerVTable, Waker};

/// A static, so that it has one address and `will_wake` can compare it.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// The waker that a poll lends to the future: no reference is counted for it.
#[inline(always)]
pub(crate) fn borrowed(task: Ptr) -> ManuallyDrop<Waker> {
    // SAFETY:
    // - the table's functions keep the contract of `RawWaker` for a pointer whose reference is
    //   counted; this one is never dropped, and whoever made it holds a reference meanwhile.
    ManuallyDrop::new(unsafe { Waker::new(task.as_ptr().cast_const().cast(), &VTABLE) })
}

/// A waker with a reference of its own.
#[inline]
pub(crate) fn counted(task: Ptr) -> Waker {
    Waker::clone(&borrowed(task))
}

#[inline(always)]
fn task_of(data: *const ()) -> Ptr {
    // SAFETY: every waker of this table was made from a pointer that is not null.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast::<Header>()) }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    let task = task_of(data);
    // SAFETY: a waker holds a reference, so its task is alive.
    let header = unsafe { task.as_ref() };
    header.origin.mark().cloned();
    header.state.add_ref();
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    let task = task_of(data);
    // SAFETY: as in `clone`.
    let header = unsafe { task.as_ref() };
    header.origin.mark().wakes();
    match header.state.wake_by_val() {
        Wake::Nothing => {}
        // SAFETY: the waker's reference became the Runnable's.
        Wake::Submit => unsafe { (header.vtable.schedule)(task, Hold::Given) },
        // SAFETY: the waker's reference was the last.
        Wake::Free => unsafe { (header.vtable.free)(task) },
    }
}

/// Wakes the task of this waker for the scheduler of that [home](crate::Schedule::home), which queues the
/// Runnable itself: no code of anybody else runs.
///
/// # Errors
/// The waker, which is to be called: it is another scheduler's or no task's, or its task does not
/// sleep, or somebody is told of its wakers.
#[inline]
pub fn runnable_of(waker: Waker, home: NonNull<()>) -> Result<Runnable, Waker> {
    if !ptr::eq(waker.vtable(), &VTABLE) {
        return Err(waker);
    }
    let task = task_of(waker.data());
    // SAFETY: as in `clone`.
    let header = unsafe { task.as_ref() };
    // SAFETY: alive, as above.
    let is_theirs =
        header.origin.mark().is_none() && unsafe { (header.vtable.home)(task) } == Some(home);
    if !is_theirs || !header.state.wake_asleep() {
        return Err(waker);
    }
    core::mem::forget(waker);
    // SAFETY: the state says queued since just now, and the waker's reference became the Runnable's.
    Ok(unsafe { Runnable::from_ptr(task) })
}

unsafe fn wake_by_ref(data: *const ()) {
    let task = task_of(data);
    // SAFETY: as in `clone`.
    unsafe { task.as_ref() }.origin.mark().wakes_by_ref();
    // SAFETY: the caller's waker holds a reference until after this call.
    unsafe { wake_kept(task) };
}

/// Wakes a task that the caller keeps alive.
///
/// # Safety
/// The caller's reference outlives the call.
#[inline]
pub(crate) unsafe fn wake_kept(task: Ptr) {
    // SAFETY: alive (the caller's word).
    let header = unsafe { task.as_ref() };
    if header.state.wake_by_ref() == Wake::Submit {
        // SAFETY: the Runnable's reference was counted; the caller keeps its own.
        unsafe { (header.vtable.schedule)(task, Hold::Kept) };
    }
}

unsafe fn drop_waker(data: *const ()) {
    let task = task_of(data);
    // SAFETY: as in `clone`.
    unsafe { task.as_ref() }.origin.mark().dropped();
    // SAFETY: the waker's reference ends here.
    unsafe { drop_ref(task) };
}

/// Ends one reference.
///
/// # Safety
/// The reference is the caller's, who does not use the task again.
#[inline]
pub(crate) unsafe fn drop_ref(task: Ptr) {
    // SAFETY: alive (the caller's word).
    let header = unsafe { task.as_ref() };
    if header.state.drop_ref() {
        // SAFETY: it was the last one.
        unsafe { free(task) };
    }
}

/// Frees a task.
///
/// # Safety
/// The caller had the last reference.
#[inline]
pub(crate) unsafe fn free(task: Ptr) {
    // SAFETY: nobody else can free it.
    let free = unsafe { task.as_ref() }.vtable.free;
    // SAFETY: the caller's word.
    unsafe { free(task) };
}
