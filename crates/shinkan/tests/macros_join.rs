//! `join!`: order, drops, sizes, hygiene.
#![cfg(feature = "macros")]
#![forbid(unsafe_code)]
#![deny(warnings)]

use futures::executor::block_on;
use std::cell::RefCell;
use std::future::{Future, poll_fn, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

#[test]
fn all_outputs_come_in_order() {
    block_on(async {
        let (a, b, c) = shinkan::join!(ready(1), async { "two" }, async { Some(3.0) },);
        assert_eq!((a, b, c), (1, "two", Some(3.0)));
        assert_eq!(shinkan::join!(ready(1)), (1,));
        let () = shinkan::join!();
        let () = shinkan::join!(biased;);
        assert_eq!(shinkan::join!(biased; ready(1), ready(2)), (1, 2));
    });
}

/// Notes each poll; ready at the third.
fn noting(log: &RefCell<Vec<u32>>, name: u32) -> impl Future<Output = u32> + '_ {
    let mut left = 2;
    poll_fn(move |_| {
        log.borrow_mut().push(name);
        if left == 0 {
            return Poll::Ready(name);
        }
        left -= 1;
        Poll::Pending
    })
}

#[test]
fn each_poll_begins_with_the_next_one_and_biased_with_the_first() {
    let mut cx = Context::from_waker(Waker::noop());
    let log = RefCell::new(Vec::new());
    let mut both =
        pin!(async { shinkan::join!(noting(&log, 0), noting(&log, 1), noting(&log, 2)) });
    while both.as_mut().poll(&mut cx).is_pending() {}
    assert_eq!(log.take(), [0, 1, 2, 1, 2, 0, 2, 0, 1]);
    let mut both = pin!(async { shinkan::join!(biased; noting(&log, 0), noting(&log, 1)) });
    while both.as_mut().poll(&mut cx).is_pending() {}
    assert_eq!(log.take(), [0, 1, 0, 1, 0, 1]);
}

#[test]
fn one_that_is_done_is_polled_no_more_and_dropped() {
    struct Noisy<'l>(&'l RefCell<Vec<&'static str>>);
    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push("dropped");
        }
    }
    let log = RefCell::new(Vec::new());
    let noisy = Noisy(&log);
    let mut both = pin!(async {
        let mut polls = 0;
        shinkan::join!(
            async move { drop(noisy) },
            poll_fn(|_| {
                polls += 1;
                if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
            })
        )
    });
    let mut cx = Context::from_waker(Waker::noop());
    assert!(both.as_mut().poll(&mut cx).is_pending());
    assert_eq!(log.borrow().len(), 1);
    assert!(both.as_mut().poll(&mut cx).is_pending());
    assert!(both.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn names_of_the_program_are_its_own() {
    block_on(async {
        let (next, first, pending, future0) = (1, 2, 3, 4);
        let sums = shinkan::join!(ready(next + first), ready(pending + future0));
        assert_eq!(sums, (3, 7));
    });
}

#[test]
fn a_join_holds_its_futures_once() {
    let large = || {
        let bytes = [1u8; 1_000];
        async move {
            ready(()).await;
            bytes.len()
        }
    };
    let both = async { shinkan::join!(large(), large()) };
    assert!(size_of_val(&both) < 2_200, "{} bytes", size_of_val(&both));
    assert_eq!(block_on(both), (1_000, 1_000));
}

#[test]
fn a_future_behind_a_reference_may_be_joined() {
    block_on(async {
        let mut one = pin!(async { 1 });
        let mut two = Box::pin(async { 2 });
        assert_eq!(shinkan::join!(&mut one, two.as_mut()), (1, 2));
        shinkan::pin! {
            let three = async { 3 };
            let four = async { 4 };
        }
        assert_eq!(shinkan::join!(three, four), (3, 4));
        let five = async { 5 };
        shinkan::pin!(five);
        assert_eq!((&mut five).await, 5);
    });
}
