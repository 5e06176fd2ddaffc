//! What the monitor reads of a worker that goes from one poll to the next: which call it is, whether
//! it is outside, and what is said of it. The tasks have their polls' numbers, so that what belongs
//! together can be told.
#![cfg(shinkan_loom)]

use loom::sync::Arc;
use loom::sync::atomic::{Ordering, fence};
use loom::thread;
use shinkan_base::place::PlaceWord;
use shinkan_rt::handshake::Seat;

fn heavy() {
    fence(Ordering::SeqCst);
}

/// A tenant in its first call of user code. Where nobody takes the core, `asymmetric`: without a
/// fence of its own, which would order more than the reader may count on.
fn in_user_code(asymmetric: bool) -> Arc<Seat> {
    let seat = Seat::new(asymmetric);
    seat.leave_to_poll(1, PlaceWord::NONE);
    Arc::new(seat)
}

#[test]
fn the_core_is_taken_from_the_poll_that_was_judged() {
    loom::model(|| {
        let seat = in_user_code(false);
        let its_seat = seat.clone();
        let worker = thread::spawn(move || {
            if its_seat.enter() {
                its_seat.leave_to_poll(2, PlaceWord::NONE);
            }
        });
        let taken = seat.try_take(1, heavy);
        worker.join().unwrap();
        if taken {
            assert_eq!(seat.sequence(), 1, "another poll lost the core");
        }
    });
}

// Below, the tenant is the thread that the checker runs first: it tries no order in which a thread goes
// before another's load, where that thread has loaded the same word itself before it stores.

#[test]
fn what_is_said_belongs_to_the_call_that_was_seen() {
    loom::model(|| {
        let seat = in_user_code(true);
        let its_seat = seat.clone();
        let monitor = thread::spawn(move || {
            let sequence = its_seat.sequence();
            if its_seat.is_outside() {
                let (task, _) = its_seat.said();
                if its_seat.sequence() == sequence {
                    assert_eq!(task, sequence, "another call's");
                }
            }
        });
        if seat.enter() {
            seat.leave_to_poll(2, PlaceWord::NONE);
        }
        monitor.join().unwrap();
    });
}

#[test]
fn a_call_that_is_seen_twice_has_gone_on_meanwhile() {
    loom::model(|| {
        let seat = in_user_code(true);
        let its_seat = seat.clone();
        let monitor = thread::spawn(move || {
            let look = || {
                let sequence = its_seat.sequence();
                let outside = its_seat.is_outside();
                (sequence, outside, its_seat.said().0)
            };
            let (first, second) = (look(), look());
            if first.1 && second.1 && first.0 == second.0 {
                assert_eq!(
                    first.2, first.0,
                    "the first look saw the call that the second one sees"
                );
            }
        });
        // A task is woken within the call.
        if seat.enter() {
            seat.leave();
        }
        if seat.enter() {
            seat.leave_to_call(2, PlaceWord::NONE);
        }
        monitor.join().unwrap();
    });
}
