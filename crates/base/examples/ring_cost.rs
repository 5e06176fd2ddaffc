//! What the ring's operations cost: `ring_cost push_pop 10000000`, under `time`, `perf stat` or
//! `valgrind --tool=callgrind`; the cost of the loop itself is that of `nothing`.

use shinkan_base::ring;
use std::hint::black_box;

static ITEM: u64 = 7;

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "push_pop".into());
    let times: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let (mut local, stealer) = ring::new::<&'static u64, 256>();
    let (mut thief, _) = ring::new::<&'static u64, 256>();
    match what.as_str() {
        "nothing" => (0..times).for_each(|n| {
            black_box(n);
        }),
        // One item in and out.
        "push_pop" => {
            for _ in 0..times {
                black_box(local.push(&ITEM)).expect("an empty ring has room");
                black_box(local.pop());
            }
        }
        // 128 in, 128 out.
        "batch" => {
            for _ in 0..times / 128 {
                for _ in 0..128 {
                    black_box(local.push(&ITEM)).expect("half a ring has room");
                }
                while let Some(item) = local.pop() {
                    black_box(item);
                }
            }
        }
        // 128 in, 64 stolen and run by the thief, and so on.
        "steal" => {
            for _ in 0..times / 128 {
                for _ in 0..128 {
                    black_box(local.push(&ITEM)).expect("half a ring has room");
                }
                while let Some(item) = stealer.steal_into(&mut thief) {
                    black_box(item);
                    while let Some(item) = thief.pop() {
                        black_box(item);
                    }
                }
            }
        }
        _ => eprintln!("nothing, push_pop, batch or steal"),
    }
}
