//! The thread that tells of stuck polls, apart from the monitor: to find a stack's names takes
//! milliseconds, a hook may take longer, and a standard error that nobody reads for ever. The
//! monitor goes on meanwhile.
//!
//! Started with the first report. Copies the stack for each report as it comes, before anything else
//! is done; a copy's names are looked for by another thread (`namer.rs`), since they lie in files, and a
//! disk may not answer. Reports are told in the order in which they came. Holds nothing of a runtime but
//! the user's hook.

use crate::hooks::quietly;
use crate::monitor;
use crate::namer::Namer;
use crate::stack::StallStack;
use crate::stall::{Stall, StallConfig};
use crate::stall_sink;
use crate::taker::{self, Copied};
use crate::tenure::Tenure;
use core::time::Duration;
use shinkan_base::atomics::Arc;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_sys::{clock, stdio, threads};
use std::collections::VecDeque;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

/// For names to be found, in files that may lie on a disk that does not answer: the report is told
/// without a stack then, and so are others until it has answered.
const NAMES_MAX: Duration = Duration::from_secs(10);

/// For how long what is known of the program's code is kept after it was of use.
const NAMES_KEPT: Duration = Duration::from_secs(10);

/// Messages that wait, and reports whose names are looked for. What is beyond is counted only.
const WAITING_MAX: usize = 64;

/// At a thread that is in the runtime, whether it goes back to its poll.
const LOOKS: u32 = 100;

/// Copies that wait for their names. Reports beyond have no stack.
const COPIES_MAX: usize = 16;

static REPORTS: OnceLock<SyncSender<Message>> = OnceLock::new();
static LOST: AtomicU64 = AtomicU64::new(0);

/// What is to be told.
pub(crate) struct Report {
    pub(crate) stall: Stall,
    pub(crate) config: StallConfig,
    /// The first of this place in a while: it goes to standard error, and has a stack.
    pub(crate) is_due: bool,
    pub(crate) poll: Poll,
}

/// A poll that may have come back since.
pub(crate) struct Poll {
    pub(crate) tenure: Arc<Tenure>,
    pub(crate) sequence: u64,
}

impl Poll {
    fn goes_on(&self) -> bool {
        let seat = &self.tenure.seat;
        for _ in 0..LOOKS {
            if seat.sequence() != self.sequence || seat.has_returned() {
                return false;
            }
            if seat.is_outside() {
                return true;
            }
            // It is back, or wakes somebody, and is out again in a moment.
            threads::yield_now();
        }
        false
    }
}

/// What comes to the thread for reports.
pub(crate) enum Message {
    /// Of the monitor: a stuck poll.
    Stuck(Box<Report>),
    /// Of the monitor: to be written as it is.
    Words(String),
    /// Of the thread for names: the stack that it was given last.
    Named(Option<StallStack>),
}

/// Has it told. Never waits. Called by the monitor alone.
pub(crate) fn tell(report: Report) {
    if report.config.hook.is_none() && !(report.is_due && report.config.report) {
        return;
    }
    send(Message::Stuck(Box::new(report)));
}

/// The same of words for standard error.
pub(crate) fn warn(words: String) {
    send(Message::Words(words));
}

fn send(message: Message) {
    let Some(reports) = REPORTS.get().or_else(started) else {
        // No thread to be had now: the monitor does it.
        return quietly(|| match message {
            Message::Stuck(report) => report.tell(),
            Message::Words(words) => stdio::warn(&words),
            Message::Named(_) => {}
        });
    };
    if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = reports.try_send(message) {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

fn started() -> Option<&'static SyncSender<Message>> {
    let (reports, received) = sync_channel(WAITING_MAX);
    let namer = Namer::new(reports.clone());
    let run = move || Desk::new(OfThePolls(namer)).run(&received);
    threads::spawn("shinkan-reports".into(), None, run).ok()?;
    Some(REPORTS.get_or_init(|| reports))
}

/// What a desk does with reports, apart from their order.
trait Work {
    type Copied;
    /// Of what the thread has on its stack now.
    fn copy(&mut self, report: &Report) -> Option<Self::Copied>;
    /// Has the names looked for: [`Message::Named`] follows. Whether they are.
    fn name(&mut self, copied: Self::Copied) -> bool;
    /// Names will not be asked for in a while.
    fn rest(&mut self);
    fn tell(&mut self, report: Report);
}

struct OfThePolls(Namer);

impl Work for OfThePolls {
    type Copied = Copied;

    fn copy(&mut self, report: &Report) -> Option<Copied> {
        // Nobody is asked for a stack that is another poll's by now.
        let Report { config, poll, is_due, .. } = report;
        if !is_due || !config.stacks || !poll.goes_on() {
            return None;
        }
        let Tenure { thread, on_stack, .. } = *poll.tenure;
        let copied = taker::take(thread, on_stack, monitor::thread(), config.signal);
        // A poll that came back meanwhile has left another one's stack, or none.
        copied.filter(|_| poll.goes_on())
    }

    fn name(&mut self, copied: Copied) -> bool {
        self.0.name(copied)
    }

    fn rest(&mut self) {
        self.0.end();
    }

    fn tell(&mut self, report: Report) {
        report.tell();
    }
}

/// Where reports wait.
struct Desk<W: Work> {
    work: W,
    /// In the order in which they came.
    waiting: VecDeque<Waiting<W::Copied>>,
    copies: usize,
    /// The first one's names are looked for until then.
    until: Option<Instant>,
    /// They were not found in time, and the thread for names still looks for them.
    hangs: bool,
    /// Names were looked for, which are known for a while.
    knows: bool,
}

struct Waiting<C> {
    report: Box<Report>,
    copied: Option<C>,
}

impl<W: Work> Desk<W> {
    fn new(work: W) -> Self {
        let (waiting, copies) = (VecDeque::new(), 0);
        Self { work, waiting, copies, until: None, hangs: false, knows: false }
    }

    fn run(mut self, received: &Receiver<Message>) {
        loop {
            // All that came, before what takes longer.
            let message = match received.try_recv() {
                Ok(message) => Ok(message),
                Err(_) if self.goes_on() => continue,
                Err(_) => match self.patience() {
                    Some(patience) => received.recv_timeout(patience),
                    None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
                },
            };
            match message {
                Ok(message) => self.receive(message),
                Err(RecvTimeoutError::Timeout) => self.wait_no_longer(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// How long to wait for a message.
    fn patience(&self) -> Option<Duration> {
        let until = self.until.map(|until| until.saturating_duration_since(clock::now()));
        until.or(self.knows.then_some(NAMES_KEPT))
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Stuck(_) if self.waiting.len() >= WAITING_MAX => {
                LOST.fetch_add(1, Ordering::Relaxed);
            }
            Message::Stuck(report) => {
                let mut copied = None;
                if !self.hangs && self.copies < COPIES_MAX {
                    quietly(|| copied = self.work.copy(&report));
                }
                self.copies += usize::from(copied.is_some());
                self.waiting.push_back(Waiting { report, copied });
            }
            Message::Words(words) => stdio::warn(&words),
            Message::Named(_) if self.hangs => self.hangs = false,
            Message::Named(stack) => self.first_is_named(stack),
        }
    }

    /// Neither a message nor names came in time.
    fn wait_no_longer(&mut self) {
        if self.until.is_some() {
            self.hangs = true;
            self.first_is_named(None);
        } else {
            self.knows = false;
            self.work.rest();
        }
    }

    fn first_is_named(&mut self, stack: Option<StallStack>) {
        if self.until.take().is_some()
            && let Some(first) = self.waiting.front_mut()
        {
            first.report.stall.stack = stack;
        }
    }

    /// Goes on with the first report. Whether there is more to be done at once.
    fn goes_on(&mut self) -> bool {
        if self.until.is_some() {
            return false;
        }
        let Some(first) = self.waiting.front_mut() else { return false };
        if let Some(copied) = first.copied.take() {
            self.copies -= 1;
            if !self.hangs && self.work.name(copied) {
                self.until = clock::now().checked_add(NAMES_MAX);
                self.knows = true;
                return false;
            }
        }
        if let Some(Waiting { report, .. }) = self.waiting.pop_front() {
            // Also what is no hook may panic: a subscriber of `tracing`, and what a hook holds.
            quietly(|| self.work.tell(*report));
            match LOST.swap(0, Ordering::Relaxed) {
                0 => {}
                lost => stdio::warn(&format!("shinkan: {lost} more stuck polls were not told\n")),
            }
        }
        true
    }
}

impl Report {
    fn tell(self) {
        if let Some(hook) = &self.config.hook {
            quietly(|| hook(&self.stall));
        }
        if self.is_due && self.config.report {
            stall_sink::report(&self.stall);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stall::{StallIn, StallKind};
    use std::cell::RefCell;
    use std::rc::Rc;

    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("of the test: a hook's own");
        }
    }

    fn report(worker: usize, hook: impl Fn(&Stall) + Send + Sync + 'static) -> Message {
        let stall = Stall {
            runtime: None,
            worker,
            thread: threads::kernel_id(),
            polled: StallIn::Task,
            task: None,
            name: None,
            spawned_at: None,
            duration: Duration::from_millis(10),
            kind: StallKind::Blocked,
            stays: false,
            moved: true,
            stack: None,
        };
        let config =
            StallConfig { hook: Some(std::sync::Arc::new(hook)), ..StallConfig::default() };
        let poll = Poll { tenure: Arc::new(Tenure::new(false)), sequence: 1 };
        Message::Stuck(Box::new(Report { stall, config, is_due: true, poll }))
    }

    type Log = Rc<RefCell<Vec<String>>>;

    /// Writes down what it is to do; a copy is the number of its worker.
    struct Notes(Log);

    impl Notes {
        fn note(&self, word: &str, worker: usize) {
            self.0.borrow_mut().push(format!("{word} {worker}"));
        }
    }

    impl Work for Notes {
        type Copied = usize;

        fn copy(&mut self, report: &Report) -> Option<usize> {
            self.note("copy", report.stall.worker);
            report.is_due.then_some(report.stall.worker)
        }

        fn name(&mut self, copied: usize) -> bool {
            self.note("name", copied);
            true
        }

        fn rest(&mut self) {
            self.0.borrow_mut().push("rest".into());
        }

        fn tell(&mut self, report: Report) {
            let word = if report.stall.stack.is_some() { "named" } else { "plain" };
            self.note(word, report.stall.worker);
            report.tell();
        }
    }

    fn desk() -> (Desk<Notes>, Log) {
        let log = Log::default();
        (Desk::new(Notes(log.clone())), log)
    }

    /// What was noted since.
    fn noted(log: &Log) -> String {
        core::mem::take(&mut *log.borrow_mut()).join(", ")
    }

    /// Has all that came received, and done what can be done without waiting.
    fn all(desk: &mut Desk<Notes>, messages: impl IntoIterator<Item = Message>) {
        messages.into_iter().for_each(|message| desk.receive(message));
        while desk.goes_on() {}
    }

    fn named() -> Message {
        Message::Named(Some(StallStack::default()))
    }

    #[test]
    fn stacks_are_copied_before_any_name_is_looked_for_and_told_in_their_order() {
        let (mut desk, log) = desk();
        all(&mut desk, [report(1, |_| {}), report(2, |_| {})]);
        assert_eq!(noted(&log), "copy 1, copy 2, name 1");
        // Not even names that are looked for hold up a copy.
        all(&mut desk, [report(3, |_| {})]);
        assert_eq!(noted(&log), "copy 3");
        all(&mut desk, [named()]);
        assert_eq!(noted(&log), "named 1, name 2");
        all(&mut desk, [named()]);
        all(&mut desk, [Message::Named(None)]);
        assert_eq!(noted(&log), "named 2, name 3, plain 3");
        assert_eq!(desk.patience(), Some(NAMES_KEPT));
        desk.wait_no_longer();
        assert_eq!((noted(&log), desk.patience()), ("rest".into(), None));
    }

    #[test]
    fn names_that_are_not_found_in_time_hold_up_no_report_and_no_other_is_looked_for() {
        let (mut desk, log) = desk();
        all(&mut desk, [report(1, |_| {}), report(2, |_| {})]);
        assert!(desk.patience().is_some());
        desk.wait_no_longer();
        all(&mut desk, [report(3, |_| {})]);
        assert_eq!(noted(&log), "copy 1, copy 2, name 1, plain 1, plain 2, plain 3");
        // The disk has answered.
        all(&mut desk, [named(), report(4, |_| {})]);
        assert_eq!(noted(&log), "copy 4, name 4");
    }

    #[test]
    fn copies_and_reports_that_wait_are_bounded() {
        let (mut desk, log) = desk();
        all(&mut desk, (0..2 * WAITING_MAX).map(|worker| report(worker, |_| {})));
        assert_eq!(noted(&log).matches("copy").count(), COPIES_MAX);
        assert_eq!(desk.waiting.len(), WAITING_MAX);
        for _ in 0..COPIES_MAX {
            all(&mut desk, [named()]);
        }
        let told = noted(&log);
        assert_eq!(told.matches("named").count(), COPIES_MAX);
        assert_eq!(told.matches("plain").count(), WAITING_MAX - COPIES_MAX);
    }

    #[test]
    fn a_panic_of_what_a_hook_holds_does_not_end_the_reports() {
        let (reports, received) = sync_channel(4);
        let (tell, told) = sync_channel(1);
        let bomb = PanicsWhenDropped;
        let first = report(1, move |_| {
            let _holds = &bomb;
        });
        let second = report(2, move |_| tell.send(()).expect("the test listens"));
        for mut message in [first, second] {
            if let Message::Stuck(report) = &mut message {
                report.is_due = false;
            }
            assert!(reports.send(message).is_ok());
        }
        drop(reports);
        desk().0.run(&received);
        assert!(told.recv().is_ok());
    }
}
