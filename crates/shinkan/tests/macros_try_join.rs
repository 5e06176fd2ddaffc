//! `try_join!`: the first error ends it.
#![cfg(feature = "macros")]
#![forbid(unsafe_code)]
#![deny(warnings)]

use futures::executor::block_on;
use std::cell::Cell;
use std::convert::Infallible;
use std::future::{pending, poll_fn, ready};
use std::task::Poll;

#[test]
fn all_values_come_in_order_without_their_results() {
    block_on(async {
        let both = shinkan::try_join!(ready(Ok::<_, ()>(1)), async { Ok("two") });
        assert_eq!(both, Ok((1, "two")));
        let one: Result<(u8,), ()> = shinkan::try_join!(ready(Ok(1)),);
        assert_eq!(one, Ok((1,)));
        let none: Result<(), ()> = shinkan::try_join!();
        assert_eq!(none, Ok(()));
        let none: Result<(), ()> = shinkan::try_join!(biased;);
        assert_eq!(none, Ok(()));
        assert_eq!(shinkan::try_join!(biased; ready(Ok::<_, ()>(1))), Ok((1,)));
    });
}

#[test]
fn the_first_error_drops_the_others() {
    struct Flag<'f>(&'f Cell<bool>);
    impl Drop for Flag<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let dropped = Cell::new(false);
    let result = block_on(async {
        let flag = Flag(&dropped);
        let result = shinkan::try_join!(
            async move {
                let _flag = flag;
                pending::<Result<(), String>>().await
            },
            async { Err::<(), _>(String::from("first")) }
        );
        assert!(dropped.get());
        result
    });
    assert_eq!(result, Err("first".into()));
}

#[test]
fn an_error_may_be_handed_on() {
    async fn all() -> Result<u32, std::num::ParseIntError> {
        let (a, b) =
            shinkan::try_join!(async { "1".parse::<u32>() }, async { "x".parse::<u32>() })?;
        Ok(a + b)
    }
    assert!(block_on(all()).is_err());
}

#[test]
fn errors_without_values_are_no_warnings() {
    block_on(async {
        let both: Result<_, Infallible> = shinkan::try_join!(async { Ok(1) }, async { Ok(2) });
        assert_eq!(both, Ok((1, 2)));
    });
}

#[test]
fn one_that_waits_does_not_hold_up_the_error_of_another() {
    let polls = Cell::new(0);
    let result = block_on(async {
        shinkan::try_join!(
            poll_fn(|cx| {
                polls.set(polls.get() + 1);
                cx.waker().wake_by_ref();
                Poll::<Result<(), u32>>::Pending
            }),
            poll_fn(|_| if polls.get() > 3 { Poll::Ready(Err::<(), _>(7)) } else { Poll::Pending })
        )
    });
    assert_eq!(result, Err(7));
}
