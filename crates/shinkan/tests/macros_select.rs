//! `select!`: forms, patterns, conditions, order, drops, hygiene.
#![cfg(feature = "macros")]
#![forbid(unsafe_code)]
#![deny(warnings)]

use futures::executor::block_on;
use shinkan_context::budget::{self, Budget};
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, IntoFuture, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Ready at the n-th poll; wakes itself till then.
fn after(polls: u32) -> impl Future<Output = u32> {
    let mut left = polls;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(polls);
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Writes its name when it is dropped.
struct Noisy<'l>(&'l RefCell<Vec<&'static str>>, &'static str);

impl Drop for Noisy<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

#[test]
fn the_first_wins() {
    block_on(async {
        let n = shinkan::select! {
            n = after(5) => n,
            n = after(1) => n,
            _ = pending::<()>() => 99,
        };
        assert_eq!(n, 1);
    });
}

#[test]
fn handlers_may_be_blocks_without_commas_or_expressions_with_them() {
    block_on(async {
        let n = shinkan::select! {
            biased;
            _ = pending::<()>() => {
                0
            }
            n = ready(2) => { n + 1 }
            n = ready(3) => n + 1,
        };
        assert_eq!(n, 3);
        let n = shinkan::select!(n = ready(2) => n);
        assert_eq!(n, 2);
        let pair = shinkan::select! { n = ready(2) => Option::<(u8, u8)>::Some((n, n)), };
        assert_eq!(pair, Some((2, 2)));
    });
}

#[test]
fn a_pattern_that_does_not_fit_disables_its_branch() {
    block_on(async {
        let n = shinkan::select! {
            Some(n) = ready(None::<u32>) => n,
            n = after(3) => n,
        };
        assert_eq!(n, 3);
        let n = shinkan::select! {
            Some(n) = ready(None::<u32>) => n,
            Ok(n) = ready(Err::<u32, ()>(())) => n,
            else => 7,
        };
        assert_eq!(n, 7);
    });
}

#[test]
fn patterns_of_every_kind() {
    const FOUR: u32 = 4;
    struct Point {
        x: u32,
        y: Option<String>,
    }
    block_on(async {
        let text = shinkan::select! {
            Point { x: FOUR, y: Some(mut text) } = ready(Point { x: 4, y: Some("a".into()) }) => {
                text.push('b');
                text
            }
            else => unreachable!(),
        };
        assert_eq!(text, "ab");
        let n = shinkan::select! {
            Ok(n) | Err(n) = ready(Err::<u32, u32>(1)) => n,
            else => unreachable!(),
        };
        assert_eq!(n, 1);
        let length = shinkan::select! {
            Some(ref text) = ready(Some(String::from("abc"))) => text.len(),
            else => unreachable!(),
        };
        assert_eq!(length, 3);
        let n = shinkan::select! {
            (n @ 1..=3, [first, .., _last], _) = ready((2u8, [1u8, 2, 3], "x")) => n + first,
            else => unreachable!(),
        };
        assert_eq!(n, 3);
        let n = shinkan::select! { mut n = ready(1) => { n += 1; n } };
        assert_eq!(n, 2);
        let other = 5;
        let n = shinkan::select! { &n = ready(&other) => n };
        assert_eq!(n, 5);
    });
}

#[test]
fn a_branch_whose_condition_is_false_is_not_polled() {
    block_on(async {
        let off = || false;
        let n = shinkan::select! {
            n = async { panic!("polled") }, if off() => n,
            n = after(2), if !off() => n,
        };
        assert_eq!(n, 2);
        let n = shinkan::select! {
            n = ready(1), if false => n,
            else => 8,
        };
        assert_eq!(n, 8);
        assert_eq!(shinkan::select! { else => 9 }, 9);
        assert_eq!(shinkan::select! { biased; else => 9, }, 9);
    });
}

#[test]
fn conditions_come_first_then_all_futures_in_order() {
    let log = RefCell::new(Vec::new());
    let note = |name: &'static str| {
        log.borrow_mut().push(name);
        true
    };
    block_on(async {
        shinkan::select! {
            biased;
            _ = { note("future 0"); ready(()) }, if note("condition 0") => {}
            _ = { note("future 1"); ready(()) }, if !note("condition 1") => {}
        }
    });
    assert_eq!(log.into_inner(), ["condition 0", "condition 1", "future 0", "future 1"]);
}

#[test]
#[should_panic(expected = "has no `else` branch")]
fn all_disabled_and_no_else_is_a_panic() {
    block_on(async {
        shinkan::select! {
            Some(()) = ready(None) => {}
        }
    });
}

#[test]
fn the_others_are_dropped_before_the_handler_runs() {
    let log = RefCell::new(Vec::new());
    block_on(async {
        let guard = |name| {
            let noisy = Noisy(&log, name);
            async move {
                let _noisy = noisy;
                pending::<()>().await;
            }
        };
        shinkan::select! {
            biased;
            _ = guard("first") => {}
            _ = guard("second") => {}
            _ = ready(()) => log.borrow_mut().push("handler"),
        }
    });
    assert_eq!(log.into_inner(), ["first", "second", "handler"]);
}

#[test]
fn a_future_behind_a_reference_outlives_the_select() {
    block_on(async {
        let mut slow = pin!(after(10));
        let mut turns = 0;
        let n = loop {
            shinkan::select! {
                n = &mut slow => break n,
                _ = after(2) => turns += 1,
            }
        };
        assert_eq!(n, 10);
        assert!(turns >= 1);
    });
}

#[test]
fn handlers_may_leave_and_wait() {
    async fn answer() -> Result<u32, String> {
        for round in 0.. {
            let n = shinkan::select! {
                result = ready(Err::<u32, String>("left".into())), if round == 2 => result?,
                n = ready(round), if round < 2 => {
                    if ready(true).await { continue } else { n }
                }
                else => break,
            };
            assert_eq!(n, 0);
        }
        Ok(1)
    }
    assert_eq!(block_on(answer()), Err("left".into()));
}

#[test]
fn temporaries_live_as_long_as_their_future() {
    struct Owner(u32);
    impl Owner {
        async fn read(&self) -> u32 {
            after(1).await + self.0
        }
    }
    struct Wait<'o>(&'o Owner);
    block_on(async {
        let n = shinkan::select! {
            n = Wait(&Owner(3)) => n,
            n = after(100) => n,
        };
        assert_eq!(n, 4);
    });
    impl<'o> IntoFuture for Wait<'o> {
        type Output = u32;
        type IntoFuture = Pin<Box<dyn Future<Output = u32> + 'o>>;
        fn into_future(self) -> Self::IntoFuture {
            Box::pin(self.0.read())
        }
    }
}

#[test]
fn two_branches_may_use_one_variable_in_their_handlers() {
    block_on(async {
        let mut text = String::new();
        for _ in 0..8 {
            shinkan::select! {
                _ = ready(()) => text.push('a'),
                _ = ready(()) => text.push('b'),
            }
        }
        assert_eq!(text.len(), 8);
        let moved = text;
        let text = shinkan::select! {
            _ = ready(()) => moved,
            _ = ready(()) => moved,
        };
        assert_eq!(text.len(), 8);
    });
}

#[test]
fn names_of_the_program_are_its_own() {
    block_on(async {
        let (output, disabled, first, step, cx, future0) = (1, 2, 3, 4, 5, 6);
        let n = shinkan::select! {
            pending = ready(output + disabled) => pending + first + step + cx + future0,
        };
        assert_eq!(n, 21);
        let n = shinkan::select! {
            output = async { shinkan::select! { output = ready(1) => output + 1 } } => {
                shinkan::select! { inner = ready(output) => inner + output }
            }
        };
        assert_eq!(n, 4);
    });
}

macro_rules! wrapped {
    ($pattern:pat, $future:expr, $condition:expr, $handler:expr) => {
        shinkan::select! { $pattern = $future, if $condition => $handler, else => 0 }
    };
}

#[test]
fn works_inside_a_macro_of_the_program() {
    block_on(async {
        assert_eq!(wrapped!(Some(n), ready(Some(1 + 1)), true, n * 2), 4);
        assert_eq!(
            wrapped!(mut n, ready(2), 1 + 1 == 2, {
                n += 1;
                n
            }),
            3
        );
        assert_eq!(wrapped!(_, ready(2), false, 3), 0);
    });
}

#[test]
fn each_branch_comes_first_now_and_then() {
    let mut wins = [0; 3];
    block_on(async {
        for _ in 0..600 {
            shinkan::select! {
                _ = ready(()) => wins[0] += 1,
                _ = ready(()) => wins[1] += 1,
                _ = ready(()) => wins[2] += 1,
            }
        }
    });
    assert!(wins.iter().all(|&n| n > 100), "{wins:?}");
    let mut first = 0;
    block_on(async {
        for _ in 0..100 {
            shinkan::select! {
                biased;
                _ = ready(()) => first += 1,
                _ = ready(()) => {}
            }
        }
    });
    assert_eq!(first, 100);
}

#[test]
fn a_seed_decides_who_comes_first() {
    let draw = || {
        let old = shinkan_context::seed_random(Some(shinkan_base::rng::Rng::new(42)));
        let drawn: Vec<u32> = block_on(async {
            let mut drawn = Vec::new();
            for _ in 0..32 {
                drawn.push(shinkan::select! { n = ready(0) => n, n = ready(1) => n });
            }
            drawn
        });
        shinkan_context::seed_random(old);
        drawn
    };
    assert_eq!(draw(), draw());
}

#[test]
fn without_budget_no_branch_is_polled_and_the_task_is_woken() {
    let polled = Cell::new(false);
    let mut waits = pin!(async {
        shinkan::select! {
            _ = async { polled.set(true) } => {}
        }
    });
    let mut cx = Context::from_waker(Waker::noop());
    budget::with(Budget::initial(), || {
        while let Poll::Ready(unit) = budget::poll_proceed(&mut cx) {
            unit.made_progress();
        }
        assert!(waits.as_mut().poll(&mut cx).is_pending());
        assert!(!polled.get());
    });
    budget::with(Budget::initial(), || {
        assert!(waits.as_mut().poll(&mut cx).is_ready());
        // A branch that needs no budget took none.
        assert_eq!(budget::current().left(), Some(128));
    });
}

#[test]
fn outputs_without_values_are_no_warnings() {
    async fn never() -> Infallible {
        pending().await
    }
    async fn diverges() -> ! {
        pending().await
    }
    block_on(async {
        let n = shinkan::select! {
            n = never() => match n {},
            _ = diverges() => 0,
            n = ready(3) => n,
        };
        assert_eq!(n, 3);
    });
}

#[test]
fn the_future_of_a_select_is_send_where_its_branches_are() {
    fn send<T: Send>(_: T) {}
    send(async {
        let _ = shinkan::select! { n = async { after(1).await } => n, n = ready(1) => n };
    });
    let rc = Rc::new(1);
    let n = block_on(async {
        shinkan::select! { rc = async move { rc } => *rc }
    });
    assert_eq!(n, 1);
}

#[test]
fn a_select_holds_its_futures_once() {
    struct Large([u8; 1_000]);
    impl Future for Large {
        type Output = u8;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
            Poll::Ready(self.0[0])
        }
    }
    let waits = async {
        shinkan::select! { n = Large([1; 1_000]) => n, n = Large([1; 1_000]) => n }
    };
    assert!(size_of_val(&waits) < 2_100, "{} bytes", size_of_val(&waits));
    assert_eq!(block_on(waits), 1);
}

#[test]
fn sixty_four_branches() {
    block_on(async {
        let n = shinkan::select! {
            _ = pending::<()>() => 1, _ = pending::<()>() => 2, _ = pending::<()>() => 3,
            _ = pending::<()>() => 4, _ = pending::<()>() => 5, _ = pending::<()>() => 6,
            _ = pending::<()>() => 7, _ = pending::<()>() => 8, _ = pending::<()>() => 9,
            _ = pending::<()>() => 10, _ = pending::<()>() => 11, _ = pending::<()>() => 12,
            _ = pending::<()>() => 13, _ = pending::<()>() => 14, _ = pending::<()>() => 15,
            _ = pending::<()>() => 16, _ = pending::<()>() => 17, _ = pending::<()>() => 18,
            _ = pending::<()>() => 19, _ = pending::<()>() => 20, _ = pending::<()>() => 21,
            _ = pending::<()>() => 22, _ = pending::<()>() => 23, _ = pending::<()>() => 24,
            _ = pending::<()>() => 25, _ = pending::<()>() => 26, _ = pending::<()>() => 27,
            _ = pending::<()>() => 28, _ = pending::<()>() => 29, _ = pending::<()>() => 30,
            _ = pending::<()>() => 31, _ = pending::<()>() => 32, _ = pending::<()>() => 33,
            _ = pending::<()>() => 34, _ = pending::<()>() => 35, _ = pending::<()>() => 36,
            _ = pending::<()>() => 37, _ = pending::<()>() => 38, _ = pending::<()>() => 39,
            _ = pending::<()>() => 40, _ = pending::<()>() => 41, _ = pending::<()>() => 42,
            _ = pending::<()>() => 43, _ = pending::<()>() => 44, _ = pending::<()>() => 45,
            _ = pending::<()>() => 46, _ = pending::<()>() => 47, _ = pending::<()>() => 48,
            _ = pending::<()>() => 49, _ = pending::<()>() => 50, _ = pending::<()>() => 51,
            _ = pending::<()>() => 52, _ = pending::<()>() => 53, _ = pending::<()>() => 54,
            _ = pending::<()>() => 55, _ = pending::<()>() => 56, _ = pending::<()>() => 57,
            _ = pending::<()>() => 58, _ = pending::<()>() => 59, _ = pending::<()>() => 60,
            _ = pending::<()>() => 61, _ = pending::<()>() => 62, _ = pending::<()>() => 63,
            _ = after(2) => 64,
        };
        assert_eq!(n, 64);
    });
}
