//! The driver over the kernel's epoll, without a scheduler: threads that turn it by hand.

use shinkan_base::wakers::Wakers;
use shinkan_driver::ops::SockRef;
use shinkan_driver::{Direction, Driver, Interest, Ready, Registered, Turn, Turned};
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn calls(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

fn counted() -> (Waker, Arc<Count>) {
    let count = Arc::new(Count::default());
    (Waker::from(count.clone()), count)
}

fn pair() -> (UnixStream, UnixStream) {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

fn registered(driver: &Driver) -> (Registered<UnixStream>, UnixStream) {
    let (a, b) = pair();
    (Registered::new(a, driver.io()).unwrap(), b)
}

fn turn(driver: &Driver, mode: Turn) -> Turned {
    let mut out = Wakers::new();
    let turned = driver.turn(mode, &mut out);
    out.wake_all();
    turned
}

/// Turns until nothing is left to harvest.
fn drain(driver: &Driver) {
    while turn(driver, Turn::Look).events > 0 {}
}

const LONG: Turn = Turn::Wait(Some(Duration::from_secs(60)));

#[test]
fn a_reader_is_woken_by_data_and_by_the_end() {
    let driver = Driver::epoll().unwrap();
    let (stream, mut peer) = registered(&driver);
    drain(&driver);
    let (waker, count) = counted();
    let mut cx = Context::from_waker(&waker);
    let source = stream.source();
    assert!(source.poll_ready(&mut cx, Direction::Read).is_pending());
    assert!(source.poll_ready(&mut cx, Direction::Write).is_ready());

    peer.write_all(b"12").unwrap();
    assert_eq!(turn(&driver, LONG).events, 1);
    assert_eq!(count.calls(), 1);
    let mut buf = [0; 8];
    let mut read = |cx: &mut Context<'_>| {
        source.poll_stream(cx, Direction::Read, 8, || (&*stream).read(&mut buf))
    };
    assert!(matches!(read(&mut cx), Poll::Ready(Ok(2))));
    // The read was short: nothing is left, and nobody asked the kernel.
    assert!(source.ready_event(Interest::READABLE).ready.is_empty());
    assert!(read(&mut cx).is_pending());

    drop(peer);
    turn(&driver, LONG);
    assert_eq!(count.calls(), 2);
    assert!(matches!(read(&mut cx), Poll::Ready(Ok(0))));
    // The end stays.
    assert!(matches!(read(&mut cx), Poll::Ready(Ok(0))));
}

#[test]
fn a_ring_is_taken_by_one_who_waits_and_by_none_who_looks() {
    let driver = Driver::epoll().unwrap();
    assert!(!driver.take_bell());
    driver.ring();
    driver.ring();
    for _ in 0..3 {
        assert!(turn(&driver, Turn::Look).bell);
    }
    assert!(turn(&driver, LONG).bell);
    assert!(driver.take_bell() && driver.take_bell() && !driver.take_bell());
    assert_eq!(turn(&driver, Turn::Look), Turned { timed_out: true, ..Turned::default() });
}

/// Until the thread with this folder in /proc waits in the kernel.
fn until_it_waits(thread: &Path) {
    let call = Path::new("/proc").join(thread).join("syscall");
    while std::fs::read_to_string(&call).unwrap().starts_with("running") {
        thread::yield_now();
    }
}

#[test]
fn a_ring_ends_a_nap_and_leaves_who_watches() {
    let driver = Arc::new(Driver::epoll().unwrap());
    let (_stream, mut peer) = registered(&driver);
    drain(&driver);
    let waits = |mode| {
        let (driver, (told, folder)) = (driver.clone(), std::sync::mpsc::channel());
        let thread = thread::spawn(move || {
            told.send(std::fs::read_link("/proc/thread-self").unwrap()).unwrap();
            turn(&driver, mode)
        });
        until_it_waits(&folder.recv().unwrap());
        thread
    };
    for _ in 0..50 {
        let watcher = waits(LONG);
        let napper = waits(Turn::Nap(Duration::from_secs(60)));
        driver.ring();
        assert!(napper.join().unwrap().bell);
        assert!(driver.take_bell());
        // Had the ring ended its wait, this would not be what it comes back with.
        peer.write_all(b"1").unwrap();
        let watched = watcher.join().unwrap();
        assert_eq!((watched.bell, watched.events), (false, 1));
    }
}

#[test]
fn each_ring_ends_one_wait_while_another_thread_only_looks() {
    let driver = Arc::new(Driver::epoll().unwrap());
    let woken = Arc::new(AtomicU32::new(0));
    let waiters: Vec<_> = (0..2)
        .map(|_| {
            let (driver, woken) = (driver.clone(), woken.clone());
            thread::spawn(move || {
                for _ in 0..500 {
                    while !driver.take_bell() {
                        turn(&driver, LONG);
                    }
                    woken.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for _ in 0..1_000 {
        driver.ring();
        turn(&driver, Turn::Look);
    }
    for waiter in waiters {
        waiter.join().unwrap();
    }
    assert_eq!(woken.load(Ordering::SeqCst), 1_000);
}

#[test]
fn a_wait_ends_with_its_time() {
    let driver = Driver::epoll().unwrap();
    let before = driver.clock().now();
    let time = Duration::from_millis(3);
    while !turn(&driver, Turn::Wait(Some(time))).timed_out {}
    assert!(driver.clock().now() - before >= time);
}

#[test]
fn a_paused_clock_is_moved_instead_of_waited_for() {
    let driver = Driver::epoll().unwrap();
    driver.clock().pause();
    let before = driver.clock().now();
    driver.ring();
    assert!(!turn(&driver, Turn::Wait(Some(Duration::from_secs(3_600)))).timed_out);
    assert_eq!(driver.clock().now(), before);
    driver.take_bell();
    assert!(turn(&driver, Turn::Wait(Some(Duration::from_secs(3_600)))).timed_out);
    assert_eq!(driver.clock().now() - before, Duration::from_secs(3_600));
}

#[test]
fn a_descriptor_that_was_given_back_is_registered_again() {
    let driver = Driver::epoll().unwrap();
    let (stream, mut peer) = registered(&driver);
    assert_eq!(
        driver
            .io()
            .register(stream.as_raw_fd(), Interest::READABLE, Ready::EMPTY)
            .unwrap_err()
            .kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(driver.io().registered_count(), 1);
    let stream = stream.into_inner();
    assert_eq!(driver.io().registered_count(), 0);
    let stream = Registered::new(stream, driver.io()).unwrap();
    peer.write_all(b"1").unwrap();
    while stream.source().ready_event(Interest::READABLE).ready.is_empty() {
        turn(&driver, LONG);
    }
}

#[test]
fn what_knows_no_readiness_is_refused_and_leaves_nothing() {
    let driver = Driver::epoll().unwrap();
    let file = std::fs::File::open("Cargo.toml").unwrap();
    let refused = Registered::new(file, driver.io()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    assert_eq!(driver.io().registered_count(), 0);
}

#[test]
fn the_end_answers_all_waits_and_sources_outlive_it() {
    let driver = Driver::epoll().unwrap();
    let (stream, _peer) = registered(&driver);
    drain(&driver);
    let (waker, count) = counted();
    let mut cx = Context::from_waker(&waker);
    assert!(stream.source().poll_ready(&mut cx, Direction::Read).is_pending());
    let mut out = Wakers::new();
    driver.shutdown(&mut out);
    out.wake_all();
    assert_eq!(count.calls(), 1);
    assert!(matches!(stream.source().poll_ready(&mut cx, Direction::Read), Poll::Ready(Err(_))));
    let io = driver.io().clone();
    drop(driver);
    let (another, _peer) = pair();
    assert!(Registered::new(another, &io).is_err());
    drop(io);
    drop(stream);
}

#[test]
fn two_threads_that_wait_together_serve_all_edges() {
    const SOCKETS: usize = 64;
    const ROUNDS: u32 = 200;
    let driver = Arc::new(Driver::epoll().unwrap());
    let mut peers = Vec::new();
    let streams: Arc<Vec<_>> = Arc::new(
        (0..SOCKETS)
            .map(|_| {
                let (stream, peer) = registered(&driver);
                peers.push(peer);
                stream
            })
            .collect(),
    );
    let total = Arc::new(AtomicU32::new(0));
    let turners: Vec<_> = (0..2)
        .map(|_| {
            let (driver, total, streams) = (driver.clone(), total.clone(), streams.clone());
            thread::spawn(move || {
                while total.load(Ordering::SeqCst) < ROUNDS * SOCKETS as u32 {
                    turn(&driver, Turn::Wait(Some(Duration::from_millis(20))));
                    for stream in streams.iter() {
                        let mut buf = [0; 64];
                        let read = || (&**stream).read(&mut buf);
                        if let Ok(n) = stream.source().try_io(Interest::READABLE, read) {
                            total.fetch_add(n as u32, Ordering::SeqCst);
                        }
                    }
                }
            })
        })
        .collect();
    for _ in 0..ROUNDS {
        for peer in &mut peers {
            peer.write_all(b"x").unwrap();
        }
    }
    for turner in turners {
        turner.join().unwrap();
    }
}

/// A waker whose drop panics, once.
struct Throws(AtomicU32);

impl Wake for Throws {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Throws {
    fn drop(&mut self) {
        if self.0.swap(0, Ordering::SeqCst) == 1 {
            panic!("the drop of a waker");
        }
    }
}

#[test]
fn a_waker_whose_drop_panics_costs_no_slot() {
    let driver = Driver::epoll().unwrap();
    let (stream, _peer) = registered(&driver);
    drain(&driver);
    let token = stream.source().token();
    let waker = Waker::from(Arc::new(Throws(AtomicU32::new(1))));
    let mut cx = Context::from_waker(&waker);
    assert!(stream.source().poll_ready(&mut cx, Direction::Read).is_pending());
    drop(waker);
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(stream)));
    assert!(dropped.is_err(), "the panic is its caller's");
    assert_eq!(driver.io().registered_count(), 0);
    // The slot is given out again, to one that nobody waits for yet.
    let (stream, mut peer) = registered(&driver);
    assert_eq!(stream.source().token().as_u64() as u32, token.as_u64() as u32);
    drain(&driver);
    let (waker, count) = counted();
    let mut cx = Context::from_waker(&waker);
    assert!(stream.source().poll_ready(&mut cx, Direction::Read).is_pending());
    peer.write_all(b"1").unwrap();
    turn(&driver, LONG);
    assert_eq!(count.calls(), 1);
}

/// Blocks the thread until the future is done, or gives it up after the first poll.
fn block_on<F: Future>(future: F, gives_up: bool) -> Option<F::Output> {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return Some(output),
            Poll::Pending if gives_up => return None,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn slots_that_change_hands_under_two_harvesters_lose_no_edge_and_no_waiter() {
    const ROUNDS: usize = 3_000;
    let driver = Arc::new(Driver::epoll().unwrap());
    let is_over = Arc::new(AtomicU32::new(0));
    let harvesters: Vec<_> = (0..2)
        .map(|_| {
            let (driver, is_over) = (driver.clone(), is_over.clone());
            thread::spawn(move || {
                while is_over.load(Ordering::SeqCst) == 0 {
                    turn(&driver, Turn::Wait(Some(Duration::from_millis(20))));
                }
            })
        })
        .collect();
    let owners: Vec<_> = (0..2)
        .map(|_| {
            let driver = driver.clone();
            thread::spawn(move || {
                let place = std::panic::Location::caller();
                let kind = shinkan_base::wait::WaitKind::Read;
                for round in 0..ROUNDS {
                    // Each registration takes the slot that was given back last, by either owner.
                    let (stream, mut peer) = registered(&driver);
                    let source = stream.source();
                    let wait = || source.readiness(Interest::READABLE, kind, place);
                    // A first waiter that leaves while the event may be on its way to it.
                    assert!(block_on(wait(), true).is_none());
                    let writer = thread::scope(|scope| {
                        let writer = scope.spawn(move || {
                            peer.write_all(b"x").unwrap();
                            peer
                        });
                        block_on(wait(), round % 2 == 0);
                        block_on(
                            source.async_io(Interest::READABLE, kind, place, || {
                                (&*stream).read(&mut [0; 8])
                            }),
                            false,
                        )
                        .unwrap()
                        .unwrap();
                        writer.join().unwrap()
                    });
                    // Half of them leave with an event that nobody has harvested.
                    if round % 4 < 2 {
                        (&writer).write_all(b"y").unwrap();
                    }
                }
            })
        })
        .collect();
    for owner in owners {
        owner.join().unwrap();
    }
    is_over.store(1, Ordering::SeqCst);
    for harvester in harvesters {
        harvester.join().unwrap();
    }
    assert_eq!(driver.io().registered_count(), 0);
}

#[test]
fn what_lies_behind_urgent_data_is_read_without_another_event() {
    let driver = Driver::epoll().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
    let stream = Registered::with(stream, driver.io(), interest, Ready::EMPTY).unwrap();
    peer.write_all(b"a").unwrap();
    SockRef::from(&peer).send_out_of_band(b"!").unwrap();
    peer.write_all(b"bc").unwrap();
    // All has arrived when the end has.
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    while !stream.source().ready_event(Interest::READABLE).ready.is_read_closed() {
        turn(&driver, LONG);
    }
    drain(&driver);
    // The end keeps it ready in any case; it must be ready for data, too.
    let mut cx = Context::from_waker(Waker::noop());
    let mut text = Vec::new();
    while text.len() < 3 {
        let mut buf = [0; 8];
        let read = || (&*stream).read(&mut buf);
        let Poll::Ready(Ok(n)) = stream.source().poll_stream(&mut cx, Direction::Read, 8, read)
        else {
            panic!("it waits, with {text:?} read")
        };
        text.extend_from_slice(&buf[..n]);
        assert!(
            text.len() == 3
                || stream.source().ready_event(Interest::READABLE).ready != Ready::READ_CLOSED
        );
    }
    assert_eq!(text, b"abc");
}
