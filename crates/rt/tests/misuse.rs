//! Calls that are wrong: what they say, and that the thread and the runtime go on. Programs match
//! on the first words of such panics, so these are part of the interface; the rest is the remedy.

use shinkan_rt::{Builder, Handle, Runtime, Timer, block_in_place};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

fn multi(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
}

fn current() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn text(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().map(|text| text.to_string()).unwrap(),
    }
}

fn words<R>(call: impl FnOnce() -> R) -> String {
    text(catch_unwind(AssertUnwindSafe(|| drop(call()))).unwrap_err())
}

#[test]
fn a_runtime_without_timers_or_io_names_what_enables_them() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let _within = runtime.enter();
    let timers = words(|| Timer::after(Duration::ZERO));
    assert!(
        timers.starts_with(
            "A Tokio 1.x context was found, but timers are disabled. Call `enable_time` on the \
             runtime builder to enable timers."
        ),
        "{timers}"
    );
    let io = words(|| Handle::current().io().registered_count());
    assert!(
        io.starts_with(
            "A Tokio 1.x context was found, but IO is disabled. Call `enable_io` on the runtime \
             builder to enable IO."
        ),
        "{io}"
    );
}

#[test]
fn nothing_blocks_a_thread_that_drives() {
    for runtime in [multi(1), current()] {
        let handle = runtime.handle().clone();
        let nested = runtime.spawn(async move { handle.block_on(async {}) });
        let nested = text(runtime.block_on(nested).unwrap_err().into_panic());
        assert!(nested.starts_with("Cannot start a runtime from within a runtime."), "{nested}");
        let blocked = runtime.spawn(async { shinkan_context::services::block_on(async {}) });
        let blocked = text(runtime.block_on(blocked).unwrap_err().into_panic());
        assert!(
            blocked.starts_with("Cannot block the current thread from within a runtime"),
            "{blocked}"
        );
        assert!(blocked.contains("spawn_blocking"), "{blocked}");
    }
    let in_place = current().block_on(async { words(|| block_in_place(|| ())) });
    assert!(
        in_place.contains("can call blocking only when running on the multi-threaded runtime"),
        "{in_place}"
    );
}

#[test]
fn outside_of_a_runtime() {
    let outside = words(Handle::current);
    assert!(
        outside.starts_with(
            "there is no reactor running, must be called from the context of a Tokio 1.x runtime"
        ),
        "{outside}"
    );
}

#[test]
fn numbers_and_names_that_mean_nothing_are_refused_where_they_are_given() {
    let mut builder = Builder::new_multi_thread();
    let busy = words(|| _ = builder.max_io_events_per_busy_tick(0));
    assert!(busy.starts_with("max_io_events_per_busy_tick must be non-zero"), "{busy}");
    let events = words(|| _ = builder.max_io_events_per_tick(0));
    assert!(events.starts_with("max_io_events_per_tick must be non-zero"), "{events}");
    for name in ["", " \t"] {
        assert!(words(|| _ = builder.name(name)).contains("`name`"));
    }
}

#[test]
fn guards_of_one_runtime_that_are_dropped_out_of_order() {
    let runtime = current();
    let outer = runtime.enter();
    let middle = runtime.enter();
    let inner = runtime.enter();
    let dropped = words(|| drop(middle));
    assert!(dropped.starts_with("`EnterGuard` values dropped out of order"), "{dropped}");
    // The order is lost: the others say so too, and the thread is in no runtime.
    words(|| drop(inner));
    words(|| drop(outer));
    assert!(Handle::try_current().is_err());
    // And yet it can enter one.
    let again = runtime.enter();
    let within = runtime.enter();
    assert_eq!(Handle::current().id(), runtime.handle().id());
    drop(within);
    drop(again);
    assert!(Handle::try_current().is_err());
}

#[test]
fn guards_of_one_runtime_in_their_order() {
    let (one, two) = (current(), multi(1));
    let outer = one.enter();
    let same = one.enter();
    let other = two.enter();
    drop(other);
    one.block_on(async {});
    drop(same);
    assert_eq!(Handle::current().id(), one.handle().id());
    drop(outer);
    assert!(Handle::try_current().is_err());
}
