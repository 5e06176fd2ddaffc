//! The driver of simulations.

use shinkan_base::wakers::Wakers;
use shinkan_driver::{Driver, Interest, Ready, Turn};
use std::time::Duration;

#[test]
fn time_passes_only_where_nothing_else_happens() {
    let driver = Driver::sim(7);
    let source = driver.io().register(0, Interest::READABLE, Ready::EMPTY).unwrap();
    let start = driver.clock().now();
    driver.inject(source.token(), Ready::READABLE);
    let mut out = Wakers::new();
    let hour = Turn::Wait(Some(Duration::from_secs(3_600)));
    assert_eq!(driver.turn(hour, &mut out).events, 1);
    assert!(source.ready_event(Interest::READABLE).ready.is_readable());
    assert_eq!(driver.clock().now(), start);
    assert!(driver.turn(hour, &mut out).timed_out);
    assert_eq!(driver.clock().now() - start, Duration::from_secs(3_600));
    assert_eq!(driver.turn(Turn::Wait(None), &mut out), Default::default());
}

#[test]
fn a_ring_is_a_unit_here_too() {
    let driver = Driver::sim(7);
    driver.ring();
    assert!(driver.turn(Turn::Wait(None), &mut Wakers::new()).bell);
    assert!(driver.take_bell() && !driver.take_bell());
}
