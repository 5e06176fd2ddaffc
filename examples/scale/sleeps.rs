//! Many timers at once.

use shinkan::time::{Instant, sleep_until};
use std::time::Duration;

/// All sleeps begin together and end spread over a second; none may end early.
pub(crate) async fn all_at_once(number: u64) -> String {
    let start = Instant::now() + Duration::from_millis(500);
    let sleeps: Vec<_> = (0..number)
        .map(|n| {
            // Neighbours end far from each other, so the timers do not come in order.
            let deadline = start + Duration::from_micros(n * 7_919 % 1_000_000);
            shinkan::spawn(async move {
                sleep_until(deadline).await;
                let late = Instant::now().checked_duration_since(deadline);
                late.expect("a sleep never ends early")
            })
        })
        .collect();
    let mut late = Vec::with_capacity(sleeps.len());
    for sleep in sleeps {
        late.push(sleep.await.expect("the task does not panic"));
    }
    late.sort();
    let percentile = |percent: usize| late[(late.len() * percent).div_ceil(100).max(1) - 1];
    let (middle, most, longest) = (percentile(50), percentile(99), percentile(100));
    format!("sleeps: {number}, late by p50 {middle:.1?}, p99 {most:.1?}, at most {longest:.1?}")
}
