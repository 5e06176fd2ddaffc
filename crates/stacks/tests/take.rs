//! Stacks of threads that wait, compute and end. All in one process use one signal, on which a
//! handler was before.

use shinkan_stacks::{Frame, Signal, Taken, with_code};
use shinkan_sys::threads;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once, mpsc};
use std::thread::JoinHandle;

const NUMBER: i32 = 50;
const SIGNAL: Signal = Signal::Number(NUMBER);

static BEFORE: AtomicU32 = AtomicU32::new(0);

/// Has a handler on the signal before the first stack is taken.
fn with_a_handler_before() {
    extern "C" fn count(_signal: libc::c_int) {
        BEFORE.fetch_add(1, Ordering::SeqCst);
    }
    static ONCE: Once = Once::new();
    // SAFETY: the handler only counts.
    ONCE.call_once(|| unsafe {
        libc::signal(NUMBER, count as *const () as usize);
    });
}

/// A record of the C library's, of which all zeroes is a value.
fn zeroed<T: Copy>() -> T {
    // SAFETY: the caller's types are such.
    unsafe { std::mem::zeroed() }
}

/// A thread's number, and an address on its stack.
type Thread = (i32, usize);

fn here() -> Thread {
    (threads::kernel_id(), threads::on_stack())
}

fn take((number, on_stack): Thread, signal: Signal) -> Option<Taken> {
    shinkan_stacks::take(number, on_stack, signal)
}

/// A thread in `f`.
fn thread_in<F: FnOnce() + Send + 'static>(f: F) -> (Thread, JoinHandle<()>) {
    with_a_handler_before();
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        tell.send(here()).unwrap();
        f();
    });
    (told.recv().unwrap(), thread)
}

/// Takes its stack until this function is on it.
fn until_in(thread: Thread, function: &str) -> (Vec<Frame>, Option<&'static str>) {
    loop {
        if let Some(taken) = take(thread, SIGNAL) {
            let frames = taken.frames();
            if frames.iter().any(|frame| named(frame, function)) {
                return (frames, taken.call().and_then(|call| call.name()));
            }
        }
        std::thread::yield_now();
    }
}

fn named(frame: &Frame, function: &str) -> bool {
    frame.function.as_ref().is_some_and(|name| name.contains(function))
}

/// Whether the walk came to where threads start.
fn is_whole(frames: &[Frame]) -> bool {
    frames.iter().any(|frame| named(frame, "thread_in"))
}

#[inline(never)]
fn computes_for_the_test(stop: &AtomicBool) {
    let mut x = 1_u64;
    while !stop.load(Ordering::Relaxed) {
        x = std::hint::black_box(x.wrapping_mul(3));
    }
}

#[test]
fn a_thread_that_computes_is_asked() {
    let stop = Arc::new(AtomicBool::new(false));
    let its = stop.clone();
    let (thread, handle) = thread_in(move || computes_for_the_test(&its));
    let (frames, call) = until_in(thread, "computes_for_the_test");
    assert!(is_whole(&frames), "{frames:#?}");
    assert_eq!(call, None);
    stop.store(true, Ordering::Relaxed);
    handle.join().unwrap();
}

#[inline(never)]
fn waits_for_a_lock_in_the_test(lock: &Mutex<()>) {
    drop(lock.lock());
}

#[test]
fn a_thread_that_waits_for_a_lock_is_asked() {
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock().unwrap();
    let its = lock.clone();
    let (thread, handle) = thread_in(move || waits_for_a_lock_in_the_test(&its));
    let (frames, call) = until_in(thread, "waits_for_a_lock_in_the_test");
    assert!(is_whole(&frames) && call == Some("futex"), "{call:?} {frames:#?}");
    drop(held);
    handle.join().unwrap();
}

#[inline(never)]
fn reads_a_pipe_in_the_test(mut pipe: std::io::PipeReader) -> usize {
    pipe.read(&mut [0; 8]).expect("no EINTR, and no other error")
}

#[test]
fn a_thread_that_reads_a_pipe_is_asked_and_reads_on() {
    let (reader, writer) = std::io::pipe().unwrap();
    let (thread, handle) = thread_in(move || assert_eq!(reads_a_pipe_in_the_test(reader), 0));
    let (frames, call) = until_in(thread, "reads_a_pipe_in_the_test");
    assert!(is_whole(&frames) && call == Some("read"), "{call:?} {frames:#?}");
    drop(writer);
    handle.join().unwrap();
}

#[inline(never)]
fn writes_a_pipe_in_the_test(pipe: &std::io::PipeWriter, bytes: &[u8]) -> isize {
    // SAFETY: reads `bytes` alone.
    unsafe { libc::write(pipe.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) }
}

#[test]
fn a_write_of_which_a_part_is_done_is_not_cut_short() {
    const LEN: usize = 1 << 20;
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (thread, handle) = thread_in(move || {
        let written = writes_a_pipe_in_the_test(&writer, &vec![1; LEN]);
        assert_eq!(written, LEN as isize, "neither EINTR nor a part");
    });
    let (frames, call) = until_in(thread, "writes_a_pipe_in_the_test");
    assert!(is_whole(&frames), "{call:?} {frames:#?}");
    // Again while it surely waits, and a part is in the pipe.
    let waits = || take(thread, SIGNAL)?.call()?.name();
    while !handle.is_finished() && waits() != Some("write") {
        std::thread::yield_now();
    }
    let _ = take(thread, SIGNAL);
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), LEN);
    handle.join().unwrap();
}

/// One wait, so that whoever is not in it any more is in none that a signal could end.
const WAIT: std::time::Duration = std::time::Duration::from_secs(3);

#[inline(never)]
fn sleeps_in_the_test() {
    let time = libc::timespec { tv_sec: 3, tv_nsec: 0 };
    // SAFETY: reads `time` alone.
    assert_eq!(unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) }, 0, "EINTR");
}

#[inline(never)]
fn polls_in_the_test(socket: &OwnedFd) {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one record, which is ours.
    assert!(unsafe { libc::poll(&raw mut poll, 1, 3_000) } >= 0, "EINTR");
}

#[inline(never)]
fn receives_in_the_test(socket: &std::net::UdpSocket) {
    let error = socket.recv(&mut [0; 8]).expect_err("nobody sends");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "not EINTR");
}

/// Takes the stack of a thread that waits in `f` again and again. It must never see EINTR.
fn not_interrupted(function: &str, call: &str, f: impl FnOnce() + Send + 'static) {
    let (thread, handle) = thread_in(f);
    let is_in_call = || {
        let taken = take(thread, Signal::Off)?;
        Some(taken.call().and_then(|call| call.name()) == Some(call))
    };
    while is_in_call() != Some(true) {
        std::thread::yield_now();
    }
    let first = take(thread, SIGNAL);
    for _ in 0..50 {
        // A thread that has ended has none.
        let _ = take(thread, SIGNAL);
    }
    let frames = first.expect("it waits for seconds").frames();
    let is_there = frames.iter().any(|frame| named(frame, function));
    assert!(is_there && is_whole(&frames), "{frames:#?}");
    handle.join().unwrap();
}

#[test]
fn a_sleep_is_not_ended() {
    not_interrupted("sleeps_in_the_test", "clock_nanosleep", sleeps_in_the_test);
}

#[test]
fn a_sleep_of_std_is_not_ended() {
    not_interrupted("a_sleep_of_std_is_not_ended", "clock_nanosleep", || std::thread::sleep(WAIT));
}

#[test]
fn a_poll_is_not_ended() {
    let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let socket = OwnedFd::from(socket);
    not_interrupted("polls_in_the_test", "poll", move || polls_in_the_test(&socket));
}

#[test]
fn a_receive_with_a_time_limit_is_not_ended() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(WAIT)).unwrap();
    not_interrupted("receives_in_the_test", "recvfrom", move || receives_in_the_test(&socket));
}

#[test]
fn a_signal_that_is_not_ours_goes_to_who_had_it() {
    let stop = Arc::new(AtomicBool::new(false));
    let its = stop.clone();
    let (thread, handle) = thread_in(move || computes_for_the_test(&its));
    until_in(thread, "computes_for_the_test");
    let before = BEFORE.load(Ordering::SeqCst);
    // SAFETY: runs the handlers of a signal that has some.
    assert_eq!(unsafe { libc::raise(NUMBER) }, 0);
    assert_eq!(BEFORE.load(Ordering::SeqCst), before + 1);
    stop.store(true, Ordering::Relaxed);
    handle.join().unwrap();
}

#[test]
fn a_thread_that_holds_the_signal_off_is_not_asked_and_works_on() {
    let stop = Arc::new(AtomicBool::new(false));
    let its = stop.clone();
    let (ready, is_ready) = mpsc::channel();
    let (thread, handle) = thread_in(move || {
        let mut set = zeroed();
        // SAFETY: a set of our own; all zeroes is the empty one.
        unsafe { libc::sigaddset(&raw mut set, NUMBER) };
        // SAFETY: the mask of this thread alone.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
        ready.send(()).unwrap();
        computes_for_the_test(&its);
    });
    is_ready.recv().unwrap();
    while take(thread, SIGNAL).is_some_and(|taken| taken.call().is_some()) {
        std::thread::yield_now();
    }
    assert!(take(thread, SIGNAL).is_none());
    stop.store(true, Ordering::Relaxed);
    handle.join().unwrap();
}

#[test]
fn a_thread_that_has_ended_has_no_stack() {
    let (thread, handle) = thread_in(|| {});
    handle.join().unwrap();
    // The kernel may still be about to take it away.
    while take(thread, SIGNAL).is_some() {
        std::thread::yield_now();
    }
    for _ in 0..50 {
        let (thread, handle) = thread_in(|| {});
        let _ = take(thread, SIGNAL);
        handle.join().unwrap();
    }
}

#[test]
fn what_was_read_serves_for_the_next_stack_until_other_code_is_loaded() {
    let stop = Arc::new(AtomicBool::new(false));
    let its = stop.clone();
    let (thread, handle) = thread_in(move || computes_for_the_test(&its));
    until_in(thread, "computes_for_the_test");
    let taken = loop {
        match take(thread, SIGNAL) {
            Some(taken) => break taken,
            None => std::thread::yield_now(),
        }
    };
    with_code(|code| {
        assert_eq!(code.bytes(), 0);
        let first = code.frames(&taken).expect("what is loaded now");
        let read = code.bytes();
        assert!(read > 0 && is_whole(&first), "{first:#?}");
        assert_eq!((code.frames(&taken), code.bytes()), (Some(first), read));
        let program = File::open("/proc/self/exe").unwrap();
        let (rights, how) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE);
        // SAFETY: a new place of the kernel's choice, of which nothing is run.
        let map =
            unsafe { libc::mmap(std::ptr::null_mut(), 4096, rights, how, program.as_raw_fd(), 0) };
        assert_ne!(map, libc::MAP_FAILED);
        assert_eq!(code.frames(&taken), None);
        // SAFETY: ours, whole, and nobody borrows it.
        assert_eq!(unsafe { libc::munmap(map, 4096) }, 0);
    });
    stop.store(true, Ordering::Relaxed);
    handle.join().unwrap();
}

static ON_ANOTHER_STACK: AtomicBool = AtomicBool::new(false);

#[inline(never)]
extern "C" fn computes_on_another_stack(_signal: libc::c_int) {
    computes_for_the_test(&ON_ANOTHER_STACK);
}

#[test]
fn a_thread_on_an_alternative_stack_is_asked_there() {
    let (thread, handle) = thread_in(|| {
        // Its own, large enough for the test's handler and the one above it.
        let mut stack = vec![0_u8; 256 * 1024];
        let (ss_sp, ss_size) = (stack.as_mut_ptr().cast(), stack.len());
        let (own, mut before) = (libc::stack_t { ss_sp, ss_flags: 0, ss_size }, zeroed());
        // SAFETY: the stack outlives what runs on it, and is given back below.
        assert_eq!(unsafe { libc::sigaltstack(&raw const own, &raw mut before) }, 0);
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = computes_on_another_stack as *const () as usize;
        action.sa_flags = libc::SA_ONSTACK;
        // SAFETY: a whole record; the handler does nothing that another thread could see but to end.
        unsafe { libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut()) };
        // SAFETY: the signal has a handler.
        assert_eq!(unsafe { libc::raise(libc::SIGUSR2) }, 0);
        // SAFETY: as it was.
        assert_eq!(unsafe { libc::sigaltstack(&raw const before, std::ptr::null_mut()) }, 0);
    });
    let (frames, _) = until_in(thread, "computes_on_another_stack");
    assert!(named(&frames[0], "computes_for_the_test") || frames.len() > 1, "{frames:#?}");
    ON_ANOTHER_STACK.store(true, Ordering::Relaxed);
    handle.join().unwrap();
}
