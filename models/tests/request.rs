//! The copy of a stack that a signal's handler makes for whoever asked: seen whole or not at all,
//! and never written by a handler that comes too late.
#![cfg(shinkan_loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use shinkan_stacks::request::{Request, Ticket};

#[derive(Default)]
struct Slot {
    request: Request,
    copy: [AtomicU64; 2],
}

impl Slot {
    /// As the handler: both words say whose request it was.
    fn serve(&self, ticket: Ticket) {
        self.request.serve(ticket, || {
            for word in &self.copy {
                word.store(ticket.as_u64(), Ordering::Relaxed);
            }
        });
    }

    fn read(&self) -> [u64; 2] {
        [0, 1].map(|at| self.copy[at].load(Ordering::Relaxed))
    }
}

#[test]
fn a_copy_that_is_done_is_whole() {
    loom::model(|| {
        let slot = Arc::new(Slot::default());
        let ticket = slot.request.ask().expect("nothing was asked");
        let its = slot.clone();
        let handler = thread::spawn(move || its.serve(ticket));
        if slot.request.is_done(ticket) {
            assert_eq!(slot.read(), [ticket.as_u64(); 2]);
        }
        handler.join().unwrap();
    });
}

#[test]
fn what_the_asker_left_is_there_for_the_handler() {
    loom::model(|| {
        let slot = Arc::new(Slot::default());
        let its = slot.clone();
        // The number of the first request, as if the signal were faster than the store.
        let first = Ticket::from_u64(1);
        let handler = thread::spawn(move || {
            its.request.serve(first, || assert_eq!(its.copy[0].load(Ordering::Relaxed), 7));
        });
        let asked = slot.request.ask_with(|| slot.copy[0].store(7, Ordering::Relaxed));
        assert_eq!(asked, Some(first));
        handler.join().unwrap();
    });
}

#[test]
fn a_handler_that_comes_late_writes_nothing() {
    loom::model(|| {
        let slot = Arc::new(Slot::default());
        let late = slot.request.ask().expect("nothing was asked");
        let its = slot.clone();
        let handler = thread::spawn(move || its.serve(late));
        let withdrawn = slot.request.withdraw(late);
        // The next request of this slot, to a thread that answers at once.
        if let Some(ticket) = slot.request.ask() {
            assert_ne!(ticket, late);
            slot.serve(ticket);
            assert!(slot.request.is_done(ticket));
            assert_eq!(slot.read(), [ticket.as_u64(); 2]);
        } else {
            assert!(!withdrawn, "a slot that was taken back is free");
        }
        handler.join().unwrap();
    });
}
