//! What the others feel of tasks that block or spin: the same scenes on both runtimes, which take
//! turns in one process. Each prints what its users would notice; below each line stands the median.

#[allow(clippy::duplicate_mod)]
mod on_shinkan;
#[allow(clippy::duplicate_mod)]
mod on_tokio;

use clap::Parser;
use std::time::Duration;

#[derive(Parser)]
#[command(about = "Latencies beside tasks that block or spin, on shinkan and on Tokio")]
struct Args {
    /// Rounds of each scene on each side
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only scenes whose name contains one of these words
    scenes: Vec<String>,
}

/// What a scene is called, what its figure means, and the scene on both sides.
struct Scene {
    name: &'static str,
    figure: &'static str,
    tokio: fn() -> Duration,
    shinkan: fn() -> Duration,
}

const SCENES: [Scene; 4] = [
    Scene {
        name: "ticker_beside_blocked",
        figure: "a 1 ms ticker beside two tasks that block for 1 s on 2 workers: latest tick",
        tokio: on_tokio::scenes::ticker_beside_blocked,
        shinkan: on_shinkan::scenes::ticker_beside_blocked,
    },
    Scene {
        name: "ticker_beside_spinning",
        figure: "the same beside two tasks that spin for 1 s: latest tick",
        tokio: on_tokio::scenes::ticker_beside_spinning,
        shinkan: on_shinkan::scenes::ticker_beside_spinning,
    },
    Scene {
        name: "echo_beside_blocking",
        figure: "64 echo connections, one request in 1,000 blocks for 100 ms: p99.9 of the others",
        tokio: on_tokio::scenes::echo_beside_blocking,
        shinkan: on_shinkan::scenes::echo_beside_blocking,
    },
    Scene {
        name: "sixteen_blocking",
        figure: "16 tasks that block for 100 ms each, on 2 workers: until all have ended",
        tokio: on_tokio::scenes::sixteen_blocking,
        shinkan: on_shinkan::scenes::sixteen_blocking,
    },
];

fn main() {
    let args = Args::parse();
    for scene in &SCENES {
        let wanted = |word: &String| scene.name.contains(word.as_str());
        if !args.scenes.is_empty() && !args.scenes.iter().any(wanted) {
            continue;
        }
        println!("{}", scene.figure);
        let mut figures = [Vec::new(), Vec::new()];
        for round in 0..args.rounds as usize {
            for side in [round % 2, 1 - round % 2] {
                figures[side].push(if side == 0 { (scene.tokio)() } else { (scene.shinkan)() });
            }
        }
        for (name, figures) in ["tokio", "shinkan"].into_iter().zip(&mut figures) {
            figures.sort();
            let middle = figures[figures.len() / 2];
            let (least, most) = (figures[0], figures[figures.len() - 1]);
            println!("  {name:8} {middle:>12.1?}   from {least:.1?} to {most:.1?}");
        }
    }
}
