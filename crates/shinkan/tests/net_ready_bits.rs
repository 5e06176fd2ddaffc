//! What readiness says, by bit.

use shinkan::io::{Interest, Ready};

#[test]
fn each_bit_answers_for_itself() {
    let ready = |bits: Ready| {
        [
            bits.is_readable(),
            bits.is_writable(),
            bits.is_read_closed(),
            bits.is_write_closed(),
            bits.is_priority(),
            bits.is_error(),
        ]
    };
    // What is closed is ready: the operation ends at once.
    assert_eq!(ready(Ready::READ_CLOSED), [true, false, true, false, false, false]);
    assert_eq!(ready(Ready::WRITE_CLOSED), [false, true, false, true, false, false]);
    assert_eq!(ready(Ready::PRIORITY), [false, false, false, false, true, false]);
    assert_eq!(ready(Ready::ERROR), [false, false, false, false, false, true]);
    assert_eq!(ready(Ready::READABLE | Ready::ERROR), [true, false, false, false, false, true]);
    assert!(ready(Ready::ALL).iter().all(|bit| *bit));
    assert!(Ready::EMPTY.is_empty());
}

#[test]
fn an_interest_is_made_of_parts() {
    let interest = Interest::READABLE | Interest::PRIORITY | Interest::ERROR;
    assert!(interest.is_readable() && interest.is_priority() && interest.is_error());
    assert!(!interest.is_writable());
    let left = interest.remove(Interest::ERROR).unwrap().remove(Interest::READABLE).unwrap();
    assert_eq!(left, Interest::PRIORITY);
    assert_eq!(left.remove(Interest::PRIORITY), None, "an interest in nothing is none");
}
