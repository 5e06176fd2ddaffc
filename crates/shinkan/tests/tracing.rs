//! What a subscriber of `tracing` is told of tasks, wakers and resources, by a subscriber that
//! writes all of it down. Needs the feature `tracing`: `cargo test -p shinkan --features tracing
//! --test tracing`.

use shinkan::runtime::{Builder, Runtime};
use shinkan::sync::{Barrier, Mutex, RwLock, Semaphore, mpsc, oneshot};
use shinkan::task;
use std::collections::HashMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

type Fields = HashMap<&'static str, String>;

#[derive(Clone, Debug, Default)]
struct Span {
    name: &'static str,
    target: &'static str,
    fields: Fields,
    entered: usize,
    exited: usize,
    handles: usize,
}

#[derive(Clone, Debug)]
struct Note {
    target: &'static str,
    fields: Fields,
    /// The spans that the thread was in, the innermost last.
    inside: Vec<u64>,
}

#[derive(Debug, Default)]
struct Log {
    spans: HashMap<u64, Span>,
    events: Vec<Note>,
    stacks: HashMap<std::thread::ThreadId, Vec<u64>>,
    last: u64,
}

/// Writes down what it is told; a clone is another handle of the same log.
#[derive(Clone, Debug, Default)]
struct Writer(Arc<std::sync::Mutex<Log>>);

struct Reader<'a>(&'a mut Fields);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Writer {
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one span of this name that has these fields.
    fn span(&self, name: &str, fields: &[(&str, &str)]) -> (u64, Span) {
        let log = self.log();
        let mut found = log.spans.iter().filter(|(_, span)| {
            span.name == name
                && fields.iter().all(|(k, v)| span.fields.get(k).is_some_and(|x| x == v))
        });
        let (id, span) = found.next().unwrap_or_else(|| panic!("no {fields:?} in {log:#?}"));
        assert!(found.next().is_none(), "more than one {fields:?}");
        (*id, span.clone())
    }

    /// How many events of `target` have this field, and its value, and were told inside of `span`.
    fn count(&self, target: &str, field: &str, value: &str, span: u64) -> usize {
        let told = |note: &&Note| {
            note.target == target
                && note.fields.get(field).is_some_and(|found| found == value)
                && note.inside.contains(&span)
        };
        self.log().events.iter().filter(told).count()
    }

    fn wakers(&self, op: &str, span: u64) -> usize {
        let told = |note: &&Note| {
            note.target == "tokio::task::waker"
                && note.fields["op"] == op
                && note.fields["task.id"] == span.to_string()
        };
        self.log().events.iter().filter(told).count()
    }
}

impl Subscriber for Writer {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut log = self.log();
        log.last += 1;
        let id = log.last;
        let mut made = Span {
            name: span.metadata().name(),
            target: span.metadata().target(),
            handles: 1,
            ..Span::default()
        };
        span.record(&mut Reader(&mut made.fields));
        log.spans.insert(id, made);
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::new();
        event.record(&mut Reader(&mut fields));
        let mut log = self.log();
        let inside = log.stacks.entry(std::thread::current().id()).or_default().clone();
        log.events.push(Note { target: event.metadata().target(), fields, inside });
    }

    fn enter(&self, id: &Id) {
        let mut log = self.log();
        log.stacks.entry(std::thread::current().id()).or_default().push(id.into_u64());
        log.spans.get_mut(&id.into_u64()).expect("it was told of").entered += 1;
    }

    fn exit(&self, id: &Id) {
        let mut log = self.log();
        let stack = log.stacks.entry(std::thread::current().id()).or_default();
        assert_eq!(stack.pop(), Some(id.into_u64()), "left in another order than entered");
        log.spans.get_mut(&id.into_u64()).expect("it was told of").exited += 1;
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.log().spans.get_mut(&id.into_u64()).expect("it was told of").handles += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut log = self.log();
        let span = log.spans.get_mut(&id.into_u64()).expect("it was told of");
        span.handles -= 1;
        span.handles == 0
    }
}

/// Runs on one thread, which alone is listened to.
fn listen<T>(body: impl AsyncFnOnce(Writer) -> T) -> (Writer, T) {
    let writer = Writer::default();
    let _listens = tracing::subscriber::set_default(writer.clone());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let output = runtime.block_on(body(writer.clone()));
    drop(runtime);
    let log = writer.log();
    for span in log.spans.values() {
        assert_eq!((span.handles, span.entered - span.exited), (0, 0), "still open: {span:?}");
    }
    drop(log);
    (writer, output)
}

#[test]
fn a_task_has_a_span_with_name_place_and_polls() {
    let (writer, id) = listen(async |_| {
        let task = task::Builder::new().name("worker bee").spawn(async {
            task::yield_now().await;
            task::yield_now().await;
        });
        let task = task.unwrap();
        let id = task.id();
        task.await.unwrap();
        id
    });
    let (_, span) = writer.span("runtime.spawn", &[("task.name", "worker bee")]);
    assert_eq!((span.target, &*span.fields["kind"]), ("tokio::task", "task"));
    assert_eq!(span.fields["loc.file"], file!());
    assert_eq!(span.fields["task.id"], id.to_string());
    assert!(span.fields["loc.line"].parse::<u32>().unwrap() > 100);
    // Three polls, and the drop of the future.
    assert_eq!((span.entered, span.exited), (4, 4));
    let (_, span) = writer.span("runtime.spawn", &[("kind", "block_on")]);
    assert_eq!(span.fields["loc.file"], file!());
}

#[test]
fn each_kind_of_spawn_has_a_span() {
    let (writer, ()) = listen(async |_| {
        let set = task::LocalSet::new();
        set.run_until(async { task::spawn_local(async {}).await.unwrap() }).await;
        let mut members = task::JoinSet::new();
        members.build_task().name("member").spawn(async {}).unwrap();
        members.join_all().await;
        task::Builder::new().name("digs").spawn_blocking(|| 7).unwrap().await.unwrap();
    });
    assert_eq!(writer.span("runtime.spawn", &[("kind", "local")]).1.target, "tokio::task");
    assert_eq!(writer.span("runtime.spawn", &[("task.name", "member")]).1.fields["kind"], "task");
    let (_, span) = writer.span("runtime.spawn", &[("kind", "blocking")]);
    assert_eq!((span.target, &*span.fields["task.name"]), ("tokio::task::blocking", "digs"));
    assert!(span.fields["fn"].contains("closure"));
}

#[test]
fn clones_less_drops_and_wakes_by_value_are_the_live_wakers() {
    let (writer, live) = listen(async |writer| {
        let (sender, receiver) = oneshot::channel();
        let mut held = Vec::new();
        let task = task::Builder::new().name("sleeper").spawn(std::future::poll_fn(move |cx| {
            if held.is_empty() {
                held.extend([cx.waker().clone(), cx.waker().clone(), cx.waker().clone()]);
                cx.waker().wake_by_ref();
                return std::task::Poll::Pending;
            }
            held.pop().unwrap().wake();
            drop(held.pop());
            let _keeps = &receiver;
            std::task::Poll::Ready(held.pop())
        }));
        let kept = task.unwrap().await.unwrap();
        drop::<oneshot::Sender<()>>(sender);
        let (span, _) = writer.span("runtime.spawn", &[("task.name", "sleeper")]);
        let count = |op| writer.wakers(op, span);
        assert_eq!(count("waker.wake_by_ref"), 1);
        let live = count("waker.clone") - count("waker.drop") - count("waker.wake");
        drop(kept);
        live
    });
    assert_eq!(live, 1);
    let (span, _) = writer.span("runtime.spawn", &[("task.name", "sleeper")]);
    let count = |op| writer.wakers(op, span);
    assert_eq!(count("waker.clone"), count("waker.drop") + count("waker.wake"));
}

#[test]
fn locks_tell_who_waits_and_what_they_are() {
    const POLL: &str = "runtime::resource::poll_op";
    const STATE: &str = "runtime::resource::state_update";
    let (writer, ()) = listen(async |_| {
        let lock = Arc::new(Mutex::new(0));
        let guard = lock.lock().await;
        let task = task::Builder::new().name("waits").spawn({
            let lock = lock.clone();
            async move { *lock.lock().await += 1 }
        });
        let task = task.unwrap();
        task::yield_now().await;
        drop(guard);
        task.await.unwrap();

        let lock = RwLock::new(0);
        drop((lock.read().await, lock.read().await));
        *lock.write().await = 1;
        let semaphore = Semaphore::new(3);
        drop(semaphore.acquire_many(2).await.unwrap());
    });
    let (mutex, span) = writer.span("runtime.resource", &[("concrete_type", "Mutex")]);
    assert_eq!(span.fields["loc.file"], file!());
    // The lock of this task; that of the other, twice, which is told in the other's span.
    let (task, _) = writer.span("runtime.spawn", &[("task.name", "waits")]);
    assert_eq!(writer.count(POLL, "is_ready", "false", mutex), 1);
    assert_eq!(writer.count(POLL, "is_ready", "true", mutex), 2);
    assert_eq!(writer.count(POLL, "is_ready", "false", task), 1);
    assert!(writer.count(STATE, "locked", "true", mutex) >= 1);
    assert_eq!(
        writer
            .log()
            .spans
            .values()
            .filter(|span| span.fields.get("source").is_some_and(|source| source == "Mutex::lock"))
            .count(),
        2
    );

    let (lock, _) = writer.span("runtime.resource", &[("concrete_type", "RwLock")]);
    assert_eq!(writer.count(STATE, "current_readers", "2", lock), 1);
    assert_eq!(writer.count(STATE, "write_locked", "true", lock), 1);
    let fields = [("concrete_type", "Semaphore"), ("inherits_child_attrs", "true")];
    let (semaphore, _) = writer.span("runtime.resource", &fields);
    assert_eq!(writer.count(STATE, "permits", "1", semaphore), 1);
}

#[test]
fn channels_barriers_and_timers_are_resources() {
    let (writer, ()) = listen(async |_| {
        let (sender, receiver) = oneshot::channel();
        sender.send(1).unwrap();
        receiver.await.unwrap();
        let (sender, mut receiver) = mpsc::channel(2);
        sender.send(1).await.unwrap();
        receiver.recv().await.unwrap();
        Barrier::new(1).wait().await;
        shinkan::time::sleep(Duration::from_millis(1)).await;
        shinkan::time::interval(Duration::from_millis(1)).tick().await;
    });
    let source = |source| writer.span("runtime.resource.async_op", &[("source", source)]).1;
    assert_eq!(source("Receiver::await").target, "tokio::sync::oneshot");
    assert_eq!(source("Sender::send").target, "tokio::sync::mpsc");
    assert_eq!(source("Barrier::wait").target, "tokio::sync::barrier");
    assert_eq!(source("Interval::tick").target, "tokio::time::interval");
    // Not ready, then ready.
    assert_eq!(source("Sleep::new_timeout").entered, 2);
    let (sleep, span) = writer.span("runtime.resource", &[("concrete_type", "Sleep")]);
    assert_eq!((span.target, &*span.fields["kind"]), ("tokio::time::sleep", "timer"));
    assert_eq!(writer.count("runtime::resource::state_update", "duration.unit", "ms", sleep), 1);
}

#[test]
fn nobody_is_told_where_nobody_listens() {
    let writer = Writer::default();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        task::spawn(async {}).await.unwrap();
        let _ = Mutex::new(1).lock().await;
    });
    // What was made before it listens stays without a span.
    let lock = Mutex::new(1);
    let _listens = tracing::subscriber::set_default(writer.clone());
    drop(lock.try_lock());
    assert!(writer.log().spans.is_empty());
}

/// Uses a channel of the runtime for all that it is told, as `console-subscriber` does.
struct Sends(mpsc::Sender<&'static str>, Writer);

impl Subscriber for Sends {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let _ = self.0.try_send(span.metadata().name());
        self.1.new_span(span)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let _ = self.0.try_send(event.metadata().target());
    }

    fn enter(&self, _: &Id) {
        let _ = self.0.try_send("enter");
    }

    fn exit(&self, _: &Id) {
        let _ = self.0.try_send("exit");
    }
}

#[test]
fn a_subscriber_may_use_the_runtime_s_own_channels() {
    let (sender, mut receiver) = mpsc::channel(100);
    let listens = tracing::subscriber::set_default(Sends(sender, Writer::default()));
    let lock = Mutex::new(1);
    drop(lock.try_lock().unwrap());
    drop(lock);
    drop(listens);
    let mut told = Vec::new();
    while let Ok(name) = receiver.try_recv() {
        told.push(name);
    }
    assert_eq!(told.iter().filter(|name| **name == "runtime.resource").count(), 2);
    assert!(receiver.is_closed() || told.len() < 100, "{told:?}");
}

/// Locks a mutex of the runtime whenever a span is entered or left.
#[derive(Default)]
struct Locks {
    lock: OnceLock<Mutex<()>>,
    writer: Writer,
}

impl Locks {
    fn lock(&self) {
        if let Some(lock) = self.lock.get() {
            let locking = pin!(lock.lock());
            let _ = locking.poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl Subscriber for Locks {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.writer.new_span(span)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        self.lock();
        self.writer.enter(id);
    }

    fn exit(&self, id: &Id) {
        self.lock();
        self.writer.exit(id);
    }
}

#[test]
fn a_subscriber_may_wait_for_the_runtime_s_own_locks() {
    let locks = Arc::new(Locks::default());
    let _listens = tracing::subscriber::set_default(locks.clone());
    assert!(locks.lock.set(Mutex::new(())).is_ok());
    let other = Mutex::new(());
    let locked = pin!(other.lock()).poll(&mut Context::from_waker(Waker::noop()));
    assert!(locked.is_ready());
    drop(locked);
    let (_, poll) = locks.writer.span("runtime.resource.async_op.poll", &[]);
    assert_eq!((poll.entered, poll.exited), (1, 1));
}

/// Panics at each event, while it is told to.
struct Panics(Arc<AtomicBool>, Writer);

impl Subscriber for Panics {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.1.new_span(span)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        assert!(!self.0.load(Ordering::SeqCst), "of the test: a subscriber's own");
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_subscriber_that_panics_each_time_leaves_a_lock_that_is_free() {
    let panics = Arc::new(AtomicBool::new(false));
    let subscriber = Panics(panics.clone(), Writer::default());
    let _listens = tracing::subscriber::set_default(subscriber);
    let lock = Mutex::new(1);
    panics.store(true, Ordering::SeqCst);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(lock.try_lock()))).is_err());
    panics.store(false, Ordering::SeqCst);
    assert!(lock.try_lock().is_ok());
}

#[test]
fn a_stuck_poll_is_an_event() {
    let writer = Writer::default();
    // The monitor is a thread of its own.
    if tracing::subscriber::set_global_default(writer.clone()).is_err() {
        return;
    }
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let stuck = runtime.spawn(async move {
        let _ = released.recv();
    });
    let id = stuck.id().to_string();
    let stall = loop {
        let log = writer.log();
        let found = log.events.iter().find(|event| event.target == "shinkan::stall").cloned();
        drop(log);
        match found {
            Some(stall) => break stall,
            None => std::thread::yield_now(),
        }
    };
    assert_eq!((&stall.fields["task.id"], &*stall.fields["kind"]), (&id, "blocked"));
    assert_eq!(stall.fields["loc.file"], file!());
    assert!(stall.fields["duration_ms"].parse::<u64>().unwrap() >= 1);
    assert!(stall.fields["message"].contains("spawn_blocking"));
    drop(release);
    runtime.block_on(stuck).unwrap();
}
