//! What the monitor costs while nothing is stuck: the instructions of a worker, counted by callgrind,
//! against two builds: one from which the monitor is left out (`--cfg shinkan_unmonitored`), and one
//! that lacks the handshake too, by which a core goes to another thread (`--cfg shinkan_unwatched`).
//!
//! One worker, so that the order of events, and with it the count, is the same each time; where
//! several search and wake each other, the count of one operation varies by more than what is
//! measured here. Its intervals are given: else it learns from the clock how often it has to look at its
//! sockets, and an echo is two waits or one wait and some looks, as it comes. The worker's thread alone is
//! counted: the monitor's looks come by the clock, and under valgrind fifty times as many fall on one
//! operation as in life.

use clap::{Parser, ValueEnum};
use shinkan::io::{AsyncReadExt, AsyncWriteExt};
use shinkan::net::{TcpListener, TcpStream};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

#[derive(Parser)]
#[command(about = "Instructions that the monitor adds while nothing is stuck; needs valgrind")]
struct Args {
    /// End with code 1 if a workload but `yield` costs more percent than this
    #[arg(long)]
    limit: Option<f64>,
    /// The folder for profiles and for the two other builds
    #[arg(long, default_value = "target/cost")]
    folder: PathBuf,
    /// Only this one
    #[arg(long, value_enum)]
    work: Option<Work>,
    /// Runs it, for valgrind
    #[arg(long, hide = true, requires = "work")]
    ops: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Work {
    /// 64 bytes over TCP, there and back
    Echo,
    /// An empty task, spawned and joined
    Spawn,
    /// A hundred of them at a time
    SpawnMany,
    /// A hundred tasks that yield: polls, and nothing else
    Yield,
}

impl Work {
    const ALL: [Self; 4] = [Self::Echo, Self::Spawn, Self::SpawnMany, Self::Yield];

    fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Spawn => "spawn",
            Self::SpawnMany => "spawn-many",
            Self::Yield => "yield",
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let (Some(work), Some(ops)) = (args.work, args.ops) {
        run(work, ops);
        return ExitCode::SUCCESS;
    }
    match report(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cost: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all costs are below the limit.
fn report(args: &Args) -> io::Result<bool> {
    std::fs::create_dir_all(&args.folder)?;
    let watched = std::env::current_exe()?;
    let unmonitored = build_without(&args.folder, "unmonitored")?;
    let unwatched = build_without(&args.folder, "unwatched")?;
    println!(
        "instructions of an operation: with neither monitor nor handshake, and what both add;"
    );
    println!("without the monitor, and what it adds; with both");
    let mut all_below = true;
    for work in Work::ALL.into_iter().filter(|work| args.work.is_none_or(|only| only == *work)) {
        let neither = measure(&unwatched, "off", work, &args.folder.join("unwatched"))?;
        let without = measure(&unmonitored, "off", work, &args.folder.join("unmonitored"))?;
        let with = measure(&watched, "on", work, &args.folder.join("watched"))?;
        let percent = |of: f64| (with - of) / of * 100.0;
        let (both, monitor) = (percent(neither), percent(without));
        let name = work.name();
        println!("{name:10} {neither:9.1} {both:+6.2} % {without:9.1} {monitor:+6.2} % {with:9.1}");
        all_below &= work == Work::Yield || args.limit.is_none_or(|limit| monitor <= limit);
    }
    Ok(all_below)
}

/// This program, built with `--cfg shinkan_KIND`.
fn build_without(folder: &Path, kind: &str) -> io::Result<PathBuf> {
    let target = folder.join("build").join(kind);
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--locked", "--bin", "cost", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", format!("--cfg shinkan_{kind}"))
        .status()?;
    match status.success() {
        true => Ok(target.join("release/cost")),
        false => Err(io::Error::other(format!("the {kind} build failed"))),
    }
}

/// Instructions an operation: of two runs of different length, so that start and end are left out. The
/// middle one of several such pairs.
fn measure(program: &Path, monitor: &str, work: Work, folder: &Path) -> io::Result<f64> {
    let ops = 2_000;
    let mut pairs = [0.0; 5];
    for pair in &mut pairs {
        let less = callgrind(program, monitor, work, ops, folder)?;
        let more = callgrind(program, monitor, work, 3 * ops, folder)?;
        *pair = more.saturating_sub(less) as f64 / (2 * ops) as f64;
    }
    pairs.sort_by(f64::total_cmp);
    Ok(pairs[pairs.len() / 2])
}

/// Instructions of the thread that has most.
fn callgrind(
    program: &Path,
    monitor: &str,
    work: Work,
    ops: u64,
    folder: &Path,
) -> io::Result<u64> {
    let folder = folder.join(format!("{}-{ops}", work.name()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", folder.join("profile").display()))
        .arg(program)
        .args(["--work", work.name(), "--ops", &ops.to_string()])
        .env("SHINKAN_STALL", format!("{monitor},report=off"))
        .stderr(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("valgrind ended with {status}")));
    }
    let mut most = 0;
    for profile in std::fs::read_dir(&folder)? {
        let text = std::fs::read_to_string(profile?.path())?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        most = most.max(total.and_then(|total| total.trim().parse().ok()).unwrap_or(0));
    }
    Ok(most)
}

fn run(work: Work, ops: u64) {
    let runtime = shinkan::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .event_interval(61)
        .global_queue_interval(31)
        .enable_all()
        .build()
        .unwrap();
    let done = match work {
        Work::Echo => runtime.spawn(echo(ops)),
        Work::Spawn => runtime.spawn(async move {
            for _ in 0..ops {
                shinkan::spawn(async {}).await.unwrap();
            }
        }),
        Work::SpawnMany => runtime.spawn(async move {
            for _ in 0..ops.div_ceil(100) {
                let handles: Vec<_> = (0..100).map(|_| shinkan::spawn(async {})).collect();
                for handle in handles {
                    handle.await.unwrap();
                }
            }
        }),
        Work::Yield => runtime.spawn(async move {
            let yields = || async move {
                for _ in 0..ops.div_ceil(100) {
                    shinkan::task::yield_now().await;
                }
            };
            let handles: Vec<_> = (0..100).map(|_| shinkan::spawn(yields())).collect();
            for handle in handles {
                handle.await.unwrap();
            }
        }),
    };
    runtime.block_on(done).unwrap();
}

async fn echo(ops: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = shinkan::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let mut buffer = [0; 64];
        while socket.read_exact(&mut buffer).await.is_ok() {
            socket.write_all(&buffer).await.unwrap();
        }
    });
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let mut buffer = [7; 64];
    for _ in 0..ops {
        socket.write_all(&buffer).await.unwrap();
        socket.read_exact(&mut buffer).await.unwrap();
    }
    drop(socket);
    server.await.unwrap();
}
