//! What the report of a stuck poll says of its thread: the functions down to the task's own.

mod support;

use shinkan_rt::{Builder, StallFrame, StallStack};
use std::backtrace::Backtrace;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use support::watched;

/// The stack of a task that is stuck in `stuck` until `release` is called. Each caller's line is a place
/// of its own, of which the report is in full.
#[track_caller]
fn stack_of(stuck: impl FnOnce() + Send + 'static, release: impl FnOnce()) -> StallStack {
    let (runtime, stalled) = watched(2, |builder| _ = builder.stall_stacks(true));
    let task = runtime.spawn(async move { stuck() });
    let stall = stalled.recv().unwrap();
    // First, so that a test that fails also ends.
    release();
    runtime.block_on(task).unwrap();
    stall.stack.clone().unwrap_or_else(|| panic!("no stack: {stall}"))
}

/// Which of its frames is that function, and that its line is told where lines are known at all.
#[track_caller]
fn find<'a>(stack: &'a StallStack, function: &str, line: u32) -> &'a StallFrame {
    let named =
        |frame: &&StallFrame| frame.function.as_ref().is_some_and(|name| name.contains(function));
    let found = stack.frames.iter().find(named);
    let frame = found.unwrap_or_else(|| panic!("no {function} in:\n{stack}"));
    // Whether this build has debug information, std knows too.
    if Backtrace::force_capture().to_string().contains("stall_stacks.rs:") {
        assert!(
            frame.file.as_ref().is_some_and(|file| file.ends_with("stall_stacks.rs")),
            "{stack}"
        );
        let told = frame.line.unwrap_or(0);
        assert!((line..line + 8).contains(&told), "{told}, not from {line} on:\n{stack}");
    }
    frame
}

/// That the stack ends with the user's code: nothing of the runtime lies behind it.
fn ends_at_the_task(stack: &StallStack) {
    let last = stack.frames.last().and_then(|frame| frame.function.clone()).unwrap_or_default();
    assert!(last.contains("stall_stacks"), "ends at {last}:\n{stack}");
    for frame in &stack.frames {
        let name = frame.function.as_deref().unwrap_or("");
        assert!(!name.contains("shinkan_rt::worker"), "{stack}");
    }
}

const MESSAGE: u32 = line!();
#[inline(never)]
fn waits_for_a_message(messages: &mpsc::Receiver<()>) {
    let _ = messages.recv();
}

#[test]
fn a_wait_for_a_message() {
    let (release, released) = mpsc::channel::<()>();
    let stack = stack_of(move || waits_for_a_message(&released), || drop(release));
    find(&stack, "waits_for_a_message", MESSAGE);
    ends_at_the_task(&stack);
    assert_eq!(stack.call, Some("futex"));
}

const LOCK: u32 = line!();
#[inline(never)]
fn waits_for_a_lock(lock: &Mutex<()>) {
    drop(lock.lock());
}

#[test]
fn a_wait_for_a_lock() {
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock().unwrap();
    let its = lock.clone();
    let stack = stack_of(move || waits_for_a_lock(&its), || drop(held));
    find(&stack, "waits_for_a_lock", LOCK);
    ends_at_the_task(&stack);
    assert!(stack.futex.is_some(), "{stack}");
}

const PIPE: u32 = line!();
#[inline(never)]
fn reads_a_pipe(pipe: &mut std::io::PipeReader) -> usize {
    pipe.read(&mut [0; 8]).expect("no signal is seen")
}

#[test]
fn a_read_of_a_pipe() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let reads = move || assert_eq!(reads_a_pipe(&mut reader), 0);
    let stack = stack_of(reads, || drop(writer));
    find(&stack, "reads_a_pipe", PIPE);
    ends_at_the_task(&stack);
    assert_eq!(stack.call, Some("read"));
}

const SLEEP: u32 = line!();
#[inline(never)]
fn sleeps(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_secs(1));
    }
}

#[test]
fn a_sleep() {
    let stop = Arc::new(AtomicBool::new(false));
    let its = stop.clone();
    let stack = stack_of(move || sleeps(&its), || stop.store(true, Ordering::Relaxed));
    find(&stack, "sleeps", SLEEP);
    ends_at_the_task(&stack);
    assert_eq!(stack.call, Some("clock_nanosleep"));
}

const COMPUTE: u32 = line!();
#[inline(never)]
fn computes(stop: &AtomicBool) {
    let mut x = 1_u64;
    while !stop.load(Ordering::Relaxed) {
        x = std::hint::black_box(x.wrapping_mul(3));
    }
}

#[test]
fn a_computation() {
    let stop = Arc::new(AtomicBool::new(false));
    let its = stop.clone();
    let stack = stack_of(move || computes(&its), || stop.store(true, Ordering::Relaxed));
    find(&stack, "computes", COMPUTE);
    ends_at_the_task(&stack);
    assert_eq!((stack.call, stack.alone), (None, false));
}

#[test]
fn without_stacks_there_is_none() {
    let (runtime, stalled) = watched(1, |_| {});
    let (release, released) = mpsc::channel::<()>();
    let task = runtime.spawn(async move { waits_for_a_message(&released) });
    assert_eq!(stalled.recv().unwrap().stack, None);
    drop(release);
    runtime.block_on(task).unwrap();
}

#[test]
#[should_panic(expected = "`stall_signal` was given")]
fn a_signal_that_is_none_is_refused() {
    Builder::new_multi_thread().stall_signal(Some(65));
}
