//! Many tasks at once.

use crate::count;
use std::time::Instant;

/// Spawns all tasks before it joins the first.
pub(crate) async fn spawn_and_join(number: u64) -> String {
    let before = count::live();
    let start = Instant::now();
    let mut handles = Vec::with_capacity(number as usize);
    for n in 0..number {
        handles.push(shinkan::spawn(async move {
            shinkan::task::yield_now().await;
            n
        }));
    }
    // Tasks that ended keep their memory until their handle goes, so this is the most that there
    // is.
    let bytes = (count::live() - before).bytes as u64 / number;
    let mut sum = 0;
    for handle in handles {
        sum += handle.await.expect("the task does not panic");
    }
    assert_eq!(sum, number * (number - 1) / 2, "each task gave its own number");
    let each = start.elapsed().as_nanos() as u64 / number;
    format!(
        "tasks: {number} spawned and joined, {each} ns and {bytes} bytes each, handles included"
    )
}
