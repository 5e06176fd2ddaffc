//! What the console costs: the time of a poll and the wake before it, of tasks that only yield, with
//! nobody who listens and with `console-subscriber` and its server. Each measurement is a process of
//! its own; the two take turns.
//!
//! ```sh
//! RUSTFLAGS="--cfg tokio_unstable" cargo run --release --example cost
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;
use tokio::runtime;
use tokio::task::{JoinSet, yield_now};

const TASKS: u64 = 100;
const ROUNDS: usize = 15;
const POLLS: u64 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => compare(),
        [how, polls] => {
            if how == "with" {
                // Any port: nobody connects.
                let address = SocketAddr::from(([127, 0, 0, 1], 0));
                console_subscriber::ConsoleLayer::builder().server_addr(address).init();
            }
            println!("{}", poll_ns(polls.parse()?)?);
            Ok(())
        }
        _ => Err("cost [with|without POLLS]".into()),
    }
}

/// Nanoseconds of one poll, over `polls` of each task on one thread.
fn poll_ns(polls: u64) -> Result<f64, Box<dyn Error>> {
    let runtime = runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(async move {
                for _ in 0..polls {
                    yield_now().await;
                }
            });
        }
        let before = Instant::now();
        while tasks.join_next().await.is_some() {}
        before.elapsed().as_nanos() as f64 / (TASKS * polls) as f64
    }))
}

fn compare() -> Result<(), Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let ways = ["without", "with"];
    let polls = POLLS.to_string();
    let mut seen = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (way, seen) in ways.iter().zip(&mut seen) {
            let done = Command::new(&program).args([*way, polls.as_str()]).output()?;
            seen.push(String::from_utf8(done.stdout)?.trim().parse::<f64>()?);
        }
    }
    let [without, with] = seen.map(|mut seen| {
        seen.sort_by(f64::total_cmp);
        seen[seen.len() / 2]
    });
    println!("{without:.0} ns a poll without, {with:.0} ns with: {:.1} times", with / without);
    Ok(())
}
