//! **Two ways to start.** `#[shinkan::main]` before an `async fn main` is short for a plain `main`
//! that makes a runtime and blocks on the body. Both give the same value, run tasks on the same
//! kind of runtime, and pass a panic on.

use shinkan::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

async fn body() -> (u32, RuntimeFlavor, bool) {
    let task = shinkan::spawn(async { 40 + 2 });
    let timers = shinkan::time::timeout(
        shinkan::time::Duration::from_millis(1),
        std::future::pending::<()>(),
    );
    (task.await.unwrap(), Handle::current().runtime_flavor(), timers.await.is_err())
}

#[shinkan::main]
async fn by_attribute() -> (u32, RuntimeFlavor, bool) {
    body().await
}

fn by_hand() -> (u32, RuntimeFlavor, bool) {
    Runtime::new().unwrap().block_on(body())
}

#[test]
fn both_behave_the_same() {
    assert_eq!(by_attribute(), by_hand());
    assert_eq!(by_attribute(), (42, RuntimeFlavor::MultiThread, true));
}

#[shinkan::main(flavor = "current_thread")]
async fn on_one_thread_by_attribute() -> (u32, RuntimeFlavor, bool) {
    body().await
}

fn on_one_thread_by_hand() -> (u32, RuntimeFlavor, bool) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(body())
}

#[test]
fn on_one_thread_too() {
    assert_eq!(on_one_thread_by_attribute(), on_one_thread_by_hand());
    assert_eq!(on_one_thread_by_attribute(), (42, RuntimeFlavor::CurrentThread, true));
}

#[shinkan::main]
async fn fails_by_attribute() -> Result<(), String> {
    Err("no luck".to_owned())
}

#[test]
fn an_error_is_returned() {
    assert_eq!(fails_by_attribute(), Err("no luck".to_owned()));
    let by_hand: Result<(), String> =
        Runtime::new().unwrap().block_on(async { Err("no luck".to_owned()) });
    assert_eq!(by_hand, Err("no luck".to_owned()));
}

#[shinkan::main]
async fn panics_by_attribute() {
    panic!("of main");
}

#[test]
fn a_panic_is_passed_on() {
    let by_attribute = std::panic::catch_unwind(panics_by_attribute).unwrap_err();
    let by_hand = std::panic::catch_unwind(|| {
        Runtime::new().unwrap().block_on(async { panic!("of main") });
    })
    .unwrap_err();
    assert_eq!(by_attribute.downcast_ref::<&str>(), by_hand.downcast_ref::<&str>());
}
