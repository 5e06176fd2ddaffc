//! Walks rows × transitions of the table at the head of `state.rs`, and fails where they differ.

use super::*;

/// The bits of the rows 1 to 10.
const ROWS: [usize; 10] = [
    0,
    QUEUED,
    POLLING,
    QUEUED | POLLING,
    CLOSING,
    CLOSING | QUEUED,
    CLOSING | POLLING,
    DONE,
    DONE | QUEUED,
    DONE | POLLING,
];

/// A state in a row, with extra bits and references.
fn state(row: usize, extra: usize, refs: usize) -> State {
    State(AtomicUsize::new(ROWS[row - 1] | extra | (refs * REF)))
}

/// Row, extra bits and references of a state.
fn parts(state: &State) -> (usize, usize, usize) {
    let word = state.0.load(Relaxed);
    let row = word & (QUEUED | POLLING | ENDED);
    let row = ROWS.iter().position(|&bits| bits == row).expect("a row of the table") + 1;
    (row, word & (CANCELLED | JOIN_INTEREST | JOIN_WAKER), word / REF)
}

/// Whether the debug checks refuse it; without them there is nothing to see.
fn refused(f: impl FnOnce()) -> bool {
    let mut checked = false;
    debug_assert!({
        checked = true;
        checked
    });
    if !checked {
        return true;
    }
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err()
}

const ENDED_ROWS: core::ops::RangeInclusive<usize> = 5..=10;

#[test]
fn a_new_task_is_queued_with_three_references() {
    assert_eq!(parts(&State::new()), (2, JOIN_INTEREST, 3));
    assert_eq!(State::new().stage(), Stage::Queued);
}

#[test]
fn begin() {
    for extra in [0, CANCELLED, JOIN_INTEREST, JOIN_INTEREST | JOIN_WAKER] {
        for row in 1..=10 {
            let to = match row {
                2 => 3,
                6 => 7,
                9 => 10,
                // No Runnable exists in the other rows.
                _ => {
                    assert!(refused(|| _ = state(row, extra, 3).begin()), "row {row}");
                    continue;
                }
            };
            let state = state(row, extra, 3);
            let expected = match (row, extra) {
                (2, CANCELLED) => Begin::Cancel,
                (2, _) => Begin::Poll,
                _ => Begin::Void,
            };
            assert_eq!(state.begin(), expected);
            assert_eq!(parts(&state), (to, extra, 3));
        }
    }
}

#[test]
fn give_back() {
    for (from, to) in [(7, 5), (10, 8)] {
        let state = state(from, 0, 2);
        assert!(!state.give_back());
        assert_eq!(parts(&state), (to, 0, 1));
    }
    assert!(state(10, 0, 1).give_back());
    for row in (1..=6).chain(8..=9) {
        assert!(refused(|| _ = state(row, 0, 2).give_back()), "row {row}");
    }
}

#[test]
fn end_poll() {
    for row in 1..=10 {
        let state = state(row, JOIN_INTEREST, 3);
        let expected = match row {
            3 => (EndPoll::Idle, (1, JOIN_INTEREST, 2)),
            4 => (EndPoll::Requeue, (2, JOIN_INTEREST, 3)),
            _ => {
                assert!(refused(|| _ = state.end_poll()), "row {row}");
                continue;
            }
        };
        assert_eq!((state.end_poll(), parts(&state)), expected);
    }
    for row in [3, 4] {
        let state = state(row, CANCELLED, 1);
        assert_eq!((state.end_poll(), parts(&state)), (EndPoll::Cancel, (row, CANCELLED, 1)));
    }
    assert_eq!(state(3, 0, 1).end_poll(), EndPoll::Free);
    assert_eq!(state(4, 0, 1).end_poll(), EndPoll::Requeue);
}

#[test]
fn wake() {
    for row in 1..=10 {
        let by_ref = state(row, 0, 3);
        let expected = match row {
            1 => (Wake::Submit, (2, 0, 4)),
            3 => (Wake::Nothing, (4, 0, 3)),
            row => (Wake::Nothing, (row, 0, 3)),
        };
        assert_eq!((by_ref.wake_by_ref(), parts(&by_ref)), expected, "row {row}");

        let by_val = state(row, 0, 3);
        let expected = match row {
            1 => (Wake::Submit, (2, 0, 3)),
            3 => (Wake::Nothing, (4, 0, 2)),
            row => (Wake::Nothing, (row, 0, 2)),
        };
        assert_eq!((by_val.wake_by_val(), parts(&by_val)), expected, "row {row}");
    }
    for row in ENDED_ROWS {
        assert_eq!(state(row, 0, 1).wake_by_val(), Wake::Free);
    }
}

#[test]
fn wake_asleep() {
    for extra in [0, JOIN_INTEREST, JOIN_INTEREST | JOIN_WAKER] {
        for row in 1..=10 {
            let state = state(row, extra, 3);
            let before = state.0.load(Relaxed);
            let expected = match row {
                1 => (true, before | QUEUED),
                _ => (false, before),
            };
            assert_eq!((state.wake_asleep(), state.0.load(Relaxed)), expected, "row {row}");
            assert!(!state.wake_asleep(), "row {row}: it sleeps no more");
            assert_eq!(state.0.load(Relaxed), expected.1, "row {row}");
        }
    }
    let last = state(1, 0, 1);
    assert!(last.wake_asleep());
    assert_eq!(parts(&last), (2, 0, 1));
    for row in 2..=4 {
        let aborted = state(row, CANCELLED, 2);
        assert!(!aborted.wake_asleep(), "row {row}");
        assert_eq!(parts(&aborted), (row, CANCELLED, 2));
    }
}

#[test]
fn abort() {
    for row in 1..=10 {
        let fresh = state(row, 0, 3);
        let expected = match row {
            1 => (Wake::Submit, (2, CANCELLED, 4)),
            2..=4 => (Wake::Nothing, (row, CANCELLED, 3)),
            _ => (Wake::Nothing, (row, 0, 3)),
        };
        assert_eq!((fresh.abort(), parts(&fresh)), expected, "row {row}");
        let (row, _, refs) = parts(&fresh);
        assert_eq!(fresh.abort(), Wake::Nothing);
        assert_eq!((parts(&fresh).0, parts(&fresh).2), (row, refs));
    }
}

#[test]
fn close() {
    for row in 1..=10 {
        let state = state(row, 0, 3);
        let expected = match row {
            1 => (true, (5, CANCELLED, 3)),
            2 => (true, (6, CANCELLED, 3)),
            3 | 4 => (false, (row, CANCELLED, 3)),
            _ => (false, (row, 0, 3)),
        };
        assert_eq!((state.close(), parts(&state)), expected, "row {row}");
    }
}

#[test]
fn complete() {
    let join = JOIN_INTEREST;
    for (by, rows) in [
        (Completer::Poller, &[(3, 8), (4, 8)][..]),
        (Completer::Closer, &[(5, 8), (6, 9), (7, 10)][..]),
    ] {
        for &(from, to) in rows {
            let waits = state(from, join, 4);
            assert_eq!(waits.complete(by, 2, true), Complete::Finished);
            assert_eq!(parts(&waits), (to, join, 2));

            let told = state(from, join | JOIN_WAKER, 3);
            assert_eq!(told.complete(by, 2, true), Complete::TellJoiner);
            assert_eq!(parts(&told), (to, join | JOIN_WAKER, 3));
            assert!(!told.joiner_told(2));
            assert_eq!(parts(&told), (to, join, 1));

            let left = state(from, 0, 3);
            assert_eq!(left.complete(by, 2, true), Complete::Unwanted);
            assert_eq!(parts(&left), (from, 0, 3));
            assert_eq!(left.complete(by, 2, false), Complete::Finished);
            assert_eq!(parts(&left), (to, 0, 1));

            assert_eq!(state(from, 0, 2).complete(by, 2, false), Complete::Free);
        }
        for row in 1..=10 {
            if rows.iter().all(|&(from, _)| from != row) {
                assert!(refused(|| _ = state(row, 0, 3).complete(by, 1, false)), "row {row}");
            }
        }
    }
}

#[test]
fn the_joiner_leaves_while_it_is_told() {
    let state = state(8, JOIN_INTEREST | JOIN_WAKER, 3);
    assert_eq!(state.leave_join(), LeaveJoin::DropOutput);
    assert!(!state.leave_done());
    assert_eq!(parts(&state), (8, JOIN_WAKER, 2));
    assert!(state.joiner_told(2));
}

#[test]
fn join() {
    for row in 1..=10 {
        let empty = state(row, JOIN_INTEREST, 2);
        let full = state(row, JOIN_INTEREST | JOIN_WAKER, 2);
        if row >= 8 {
            assert_eq!((empty.begin_join(), full.begin_join()), (Join::Done, Join::Done));
            assert!(!empty.publish_waker());
            assert!(!full.withdraw_waker());
            continue;
        }
        assert_eq!((empty.begin_join(), full.begin_join()), (Join::Empty, Join::Registered));
        assert!(empty.publish_waker());
        assert_eq!(parts(&empty), (row, JOIN_INTEREST | JOIN_WAKER, 2));
        assert!(empty.withdraw_waker());
        assert_eq!(parts(&empty), (row, JOIN_INTEREST, 2));
        assert!(refused(|| _ = empty.withdraw_waker()));
        assert!(refused(|| _ = full.publish_waker()));
    }
}

#[test]
fn leave_join() {
    for row in 1..=7 {
        let empty = state(row, JOIN_INTEREST, 2);
        assert_eq!(empty.leave_join(), LeaveJoin::Left);
        assert_eq!(parts(&empty), (row, 0, 1));
        assert!(!empty.has_join_handle());
        let full = state(row, JOIN_INTEREST | JOIN_WAKER, 2);
        assert_eq!(full.leave_join(), LeaveJoin::DropWaker);
        assert_eq!(parts(&full), (row, 0, 2));
        assert_eq!(state(row, JOIN_INTEREST, 1).leave_join(), LeaveJoin::Free);
    }
    for row in 8..=10 {
        let done = state(row, JOIN_INTEREST, 2);
        assert_eq!(done.leave_join(), LeaveJoin::DropOutput);
        assert!(!done.leave_done());
        assert_eq!(parts(&done), (row, 0, 1));
        assert!(state(row, JOIN_INTEREST, 1).leave_done());
    }
}

#[test]
fn references() {
    for row in 1..=10 {
        let state = state(row, 0, 1);
        state.add_ref();
        assert_eq!(parts(&state), (row, 0, 2));
        assert!(!state.drop_ref());
        assert!(state.drop_ref());
    }
}

#[test]
fn a_reader_sees_the_stage() {
    let stages: Vec<_> = (1..=10).map(|row| state(row, 0, 1).stage()).collect();
    let mut expected = vec![Stage::Idle, Stage::Queued, Stage::Polling, Stage::Polling];
    expected.resize(10, Stage::Ended);
    assert_eq!(stages, expected);
    assert!((1..=10).all(|row| state(row, 0, 1).is_done() == (row >= 8)));
}

#[test]
fn words_outside_the_table_are_found() {
    for bits in [
        CLOSING | DONE,
        CLOSING | QUEUED | POLLING,
        DONE | QUEUED | POLLING,
        JOIN_WAKER,
        POLLING | JOIN_WAKER,
        1 << 7,
    ] {
        assert!(refused(|| check(REF | bits)), "{bits:#b}");
    }
}
