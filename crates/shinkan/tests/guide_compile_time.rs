//! The compiler refuses to spawn a future that may not change threads, that borrows from its
//! maker, or that holds a lock of std's across an await.
//!
//! The cases are `tests/ui/spawn_*.rs`; beside each stands what the compiler says to it.
#![cfg(all(feature = "macros", feature = "rt-multi-thread"))]

#[test]
fn a_future_that_is_not_send_is_refused() {
    trybuild::TestCases::new().compile_fail("tests/ui/spawn_not_send.rs");
}

#[test]
fn a_future_that_borrows_is_refused() {
    trybuild::TestCases::new().compile_fail("tests/ui/spawn_borrowed.rs");
}

#[test]
fn a_future_that_holds_a_std_lock_across_an_await_is_refused() {
    trybuild::TestCases::new().compile_fail("tests/ui/spawn_std_guard.rs");
}
