//! The thread that finds the names of a stack's functions. They lie in files, and a disk may not answer:
//! who asks goes on meanwhile. Asked by the thread for reports, one stack at a time.
//!
//! It lives while it is of use: what it has read of the program's files serves for the next stack too.
//! It computes for a tenth of a second just where the program lacks processors, and where it waits for
//! one nobody else is excused by it. Tried: to have it take a tenth of another's share, by nice(2). On a
//! machine of two saturated cores it had no name within 10 s then, and without it p99.9 was the same.

use crate::reporter::Message;
use crate::taker::{self, Copied};
use shinkan_base::atomics::plain::{AtomicU32, Ordering};
use shinkan_sys::threads;
use std::sync::mpsc::{Sender, SyncSender, channel};

static THREAD: AtomicU32 = AtomicU32::new(0);

/// The kernel's number of the thread; 0 while there is none.
pub(crate) fn thread() -> i32 {
    THREAD.load(Ordering::Relaxed).cast_signed()
}

pub(crate) struct Namer {
    answers: SyncSender<Message>,
    asked: Option<Sender<Copied>>,
}

impl Namer {
    /// Answers go there.
    pub(crate) fn new(answers: SyncSender<Message>) -> Self {
        Self { answers, asked: None }
    }

    /// Has the names of a copy looked for; an answer follows if this is true, after a panic too.
    pub(crate) fn name(&mut self, copied: Copied) -> bool {
        if self.asked.is_none() {
            self.asked = self.started();
        }
        self.asked.as_ref().is_some_and(|asked| asked.send(copied).is_ok())
    }

    /// What is known of the program's code is forgotten, and the thread ends.
    pub(crate) fn end(&mut self) {
        self.asked = None;
    }

    fn started(&self) -> Option<Sender<Copied>> {
        let (asked, asks) = channel();
        let answers = self.answers.clone();
        let serve = move || {
            THREAD.store(threads::kernel_id().cast_unsigned(), Ordering::Relaxed);
            // The thread for reports lives as long as the process.
            let answer = |stack| drop(answers.send(Message::Named(stack)));
            taker::serve(|| asks.recv().ok(), answer);
            let own = threads::kernel_id().cast_unsigned();
            // Not where the next one has begun.
            let _ = THREAD.compare_exchange(own, 0, Ordering::Relaxed, Ordering::Relaxed);
        };
        threads::spawn("shinkan-names".into(), None, serve).ok()?;
        Some(asked)
    }
}
