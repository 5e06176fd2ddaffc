//! Every leaf of the API, polled until it has to wait: it leaves in the record of its task what it
//! waits for and where it was made. A leaf that is missing here is a wait that nobody can see.

use std::cell::RefCell;
use std::collections::HashSet;
use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use shinkan::io::{AsyncReadExt, AsyncWriteExt};
use shinkan::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use shinkan::runtime::{Builder, Runtime};
use shinkan::signal::unix::{SignalKind, signal};
use shinkan::sync::{
    Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce, broadcast, mpsc, oneshot, watch,
};
use shinkan::task::{self, JoinSet, LocalSet};
use shinkan::time::{self, Duration};
use shinkan_base::wait::{TaskFrame, Wait, WaitKind};
use shinkan_context::budget::{self, Budget};

const LONG: Duration = Duration::from_secs(3600);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

thread_local! {
    static SEEN: RefCell<HashSet<WaitKind>> = RefCell::default();
}

/// Polls the future once, as a task would, and gives the record that it left.
fn poll_once<F: Future>(future: F) -> Option<Wait> {
    let frame = TaskFrame::new(1);
    let mut future = pin!(future);
    let polled = {
        let _in_task = shinkan_context::enter_frame(&frame);
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    };
    match polled {
        Poll::Ready(_) => None,
        Poll::Pending => Some(frame.wait.read().expect("it waits, and left no record")),
    }
}

/// The future waits for a `kind`; its leaf was made in the lines of the call.
#[track_caller]
fn waits<F: Future>(kind: WaitKind, future: F) {
    let here = Location::caller();
    let wait = waits_somewhere(kind, future);
    assert_eq!(wait.place.file(), here.file(), "{} at {}", kind.as_str(), wait.place);
    let lines = here.line()..here.line() + 4;
    assert!(lines.contains(&wait.place.line()), "{} at {}", kind.as_str(), wait.place);
}

/// The same for `poll_read` and its like, which are not made by a call of their own: they name the
/// place where the resource was made.
#[track_caller]
fn waits_somewhere<F: Future>(kind: WaitKind, future: F) -> Wait {
    let Some(wait) = poll_once(future) else { panic!("{} did not wait", kind.as_str()) };
    assert_eq!(wait.kind, kind, "made at {}", wait.place);
    assert_eq!(wait.leaves, 1, "{}: one leaf, one note", kind.as_str());
    SEEN.with_borrow_mut(|seen| seen.insert(kind));
    wait
}

fn time_leaves() {
    waits(WaitKind::Sleep, time::sleep(LONG));
    waits(WaitKind::Sleep, time::sleep_until(time::Instant::now() + LONG));
    waits(WaitKind::Sleep, time::timeout(LONG, std::future::pending::<()>()));
    let mut ticks = time::interval_at(time::Instant::now() + LONG, LONG);
    waits(WaitKind::Sleep, ticks.tick());
    // It has no constructor of its own, and names the interval's.
    waits_somewhere(WaitKind::Sleep, std::future::poll_fn(|cx| ticks.poll_tick(cx)));
}

fn task_leaves() {
    waits(WaitKind::Yield, task::yield_now());
    waits(WaitKind::Join, shinkan::spawn(std::future::pending::<()>()));
    let mut set = JoinSet::new();
    set.spawn(std::future::pending::<()>());
    waits(WaitKind::JoinSet, set.join_next());
    waits(WaitKind::JoinSet, set.join_next_with_id());
    waits(WaitKind::JoinSet, set.shutdown());
    waits(WaitKind::JoinSet, set.join_all());
    let (release, wait) = std::sync::mpsc::channel::<()>();
    waits(WaitKind::Join, task::spawn_blocking(move || wait.recv()));
    drop(release);

    let local = LocalSet::new();
    local.spawn_local(std::future::pending::<()>());
    waits_somewhere(WaitKind::LocalSet, local);

    budget::with(Budget::initial(), || {
        waits(WaitKind::Budget, async {
            loop {
                task::coop::consume_budget().await;
            }
        });
        waits(WaitKind::Budget, task::coop::cooperative(std::future::ready(())));
    });
}

fn process_leaves() {
    use shinkan::process::Command;
    let mut sleep = Command::new("sleep");
    sleep.arg("3600").kill_on_drop(true);
    waits(WaitKind::Process, sleep.status());
    let mut child = sleep.spawn().unwrap();
    waits(WaitKind::Process, child.wait());
    waits(WaitKind::Process, child.wait_with_output());
    let mut child = sleep.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    waits_somewhere(WaitKind::Read, stdout.read_u8());
}

fn lock_leaves() {
    let mutex = Arc::new(Mutex::new(()));
    let held = mutex.try_lock().unwrap();
    waits(WaitKind::Mutex, mutex.lock());
    waits(WaitKind::Mutex, mutex.clone().lock_owned());
    drop(held);
    let lock = Arc::new(RwLock::new(()));
    let held = lock.try_write().unwrap();
    waits(WaitKind::RwLockRead, lock.read());
    waits(WaitKind::RwLockRead, lock.clone().read_owned());
    waits(WaitKind::RwLockWrite, lock.write());
    waits(WaitKind::RwLockWrite, lock.clone().write_owned());
    drop(held);
    let semaphore = Arc::new(Semaphore::new(0));
    waits(WaitKind::Semaphore, semaphore.acquire());
    waits(WaitKind::Semaphore, semaphore.acquire_many(2));
    waits(WaitKind::Semaphore, semaphore.clone().acquire_owned());
    waits(WaitKind::Semaphore, semaphore.clone().acquire_many_owned(2));
    let notify = Arc::new(Notify::new());
    waits(WaitKind::Notify, notify.notified());
    waits(WaitKind::Notify, notify.clone().notified_owned());
    waits(WaitKind::Barrier, Barrier::new(2).wait());
    waits(WaitKind::OnceCell, SetOnce::<()>::new().wait());
    let cell = OnceCell::<()>::new();
    let mut first = pin!(cell.get_or_init(std::future::pending));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    waits(WaitKind::OnceCell, cell.get_or_init(|| async {}));
}

fn channel_leaves() {
    let (mut sender, receiver) = oneshot::channel::<()>();
    waits(WaitKind::OneshotClosed, sender.closed());
    waits_somewhere(WaitKind::OneshotRecv, receiver);

    let (sender, mut receiver) = mpsc::channel::<u8>(1);
    waits(WaitKind::MpscRecv, receiver.recv());
    waits(WaitKind::MpscRecv, receiver.recv_many(&mut Vec::new(), 4));
    sender.try_send(1).unwrap();
    waits(WaitKind::MpscSend, sender.send(2));
    waits(WaitKind::MpscSend, sender.reserve());
    waits(WaitKind::MpscSend, sender.clone().reserve_owned());
    waits(WaitKind::MpscClosed, sender.closed());
    let (sender, mut receiver) = mpsc::unbounded_channel::<u8>();
    waits(WaitKind::MpscRecv, receiver.recv());
    waits(WaitKind::MpscClosed, sender.closed());

    let (sender, mut receiver) = broadcast::channel::<u8>(1);
    waits(WaitKind::BroadcastRecv, receiver.recv());
    waits(WaitKind::BroadcastClosed, sender.closed());

    let (sender, mut receiver) = watch::channel(0);
    waits(WaitKind::WatchChanged, receiver.changed());
    waits(WaitKind::WatchChanged, receiver.wait_for(|n| *n == 1));
    waits(WaitKind::WatchClosed, sender.closed());
}

fn pipe_leaves() {
    let (mut one, mut other) = shinkan::io::duplex(4);
    waits_somewhere(WaitKind::DuplexRead, one.read_u8());
    waits_somewhere(WaitKind::DuplexWrite, other.write_all(&[0; 5]));
}

fn blocking_leaves() {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || wait.recv());
    let _inside = runtime.enter();
    let mut err = shinkan::io::stderr();
    waits_somewhere(WaitKind::Blocking, async {
        err.write_all(b"\n").await.unwrap();
        err.flush().await
    });
    drop(release);
}

fn signal_leaves() {
    let mut signal = signal(SignalKind::window_change()).unwrap();
    waits(WaitKind::Signal, signal.recv());
    waits_somewhere(WaitKind::Signal, std::future::poll_fn(|cx| signal.poll_recv(cx)));
    waits(WaitKind::Signal, shinkan::signal::ctrl_c());
}

fn socket_leaves(runtime: &Runtime) {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let _inside = runtime.enter();
    waits(WaitKind::Accept, listener.accept());
    waits(WaitKind::Connect, TcpStream::connect(address));
    // Another thread looks it up, and may be done before we look at it.
    let lookup = loop {
        if let Some(wait) = poll_once(shinkan::net::lookup_host("localhost:80")) {
            break wait;
        }
    };
    assert_eq!((lookup.kind, lookup.place.file()), (WaitKind::Lookup, file!()));
    SEEN.with_borrow_mut(|seen| seen.insert(WaitKind::Lookup));
    drop(_inside);

    let (mut client, _server) = runtime.block_on(async {
        let (client, server) = shinkan::join!(TcpStream::connect(address), listener.accept());
        (client.unwrap(), server.unwrap())
    });
    let mut byte = [0];
    waits_somewhere(WaitKind::Read, client.read(&mut byte));
    waits(WaitKind::Read, client.readable());
    waits(WaitKind::Read, client.peek(&mut byte));
    waits_somewhere(WaitKind::Write, client.write_all(&vec![0; 64 << 20]));
    waits(WaitKind::Write, client.writable());

    let socket = runtime.block_on(UdpSocket::bind("127.0.0.1:0")).unwrap();
    waits(WaitKind::Recv, socket.recv_from(&mut byte));
    waits(WaitKind::Recv, socket.recv(&mut byte));
    waits(WaitKind::Recv, socket.readable());

    let _inside = runtime.enter();
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("listener")).unwrap();
    waits(WaitKind::Accept, listener.accept());
    let (mut one, _other) = UnixStream::pair().unwrap();
    waits_somewhere(WaitKind::Read, one.read(&mut byte));
    waits_somewhere(WaitKind::Write, one.write_all(&vec![0; 64 << 20]));
    let (one, _other) = UnixDatagram::pair().unwrap();
    waits(WaitKind::Recv, one.recv(&mut byte));
    waits(WaitKind::Send, async {
        loop {
            one.send(&[0; 1024]).await.unwrap();
        }
    });
}

#[test]
fn each_leaf_says_what_it_waits_for_and_where() {
    let runtime = runtime();
    {
        let _inside = runtime.enter();
        time_leaves();
        task_leaves();
        lock_leaves();
        channel_leaves();
        pipe_leaves();
        signal_leaves();
        blocking_leaves();
        process_leaves();
    }
    socket_leaves(&runtime);
    let seen = SEEN.take();
    // `BlockOn` is a wait of threads.
    let rest = [WaitKind::None, WaitKind::BlockOn];
    for kind in WaitKind::ALL.iter().filter(|kind| !rest.contains(kind)) {
        assert!(seen.contains(kind), "no leaf here waits for `{}`", kind.as_str());
    }
}

#[test]
fn a_leaf_that_need_not_wait_leaves_nothing() {
    let runtime = runtime();
    let _inside = runtime.enter();
    assert_eq!(poll_once(Mutex::new(()).lock()), None);
    assert_eq!(poll_once(Semaphore::new(1).acquire()), None);
    assert_eq!(poll_once(JoinSet::<()>::new().join_next()), None);
    assert_eq!(poll_once(LocalSet::new()), None);
}

#[test]
fn the_record_of_a_task_is_read_from_outside() {
    let runtime = runtime();
    runtime.block_on(async {
        let lock = Arc::new(Mutex::new(()));
        let _held = lock.lock().await;
        let other = lock.clone();
        let task = shinkan::spawn(async move { drop(other.lock().await) });
        task::yield_now().await;
        let mut waits = Vec::new();
        runtime.handle().for_each_task(|task| waits.push((task.id(), task.wait())));
        let [(id, Some(wait))] = waits[..] else { panic!("one task, which waits: {waits:?}") };
        assert_eq!((id, wait.kind), (task.id(), WaitKind::Mutex));
        assert_eq!(wait.place.file(), file!());
    });
}
