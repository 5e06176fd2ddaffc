//! `#[test]`: a runtime for each test.
#![cfg(all(feature = "macros", feature = "rt-multi-thread"))]
#![forbid(unsafe_code)]
#![deny(warnings)]

use shinkan::runtime::{Handle, RuntimeFlavor};
use std::future::ready;

#[shinkan::test]
async fn by_default_the_runtime_is_of_one_thread() {
    assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::CurrentThread);
}

#[shinkan::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_flavor_may_be_chosen() {
    assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::MultiThread);
    let thread = std::thread::current().id();
    let spawned = shinkan::spawn(async { std::thread::current().id() }).await.unwrap();
    assert_ne!(thread, spawned);
}

#[shinkan::test]
async fn a_test_may_return_a_result() -> Result<(), std::num::ParseIntError> {
    let n: u8 = "7".parse()?;
    assert_eq!(ready(n).await, 7);
    Ok(())
}

#[shinkan::test]
#[should_panic(expected = "on purpose")]
async fn attributes_before_and_behind_are_kept() {
    panic!("on purpose");
}

#[should_panic]
#[shinkan::test]
async fn attributes_in_front_are_kept() {
    panic!();
}

mod with_names_of_its_own {
    #[allow(dead_code)]
    mod core {}
    #[allow(dead_code)]
    mod std {}

    #[::shinkan::test]
    async fn a_program_may_have_a_core_and_a_std_of_its_own() {
        let n = ::shinkan::select! { n = async { 1 } => n };
        ::std::assert_eq!(n, 1);
    }
}

#[shinkan::main]
async fn twice(n: u32) -> u32 {
    let (a, b) = shinkan::join!(shinkan::spawn(async move { n }), shinkan::spawn(async move { n }));
    a.unwrap() + b.unwrap()
}

#[test]
fn a_function_with_main_may_be_called_more_than_once() {
    assert_eq!((twice(1), twice(2)), (2, 4));
    assert!(Handle::try_current().is_err());
}
