//! A signal on its way: the handler, a reader and a listener, and the reader's end.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc as LoomArc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use shinkan_base::atomics::Arc;
use shinkan_base::wakers::Wakers;
use shinkan_driver::Driver;
use shinkan_driver::signals::{Board, watch};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// What stands for the kernel: it delivers edges, and orders nothing else.
#[derive(Default)]
struct Edges(AtomicUsize);

impl Edges {
    fn ring(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn wait(&self, count: usize) {
        while self.0.fetch_add(0, Ordering::Relaxed) < count {
            thread::yield_now();
        }
    }
}

fn tell(board: &Board) {
    let mut out = Wakers::new();
    board.tell(&mut out);
    out.wake_all();
}

#[test]
fn a_signal_reaches_who_waits_for_it() {
    loom::model(|| {
        let board = Arc::new(Board::new(1));
        let edges = LoomArc::new(Edges::default());
        let written = LoomArc::new(AtomicUsize::new(0));
        let mut listener = Board::listen(&board, 1);
        let handler = thread::spawn({
            let (board, edges, written) = (board.clone(), edges.clone(), written.clone());
            move || {
                written.store(1, Ordering::Relaxed);
                board.raise(1, || edges.ring());
            }
        });
        let reader = thread::spawn(move || {
            edges.wait(1);
            tell(&board);
        });
        block_on(poll_fn(|cx| listener.poll(cx)));
        assert_eq!(written.load(Ordering::Relaxed), 1, "received before it was raised");
        handler.join().unwrap();
        reader.join().unwrap();
    });
}

#[test]
fn what_was_written_before_it_is_seen() {
    loom::model(|| {
        let board = Arc::new(Board::new(1));
        let (written, done) = (LoomArc::new(AtomicUsize::new(0)), LoomArc::new(Edges::default()));
        let mut listener = Board::listen(&board, 1);
        let raised_and_told = thread::spawn({
            let (written, done) = (written.clone(), done.clone());
            move || {
                written.store(1, Ordering::Relaxed);
                board.raise(1, || tell(&board));
                done.ring();
            }
        });
        // Orders nothing; it has the checker try a first look that comes late.
        done.wait(1);
        let mut cx = Context::from_waker(Waker::noop());
        if listener.poll(&mut cx).is_ready() {
            assert_eq!(written.load(Ordering::Relaxed), 1);
        }
        raised_and_told.join().unwrap();
    });
}

#[test]
fn two_that_are_raised_are_both_seen() {
    loom::model(|| {
        let board = Arc::new(Board::new(1));
        let raised = LoomArc::new(Edges::default());
        let written = LoomArc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let mut listener = Board::listen(&board, 1);
        let raise = |at: usize| {
            let (board, raised, written) = (board.clone(), raised.clone(), written.clone());
            thread::spawn(move || {
                written[at].store(1, Ordering::Relaxed);
                board.raise(1, || raised.ring());
            })
        };
        let both = [raise(0), raise(1)];
        raised.wait(2);
        tell(&board);
        block_on(poll_fn(|cx| listener.poll(cx)));
        assert!(written.iter().all(|one| one.load(Ordering::Relaxed) == 1));
        both.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn the_end_of_a_reader_is_seen_by_who_waits() {
    loom::model(|| {
        let board = Arc::new(Board::new(1));
        let driver = Arc::new(Driver::sim(0));
        watch(driver.io(), &board, 0).unwrap();
        let mut listener = Board::listen(&board, 1);
        let ends = thread::spawn({
            let driver = driver.clone();
            move || {
                let mut out = Wakers::new();
                driver.shutdown(&mut out);
                out.wake_all();
            }
        });
        // As `recv` does: the waker first, then a look at who reads.
        block_on(poll_fn(|cx| {
            assert!(listener.poll(cx).is_pending());
            let gone = watch(driver.io(), &board, 0).is_err();
            if gone && board.readers() == 0 { Poll::Ready(()) } else { Poll::Pending }
        }));
        ends.join().unwrap();
    });
}
