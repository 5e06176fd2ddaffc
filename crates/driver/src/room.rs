//! Room in the process's table of descriptors, made before it is needed.
//!
//! The kernel doubles the table when a number lies beyond it, within the call that opens the
//! descriptor; with several threads that call takes as long as it takes all processors to let go of
//! the old table, 8 to 24 ms at each doubling: an `accept` for the 64th, 128th, 256th descriptor. So
//! the first driver of a process with one thread makes room at once, in six microseconds; later, and
//! where there are threads already, a thread of its own does when three quarters are in use. Meanwhile
//! others open descriptors in what is left: who opens more at once than that waits, as without it.

use shinkan_base::atomics::plain::{AtomicU32, Ordering};
use shinkan_sys::{fd, threads, usage};
use std::os::fd::RawFd;

/// What the kernel begins with.
const LEAST: u32 = 64;

/// What is made first: 8 KiB of the kernel's memory.
const START: u32 = 1024;

/// How many descriptors the table holds as far as was seen to, or tried; 0 before the first driver.
/// Nothing is published by it: each value stands for itself.
static ROOM: AtomicU32 = AtomicU32::new(0);

/// Before the first descriptor is registered.
#[cold]
pub(crate) fn at_start() {
    if ROOM.load(Ordering::Relaxed) != 0 {
        return;
    }
    let is_alone = usage::thread_count().is_ok_and(|count| count == 1);
    // Where that fails, or is refused, the kernel does it when it has to.
    let room = if is_alone && fd::make_room(START).is_ok() { START } else { LEAST };
    // Else another driver was first.
    let _ = ROOM.compare_exchange(0, room, Ordering::Relaxed, Ordering::Relaxed);
}

/// This one is in use.
#[inline]
pub(crate) fn holds(fd: RawFd) {
    let room = ROOM.load(Ordering::Relaxed);
    let Ok(fd) = u32::try_from(fd) else { return };
    if is_short(room, fd) {
        more(room, fd);
    }
}

#[inline]
fn is_short(room: u32, fd: u32) -> bool {
    fd >= room - room / 4
}

/// How large the table is to be, at least, and whether it is that already, since it holds `fd`.
fn wanted(room: u32, fd: u32) -> (u32, bool) {
    let there = room.max((fd + 1).next_power_of_two());
    match is_short(there, fd) {
        false => (there, true),
        true => (there.saturating_mul(2).max(START), false),
    }
}

#[cold]
fn more(room: u32, fd: u32) {
    let (larger, is_there) = wanted(room, fd);
    let changed = ROOM.compare_exchange(room, larger, Ordering::Relaxed, Ordering::Relaxed);
    // One of those who see that it is short starts the thread.
    if changed.is_ok() && !is_there {
        let make = move || drop(fd::make_room(larger));
        // Without a thread, or beyond the limit of descriptors, the next doubling is tried again.
        drop(threads::spawn("shinkan-room".into(), None, make));
    }
}

#[cfg(test)]
mod tests {
    use super::{START, is_short, wanted};

    #[test]
    fn it_is_doubled_once_however_far_a_number_lies_beyond() {
        assert_eq!(wanted(64, 48), (START, false));
        assert_eq!(wanted(START, 768), (2 * START, false));
        for (room, fd) in
            [(64, 70_000), (START, 70_000), (START, 100_003), (1 << 30, i32::MAX as u32)]
        {
            let (larger, is_there) = wanted(room, fd);
            assert!(!is_short(larger, fd), "{room}, {fd}: {larger}");
            assert_eq!(is_there, fd == 70_000);
        }
    }
}
