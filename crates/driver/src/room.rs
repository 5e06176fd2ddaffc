//! Room in the process's table of descriptors, made before it is needed.
//!
//! The kernel doubles the table when a number lies beyond it, within the call that opens the
//! descriptor; with several threads that call takes as long as it takes all processors to let go of
//! the old table, 8 to 24 ms at each doubling: an `accept` for the 64th, 128th, 256th descriptor. So
//! the first driver makes room (six microseconds, as long as the process has one thread), and a thread
//! of its own doubles it when three quarters are in use. Meanwhile others open descriptors in what is
//! left.

use shinkan_base::atomics::plain::{AtomicU32, Ordering};
use shinkan_sys::{fd, threads};
use std::os::fd::RawFd;

/// What the first driver makes: 8 KiB of the kernel's memory.
const START: u32 = 1024;

/// How many descriptors the table holds as far as was seen to; [`ENOUGH`] once nothing more is done.
/// Nothing is published by it: each value stands for itself.
static ROOM: AtomicU32 = AtomicU32::new(0);

const ENOUGH: u32 = u32::MAX;

/// Before the first descriptor is registered.
#[cold]
pub(crate) fn at_start() {
    if ROOM.load(Ordering::Relaxed) == 0 {
        make(0, START);
    }
}

/// This one is in use.
#[inline]
pub(crate) fn holds(fd: RawFd) {
    let room = ROOM.load(Ordering::Relaxed);
    if is_short(room, fd) {
        more(room);
    }
}

fn is_short(room: u32, fd: RawFd) -> bool {
    u32::try_from(fd).is_ok_and(|fd| fd >= room - room / 4)
}

#[cold]
fn more(room: u32) {
    let larger = room.max(START).saturating_mul(2);
    // One of those who see it starts the thread.
    if ROOM.compare_exchange(room, larger, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        // Without a thread the kernel does it when it has to, and the next doubling is tried again.
        drop(threads::spawn("shinkan-room".into(), None, move || make(larger, larger)));
    }
}

/// Makes room for `count`, where `ROOM` is `now`.
fn make(now: u32, count: u32) {
    let after = match fd::make_room(count) {
        // The process may have no more.
        Ok(made) if made < count => ENOUGH,
        // None was left to try with: as before, the kernel does it.
        Ok(_) | Err(_) => count,
    };
    // Else another one has gone further.
    let _ = ROOM.compare_exchange(now, after, Ordering::Relaxed, Ordering::Relaxed);
}
