//! A process whose runtimes have nothing to do wakes up for nothing. One test, so that the threads of
//! this process are those of its runtimes: the kernel counts how often each of them was on a processor.

use shinkan_rt::{Builder, Runtime, Timer};
use std::fs;
use std::future::{pending, poll_fn};
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The monitor looks some hundred times in it while anybody works.
const WINDOW: Duration = Duration::from_millis(1500);

/// Of a time in which no such window came, the process never becomes idle.
const LIMIT: Duration = Duration::from_secs(60);

/// How often the threads of this process but the caller's left a processor. A thread that came or went
/// changes it too.
fn switches() -> Vec<(String, u64)> {
    let own = fs::read_link("/proc/thread-self").unwrap();
    let mut all = Vec::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        // One that ends while we look has no file any more.
        let Ok(status) = fs::read_to_string(path.join("status")) else { continue };
        if path.file_name() == own.file_name() {
            continue;
        }
        let of = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        let count = |name| of(name).parse::<u64>().unwrap();
        let sum = count("voluntary_ctxt_switches:") + count("nonvoluntary_ctxt_switches:");
        all.push((format!("{} {}", of("Name:"), of("Pid:")), sum));
    }
    all.sort();
    all
}

/// Waits for a window in which no thread ran. The one before it may be needed to come to rest, and a
/// busy machine may need more; a process that wakes up by itself never has one.
#[track_caller]
fn assert_comes_to_rest(what: &str) {
    let from = Instant::now();
    let mut before = switches();
    loop {
        std::thread::sleep(WINDOW);
        let after = switches();
        if after == before {
            break;
        }
        assert!(from.elapsed() < LIMIT, "{what}: {before:?} became {after:?}");
        before = after;
    }
    let names: Vec<_> = before.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.iter().any(|name| name.starts_with("shinkan-monitor")), "{what}: {names:?}");
}

/// Waits until the threads have run so often that a window would not have passed for idle.
fn wait_until_it_is_seen() {
    let total = || switches().iter().map(|(_, sum)| sum).sum::<u64>();
    let from = (total(), Instant::now());
    while total() < from.0 + 20 {
        assert!(from.1.elapsed() < LIMIT, "what runs all the time is not counted");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The thread that seizes cores at random runs all the time.
fn several() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().no_seizing().build().unwrap()
}

/// Sleeps again and again, 10 ms each time.
async fn ticks(goes_on: Arc<AtomicBool>) {
    while goes_on.load(Ordering::Relaxed) {
        let mut timer = pin!(Timer::after(Duration::from_millis(10)));
        poll_fn(|cx| timer.as_mut().poll_elapsed(cx, Location::caller())).await;
    }
}

#[test]
fn nobody_wakes_while_there_is_nothing_to_do() {
    let runtime = several();
    let waits = runtime.spawn(pending::<()>());
    assert_comes_to_rest("a runtime of two workers, with a task that waits");

    let goes_on = Arc::new(AtomicBool::new(true));
    let ticking = runtime.spawn(ticks(goes_on.clone()));
    wait_until_it_is_seen();
    goes_on.store(false, Ordering::Relaxed);
    runtime.block_on(ticking).unwrap();
    assert_comes_to_rest("after a task that slept again and again");

    let ended = several();
    let kept = ended.handle().clone();
    ended.block_on(kept.spawn(async {})).unwrap();
    ended.shutdown_background();
    assert_comes_to_rest("beside one that has ended, whose handle is kept");

    let (ends, ended) = std::sync::mpsc::channel::<()>();
    let driver = std::thread::spawn(move || {
        let current = Builder::new_current_thread().enable_all().build().unwrap();
        let at_end = current.spawn_blocking(move || ended.recv().is_err());
        assert!(current.block_on(at_end).unwrap());
    });
    assert_comes_to_rest("and one of a single thread, whose `block_on` waits");
    drop(ends);
    driver.join().unwrap();
    assert!(!waits.is_finished());
    drop(kept);
}
