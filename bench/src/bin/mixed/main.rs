//! Whether the monitor takes what is well behaved for stuck, on a machine that has no processor to
//! spare: a mixed load of short polls beside processes that keep every processor busy. Any seizure,
//! extra thread or report ends the program with code 1.
//!
//! The load is paced to a tenth or so of a processor, so that an hour of it is not dear. What shows
//! that it was a trial are the two figures at the end: how long its threads waited for a processor,
//! and how many polls took longer than the threshold by the clock, though none used more than a
//! millisecond of processor time.

mod burners;
mod load;

use burners::Burners;
use clap::Parser;
use load::{Load, Totals};
use shinkan::runtime::{Builder, Runtime};
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(about = "A mixed load of well-behaved tasks on a machine without a processor to spare")]
struct Args {
    /// How long
    #[arg(long, default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Processes that compute without end; two a processor by default
    #[arg(long)]
    burners: Option<usize>,
    /// Their niceness: at 0 they take most from the load, at 19 least from others
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=19))]
    nice: u8,
    /// Seconds between two lines
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Is one of those processes
    #[arg(long, hide = true)]
    burn: bool,
}

/// Threads of `spawn_blocking` and of files; all run before the count that others are held against.
const BLOCKING: usize = 4;

fn main() -> ExitCode {
    let args = Args::parse();
    if args.burn {
        burners::burn();
    }
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What must stay zero.
#[derive(Clone, Copy, PartialEq, Default)]
struct Found {
    seizures: u64,
    threads: usize,
    reports: u64,
}

/// Whether nothing was found.
fn run(args: &Args) -> io::Result<bool> {
    let processors = std::thread::available_parallelism()?.get();
    let burners = args.burners.unwrap_or(2 * processors);
    let _burners = Burners::start(burners, args.nice)?;
    let reports = Arc::new(AtomicU64::new(0));
    let runtime = runtime(reports.clone())?;
    let threads = warm_up(&runtime)?;
    println!(
        "{processors} processors, {burners} burners at nice {}, {threads} threads; {} s",
        args.nice, args.seconds
    );
    let start = Instant::now();
    let load = Load::start(&runtime)?;
    let mut found = Found::default();
    let mut lines = 0;
    while start.elapsed() < Duration::from_secs(args.seconds) {
        std::thread::sleep(Duration::from_millis(250));
        let metrics = runtime.metrics();
        let before = found;
        found.seizures = metrics.seizure_count();
        found.reports = reports.load(Ordering::Relaxed);
        found.threads = found.threads.max(count_threads()?.saturating_sub(threads));
        if start.elapsed().as_secs() / args.every > lines || found != before {
            lines = start.elapsed().as_secs() / args.every;
            print_line(start, found, &load.totals())?;
        }
    }
    let totals = load.totals();
    println!("{totals}");
    let waited = waited_for_a_processor()?;
    drop(load);
    drop(runtime);
    println!(
        "{} s, {} operations, {:.0} s of processor time; its threads waited {:.0} s for a processor, \
         and {} polls took longer than 10 ms by the clock",
        start.elapsed().as_secs(),
        totals.all(),
        processor_time().as_secs_f64(),
        waited.as_secs_f64(),
        totals.late_polls()
    );
    println!(
        "seizures {}, extra threads {}, reports {}",
        found.seizures, found.threads, found.reports
    );
    Ok(found == Found::default())
}

/// What `Runtime::new` builds, with a bound on threads that others are told from.
fn runtime(reports: Arc<AtomicU64>) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(BLOCKING)
        .thread_keep_alive(Duration::from_secs(1_000_000))
        .enable_all()
        .on_stall(move |stall| {
            println!("reported: {stall}");
            reports.fetch_add(1, Ordering::Relaxed);
        })
        .build()
}

/// Starts every thread that the load will need; how many the process has then.
fn warm_up(runtime: &Runtime) -> io::Result<usize> {
    let all = Arc::new(std::sync::Barrier::new(BLOCKING));
    let tasks: Vec<_> = (0..BLOCKING)
        .map(|_| {
            let all = all.clone();
            runtime.spawn_blocking(move || all.wait())
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).map_err(io::Error::other)?;
    }
    count_threads()
}

fn print_line(start: Instant, found: Found, totals: &Totals) -> io::Result<()> {
    println!(
        "{:>5} s: {:>9} operations, {:>6.1} s used, {:>6.1} s waited, {:>5} late polls; seizures {}, \
         extra threads {}, reports {}",
        start.elapsed().as_secs(),
        totals.all(),
        processor_time().as_secs_f64(),
        waited_for_a_processor()?.as_secs_f64(),
        totals.late_polls(),
        found.seizures,
        found.threads,
        found.reports
    );
    Ok(())
}

fn count_threads() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// How long the threads that stand now were kept waiting while they could have run.
fn waited_for_a_processor() -> io::Result<Duration> {
    let mut sum = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        sum += text.split(' ').nth(1).and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(sum))
}
