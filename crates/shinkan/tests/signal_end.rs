//! The end of the runtimes that read signals. One test, since the last one's end is seen by all
//! listeners of the process.

use rustix::process::{Signal as Raised, getpid, kill_process};
use shinkan::runtime::{Builder, Runtime};
use shinkan::signal::unix::{SignalKind, signal};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn listeners_outlive_runtimes() {
    // A listener elsewhere goes on while any runtime reads.
    let (first, second) = (runtime(), runtime());
    let kind = SignalKind::user_defined1();
    let mut in_first = first.block_on(async { signal(kind).unwrap() });
    let mut in_second = second.block_on(async { signal(kind).unwrap() });
    let handle = first.handle().clone();
    let waits = thread::spawn(move || {
        let received = handle.block_on(in_first.recv());
        (in_first, received)
    });
    drop(first);
    kill_process(getpid(), Raised::USR1).unwrap();
    assert_eq!(second.block_on(in_second.recv()), Some(()));
    let (mut in_first, received) = waits.join().unwrap();
    assert_eq!(received, Some(()));

    // Where the runtime that polls it has ended, and no other reads, nothing can come any more.
    let handle = second.handle().clone();
    let its_handle = handle.clone();
    let waits = thread::spawn(move || its_handle.block_on(in_second.recv()));
    drop(second);
    assert_eq!(waits.join().unwrap(), None);
    assert_eq!(handle.block_on(in_first.recv()), None);
    {
        let _inside = handle.enter();
        assert!(signal(kind).is_err());
    }
    assert!(handle.block_on(shinkan::signal::ctrl_c()).is_err());

    // Outside every runtime it waits for one to come.
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(in_first.recv()).poll(&mut cx).is_pending());
    let third = runtime();
    kill_process(getpid(), Raised::USR1).unwrap();
    assert_eq!(third.block_on(in_first.recv()), Some(()));

    // A runtime leaves nothing behind, also with a listener that is kept and one that waits.
    drop(third);
    let before = descriptors();
    for _ in 0..50 {
        let next = runtime();
        next.spawn(async move { signal(kind).unwrap().recv().await });
        assert_eq!(next.block_on(async { signal(kind).map(drop) }).ok(), Some(()));
        let polled = next.block_on(async {
            std::future::poll_fn(|cx| Poll::Ready(in_first.poll_recv(cx))).await
        });
        assert!(polled.is_pending());
    }
    assert_eq!(descriptors(), before);
}
