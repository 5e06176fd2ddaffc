//! Who listens for a signal, when, and in which runtime. Each test has a signal of its own, since
//! the process has one of each.

mod support;

use rustix::process::{Signal as Raised, getpid, kill_process};
use shinkan::runtime::{Builder, Runtime};
use shinkan::signal::unix::{Signal, SignalKind, signal};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use support::{current_thread, is_pending, multi_thread, on_both};

/// The process gets the signal; the handler runs on whatever thread the kernel takes, soon.
fn raise(signal: Raised) {
    kill_process(getpid(), signal).unwrap();
}

#[test]
fn every_listener_of_every_runtime_receives_it() {
    let ready = Arc::new(Barrier::new(5));
    let threads: Vec<_> = (0..4)
        .map(|at| {
            let ready = ready.clone();
            let runtime = if at % 2 == 0 { current_thread() } else { multi_thread() };
            thread::spawn(move || {
                runtime.block_on(async {
                    let mut one = signal(SignalKind::user_defined1()).unwrap();
                    let mut other = signal(SignalKind::user_defined1()).unwrap();
                    ready.wait();
                    let task = runtime.spawn(async move { other.recv().await });
                    assert_eq!(one.recv().await, Some(()));
                    assert_eq!(task.await.unwrap(), Some(()));
                });
            })
        })
        .collect();
    ready.wait();
    raise(Raised::USR1);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn none_of_many_is_missed_by_four_runtimes() {
    let (step, steps) = mpsc::channel();
    let mut go = Vec::new();
    let threads: Vec<_> = (0..4)
        .map(|at| {
            let runtime = if at % 2 == 0 { current_thread() } else { multi_thread() };
            let (step, (again, its_again)) = (step.clone(), mpsc::channel::<()>());
            go.push(again);
            thread::spawn(move || {
                let mut signal = runtime.block_on(async { signal(SignalKind::alarm()).unwrap() });
                step.send(()).unwrap();
                for () in its_again {
                    assert_eq!(runtime.block_on(signal.recv()), Some(()));
                    step.send(()).unwrap();
                }
            })
        })
        .collect();
    for _ in 0..300 {
        (0..4).for_each(|_| steps.recv().unwrap());
        go.iter().for_each(|again| again.send(()).unwrap());
        raise(Raised::ALARM);
    }
    drop(go);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_wait_that_is_dropped_loses_nothing() {
    on_both(|| async {
        let mut signal = signal(SignalKind::quit()).unwrap();
        assert!(is_pending(signal.recv()).await);
        raise(Raised::QUIT);
        assert_eq!(signal.recv().await, Some(()));
    });
}

#[test]
fn other_kinds_are_not_received() {
    current_thread().block_on(async {
        let mut io = signal(SignalKind::io()).unwrap();
        let mut child = signal(SignalKind::child()).unwrap();
        raise(Raised::IO);
        assert_eq!(io.recv().await, Some(()));
        assert!(is_pending(child.recv()).await);
    });
}

#[test]
fn a_listener_moves_to_a_runtime_that_never_heard_of_signals() {
    let first = current_thread();
    let mut signal = first.block_on(async { signal(SignalKind::window_change()).unwrap() });
    drop(first);
    for _ in 0..3 {
        let next = multi_thread();
        raise(Raised::WINCH);
        assert_eq!(next.block_on(signal.recv()), Some(()));
    }
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let (first, last) =
        (Arc::new(Count(AtomicUsize::new(0))), Arc::new(Count(AtomicUsize::new(0))));
    current_thread().block_on(async {
        let mut signal = signal(SignalKind::pipe()).unwrap();
        let mut other = again();
        for count in [&first, &last] {
            let waker = Waker::from(count.clone());
            assert!(signal.poll_recv(&mut Context::from_waker(&waker)).is_pending());
        }
        raise(Raised::PIPE);
        other.recv().await;
        let mut nobody = Context::from_waker(Waker::noop());
        assert_eq!(signal.poll_recv(&mut nobody), Poll::Ready(Some(())));
    });
    // Another test's runtime may be calling the wakers, one after the other.
    while last.0.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    assert_eq!((first.0.load(Ordering::SeqCst), last.0.load(Ordering::SeqCst)), (0, 1));
}

fn again() -> Signal {
    signal(SignalKind::pipe()).unwrap()
}

#[test]
fn what_no_program_may_handle_is_refused() {
    current_thread().block_on(async {
        for number in [-1, 0, 4, 8, 9, 11, 19, 65, i32::MAX, i32::MIN] {
            let error = signal(SignalKind::from_raw(number)).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::Other, "{number}");
            assert!(error.to_string().contains(&number.to_string()), "{error}");
        }
        // The C library keeps these for itself.
        for number in [32, 33] {
            let error = signal(SignalKind::from_raw(number)).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{number}");
        }
        for number in 34..=64 {
            drop(signal(SignalKind::from_raw(number)).unwrap());
        }
    });
}

/// What a panic says.
fn panic_of(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap()
}

#[test]
fn without_a_runtime_or_its_io_a_panic_names_the_remedy() {
    let outside = panic_of(|| drop(signal(SignalKind::hangup())));
    assert!(outside.contains("no reactor") && outside.contains("enter"), "{outside}");
    let without_io: Runtime = Builder::new_current_thread().build().unwrap();
    let text = panic_of(|| without_io.block_on(async { drop(signal(SignalKind::hangup())) }));
    assert!(text.contains("enable_io"), "{text}");
    // `ctrl_c` does nothing before it is polled.
    let waits = shinkan::signal::ctrl_c();
    let text = panic_of(|| {
        let _ = pin!(waits).poll(&mut Context::from_waker(Waker::noop()));
    });
    assert!(text.contains("no reactor") && text.contains(file!()), "{text}");
}

#[test]
fn control_c_does_not_end_the_process() {
    on_both(|| async {
        let mut wait = pin!(shinkan::signal::ctrl_c());
        assert!(is_pending(wait.as_mut()).await);
        raise(Raised::INT);
        wait.await.unwrap();
    });
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("the waker's");
    }
}

#[test]
fn a_waker_that_panics_keeps_no_other_from_being_woken() {
    on_both(|| async {
        let kind = SignalKind::terminate();
        let mut listeners = [signal(kind).unwrap(), signal(kind).unwrap(), signal(kind).unwrap()];
        let waker = Waker::from(Arc::new(Panics));
        let [panics, before, after] = &mut listeners;
        assert!(panics.poll_recv(&mut Context::from_waker(&waker)).is_pending());
        for _ in 0..2 {
            raise(Raised::TERM);
            assert_eq!(before.recv().await, Some(()));
            assert_eq!(after.recv().await, Some(()));
        }
    });
}

#[test]
fn the_second_that_programs_may_define() {
    on_both(|| async {
        let mut signal = signal(SignalKind::user_defined2()).unwrap();
        assert!(is_pending(signal.recv()).await);
        raise(Raised::USR2);
        assert_eq!(signal.recv().await, Some(()));
    });
}
