//! The core's handshake: a worker that enters and leaves, a monitor that takes the core, the
//! worker's return, and the end of the runtime. The core is a cell that loom watches: two threads
//! in it at once, or one that does not see what the other wrote, is the failure.
#![cfg(shinkan_loom)]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{Ordering, fence};
use loom::thread;
use shinkan_base::place::PlaceWord;
use shinkan_rt::handshake::Seat;

struct Core(UnsafeCell<u32>);

// SAFETY:
// - who may touch the cell is what the seat decides, and what the model checks.
unsafe impl Sync for Core {}
// SAFETY: as above.
unsafe impl Send for Core {}

impl Core {
    fn touch(&self) -> u32 {
        self.0.with_mut(|core| {
            // SAFETY: loom fails the model if another thread is in the cell now.
            unsafe { *core += 1 };
            // SAFETY: as above.
            unsafe { *core }
        })
    }
}

fn heavy() {
    fence(Ordering::SeqCst);
}

/// A tenant in its first call of user code, and its core.
fn in_user_code() -> (Arc<Seat>, Arc<Core>) {
    let seat = Seat::new(false);
    seat.leave_to_poll(1, PlaceWord::NONE);
    (Arc::new(seat), Arc::new(Core(UnsafeCell::new(0))))
}

/// A tenant enters twice while the monitor tries to take the core, so many times at most.
fn two_entries_meet(attempts: usize) {
    let (seat, core) = in_user_code();
    let (its_seat, its_core) = (seat.clone(), core.clone());
    let worker = thread::spawn(move || {
        // A task is woken in the poll, then a second one.
        let mut times = 0;
        for _ in 0..2 {
            if its_seat.enter() {
                its_core.touch();
                times += 1;
                its_seat.leave();
            }
        }
        times
    });
    let sequence = seat.sequence();
    let taken = (0..attempts).any(|_| seat.try_take(sequence, heavy));
    let seen = if taken { core.touch() } else { 0 };
    let times = worker.join().unwrap();
    if taken {
        assert!(!seat.enter(), "the tenure is over");
        assert_eq!(seen, times + 1, "the taker sees all that the tenant did");
    } else {
        assert!(seat.enter(), "nobody took it");
        assert_eq!(core.touch(), times + 1);
    }
}

#[test]
fn worker_enters_while_monitor_takes() {
    loom::model(|| two_entries_meet(1));
}

#[test]
fn a_claim_that_stays_costs_the_monitor_one_attempt() {
    loom::model(|| {
        let (seat, core) = in_user_code();
        let (its_seat, its_core) = (seat.clone(), core.clone());
        let worker = thread::spawn(move || {
            let inside = its_seat.enter();
            if inside {
                its_core.touch();
                its_seat.leave();
            }
            u32::from(inside)
        });
        let early = seat.try_take(1, heavy) || seat.try_take(1, heavy);
        let seen = if early { core.touch() } else { 0 };
        let times = worker.join().unwrap();
        if early {
            assert_eq!(seen, times + 1, "the taker sees all that the tenant did");
        } else {
            // The worker computes on, and claims nothing any more.
            assert!(seat.try_take(1, heavy) || seat.try_take(1, heavy), "the claim stays for ever");
            assert_eq!(core.touch(), times + 1);
        }
    });
}

#[test]
fn worker_returns_from_the_poll_while_monitor_takes() {
    loom::model(|| {
        let (seat, core) = in_user_code();
        let (its_seat, its_core) = (seat.clone(), core.clone());
        let worker = thread::spawn(move || {
            let back = its_seat.enter();
            if back {
                its_core.touch();
                // The next poll, of another task, which the monitor has not judged.
                its_seat.leave_to_poll(2, PlaceWord::NONE);
            }
            back
        });
        let taken = seat.try_take(1, heavy);
        if taken {
            core.touch();
        }
        let back = worker.join().unwrap();
        assert_ne!(taken, back, "it is taken from the poll that was judged, and from no other");
    });
}

#[test]
fn end_of_the_runtime_meets_the_monitor() {
    loom::model(|| {
        let (seat, core) = in_user_code();
        let (its_seat, its_core) = (seat.clone(), core.clone());
        let worker = thread::spawn(move || {
            if its_seat.enter() {
                its_core.touch();
                its_seat.surrender();
                // The core is the one that ends it: nobody can take it any more.
                its_core.touch();
                return true;
            }
            false
        });
        let taken = seat.try_take(1, heavy);
        if taken {
            core.touch();
        }
        assert_ne!(worker.join().unwrap(), taken, "exactly one ends the core");
        assert!(!seat.enter(), "the tenure is over, whoever ended it");
    });
}

#[test]
fn a_second_seizure_meets_the_first_tenant() {
    loom::model(|| {
        let (first, core) = in_user_code();
        let (its_seat, its_core) = (first.clone(), core.clone());
        let worker = thread::spawn(move || {
            if its_seat.enter() {
                its_core.touch();
                its_seat.leave();
            }
        });
        if first.try_take(1, heavy) {
            // The spare's tenure has a seat of its own, and loses it again.
            let (second, _) = in_user_code();
            core.touch();
            assert!(second.try_take(1, heavy));
            core.touch();
            assert!(!first.try_take(1, heavy), "a tenure ends once");
        }
        worker.join().unwrap();
    });
}

#[test]
fn two_attempts_meet_two_entries() {
    let mut model = loom::model::Builder::new();
    // Without this bound it takes a minute and a half, and was walked once.
    model.preemption_bound = Some(3);
    model.check(|| two_entries_meet(2));
}
