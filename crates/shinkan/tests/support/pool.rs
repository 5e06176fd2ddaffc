//! A pool of one thread, which a test holds where an operation has to wait.

use shinkan_base::wait::{TaskFrame, Wait};
use shinkan_rt::{Builder, Handle, Runtime};
use std::future::Future;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap()
}

/// Holds the one thread of the pool until it is dropped.
pub(crate) fn hold(handle: &Handle) -> mpsc::Sender<()> {
    let (begins, begun) = mpsc::channel();
    let (release, wait) = mpsc::channel();
    handle.spawn_blocking(move || {
        begins.send(()).unwrap();
        let _: Result<(), _> = wait.recv();
    });
    begun.recv().unwrap();
    release
}

/// Polls once as a task does: what came of it, and what it says that it waits for.
pub(crate) fn poll_once<F: Future>(future: F) -> (Poll<F::Output>, Option<Wait>) {
    let frame = TaskFrame::new(1);
    let polled = {
        let _in_task = shinkan_context::enter_frame(&frame);
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    };
    (polled, frame.wait.read())
}
