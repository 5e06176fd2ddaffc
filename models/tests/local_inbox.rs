//! The inbox of a local set: a push meets the set's thread, which begins to wait, or closes it.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use shinkan_rt::local::inbox::Inbox;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;

fn inbox() -> Arc<Inbox<VecDeque<Arc<()>>>> {
    Arc::new(Inbox::new(VecDeque::new()))
}

#[test]
fn a_push_meets_a_set_that_waits() {
    loom::model(|| {
        let inbox = inbox();
        let its_inbox = inbox.clone();
        let pusher = thread::spawn(move || {
            if let Some(waker) = its_inbox.push(|queue| queue.push_back(Arc::new(()))) {
                waker.wake();
            }
        });
        block_on(poll_fn(|cx| {
            inbox.register(cx.waker());
            match inbox.pop(VecDeque::pop_front) {
                Some(_) => Poll::Ready(()),
                None => Poll::Pending,
            }
        }));
        pusher.join().unwrap();
    });
}

#[test]
fn a_push_meets_the_close() {
    loom::model(|| {
        let inbox = inbox();
        let its_inbox = inbox.clone();
        let task = Arc::new(());
        let its_task = task.clone();
        let pusher = thread::spawn(move || {
            drop(its_inbox.push(move |queue| queue.push_back(its_task)));
        });
        drop(inbox.close());
        pusher.join().unwrap();
        assert_eq!(Arc::strong_count(&task), 1, "a task is left in a closed inbox");
    });
}
