//! The least that this machine needs for what the rows do: loops without a runtime. A row says
//! which of them its operation cannot go below, and how many of them it needs.

use std::collections::VecDeque;
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::load::{Load, raw};
use crate::stats::median;

/// One such loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Floor {
    /// A system call that does nothing.
    Syscall,
    /// A value through a queue behind an uncontended lock.
    Queue,
    /// Memory for a task, a queue, five atomic read-modify-writes, an indirect call, and free.
    Spawn,
    /// A turn in a ring of 200 with two atomic read-modify-writes and an indirect call.
    Turn,
    /// An uncontended lock of std.
    Lock,
    /// A clock read, and an entry linked into a list and unlinked, each behind an uncontended lock.
    Timer,
    /// Two threads that wake each other and wait, there and back.
    Futex,
    /// 64 B written and read at both ends of a loopback connection by one thread that never waits.
    Loopback,
    /// 4 KiB of a file that is in memory.
    Pread,
    /// Two threads at one edge-triggered epoll that serve this load.
    Epoll(Load),
}

impl Floor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Floor::Syscall => "system call",
            Floor::Queue => "locked queue",
            Floor::Spawn => "spawn loop",
            Floor::Turn => "ring turn",
            Floor::Lock => "std lock",
            Floor::Timer => "timer list",
            Floor::Futex => "futex there and back",
            Floor::Loopback => "loopback, one thread",
            Floor::Pread => "pread 4 KiB",
            Floor::Epoll(_) => "raw epoll",
        }
    }

    /// Nanoseconds an operation, the median of a few rounds.
    pub(crate) fn measure(self) -> f64 {
        match self {
            Floor::Syscall => timed(200_000, |_| {
                black_box(nix::unistd::getppid());
            }),
            Floor::Queue => queue(),
            Floor::Spawn => spawn(),
            Floor::Turn => turn(),
            Floor::Lock => lock(),
            Floor::Timer => timer(),
            Floor::Futex => futex(),
            Floor::Loopback => loopback(),
            Floor::Pread => pread(),
            Floor::Epoll(load) => raw::serve(load).wall,
        }
    }
}

const ROUNDS: usize = 5;

fn timed(ops: u64, mut op: impl FnMut(u64)) -> f64 {
    let round = |_| {
        let start = Instant::now();
        (0..ops).for_each(&mut op);
        start.elapsed().as_nanos() as f64 / ops as f64
    };
    let rounds: Vec<f64> = (0..ROUNDS).map(round).collect();
    median(rounds.into_iter())
}

fn queue() -> f64 {
    let queue = Mutex::new(VecDeque::with_capacity(64));
    timed(500_000, |value| {
        queue.lock().unwrap().push_back(value);
        black_box(queue.lock().unwrap().pop_front());
    })
}

/// As large as a small task.
struct Job {
    word: AtomicU64,
    run: fn(&Job),
    _rest: [u64; 14],
}

impl Job {
    fn new() -> Box<Job> {
        let run = |job: &Job| {
            black_box(job.word.fetch_add(1, AcqRel));
        };
        Box::new(Job { word: AtomicU64::new(0), run, _rest: [0; 14] })
    }
}

fn spawn() -> f64 {
    let mut queue = VecDeque::with_capacity(64);
    timed(500_000, |_| {
        queue.push_back(black_box(Job::new()));
        let job = queue.pop_front().unwrap();
        for _ in 0..4 {
            black_box(job.word.fetch_add(1, AcqRel));
        }
        (job.run)(&job);
    })
}

fn turn() -> f64 {
    let mut ring: VecDeque<Box<Job>> = (0..200).map(|_| Job::new()).collect();
    timed(500_000, |_| {
        let job = ring.pop_front().unwrap();
        black_box(job.word.fetch_add(1, AcqRel));
        (job.run)(&job);
        ring.push_back(job);
    })
}

fn lock() -> f64 {
    let lock = Mutex::new(0);
    timed(1_000_000, |_| *black_box(&lock).lock().unwrap() += 1)
}

/// A list of 64 slots by index, as a wheel's are by pointer.
fn timer() -> f64 {
    let links = Mutex::new([(0usize, 0usize); 65]);
    timed(300_000, |nth| {
        black_box(Instant::now());
        let at = 1 + nth as usize % 64;
        let mut list = links.lock().unwrap();
        let next = list[0].1;
        list[at] = (0, next);
        list[0].1 = at;
        list[next].0 = at;
        drop(list);
        let mut list = links.lock().unwrap();
        let (before, next) = list[at];
        list[before].1 = next;
        list[next].0 = before;
    })
}

fn futex() -> f64 {
    let turn = Arc::new(AtomicU64::new(0));
    let ops = 4_000 * ROUNDS as u64;
    let main = std::thread::current();
    let theirs = turn.clone();
    let other = std::thread::spawn(move || {
        for nth in 0..ops {
            while theirs.load(std::sync::atomic::Ordering::Acquire) != 2 * nth + 1 {
                std::thread::park();
            }
            theirs.store(2 * nth + 2, std::sync::atomic::Ordering::Release);
            main.unpark();
        }
    });
    let mut nth = 0;
    let ns = timed(4_000, |_| {
        turn.store(2 * nth + 1, std::sync::atomic::Ordering::Release);
        other.thread().unpark();
        while turn.load(std::sync::atomic::Ordering::Acquire) != 2 * nth + 2 {
            std::thread::park();
        }
        nth += 1;
    });
    other.join().expect("it only counts");
    ns
}

fn loopback() -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut far, _) = listener.accept().unwrap();
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    let mut buffer = [7; 64];
    timed(10_000, |_| {
        near.write_all(&buffer).unwrap();
        far.read_exact(&mut buffer).unwrap();
        far.write_all(&buffer).unwrap();
        near.read_exact(&mut buffer).unwrap();
    })
}

fn pread() -> f64 {
    let path = std::env::temp_dir().join(format!("shinkan-bench-{}-floor", std::process::id()));
    std::fs::write(&path, vec![1; 1 << 20]).unwrap();
    let file = File::open(&path).unwrap();
    let mut part = vec![0; 4 << 10];
    let ns = timed(20_000, |nth| {
        file.read_exact_at(&mut part, nth % 256 * (4 << 10)).unwrap();
    });
    std::fs::remove_file(path).unwrap();
    ns
}
