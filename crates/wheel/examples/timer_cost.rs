//! What a timer costs: `timer_cost timeout 10000000`, under `time`, `perf stat` or
//! `valgrind --tool=callgrind`; the cost of the loop itself is that of `nothing`.

use shinkan_base::wakers::Wakers;
use shinkan_wheel::{Entry, Shard};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::Waker;

fn register(entry: Pin<&mut Entry>, shard: &'static Shard, deadline: u64) -> bool {
    let mut earliest = false;
    let poll = entry.poll(Waker::noop(), &mut earliest, || (shard, deadline));
    black_box(earliest);
    poll.is_pending()
}

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "timeout".into());
    let times: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let shard: &'static Shard = Box::leak(Box::new(Shard::new(0, std::thread::yield_now)));
    let mut out = Wakers::new();
    match what.as_str() {
        "nothing" => (0..times).for_each(|n| {
            black_box(n);
        }),
        // Registered and dropped, alone in the wheel.
        "timeout" => {
            for n in 0..times {
                assert!(register(pin!(Entry::new()), shard, 1_000 + n % 64));
            }
        }
        // The same among a thousand others, of which some are due earlier.
        "timeout_among" => {
            let mut others: Vec<_> = (0..1_000).map(|_| Box::pin(Entry::new())).collect();
            for (n, other) in others.iter_mut().enumerate() {
                assert!(register(other.as_mut(), shard, 500 + n as u64 * 7));
            }
            for n in 0..times {
                assert!(register(pin!(Entry::new()), shard, 1_000 + n % 64));
            }
        }
        // Polled again with the same waker.
        "poll" => {
            let mut entry = pin!(Entry::new());
            for _ in 0..times {
                assert!(register(entry.as_mut(), shard, 1_000));
            }
        }
        // Moved to a later deadline, as an idle timeout is by each message.
        "later" => {
            let mut entry = pin!(Entry::new());
            assert!(register(entry.as_mut(), shard, 1_000));
            for n in 0..times {
                assert!(!entry.as_mut().move_to(1_001 + n));
            }
        }
        // Registered five ticks ahead, fired, dropped.
        "fire" => {
            for n in 0..times {
                let mut entry = pin!(Entry::new());
                assert!(register(entry.as_mut(), shard, n + 5));
                assert!(!shard.fire(n + 5, &mut out));
                out.wake_all();
                assert!(entry.is_fired());
            }
        }
        _ => eprintln!("nothing, timeout, timeout_among, poll, later or fire"),
    }
}
