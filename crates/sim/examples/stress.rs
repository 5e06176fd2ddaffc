//! More workers than processors, and everything at once: spawn storms, wake-ups across threads,
//! locks, channels, timers, aborts, blocking closures, `block_in_place`, sockets and runtimes that
//! end in the middle of it. Every round counts what it started and what ended; a round that hangs
//! is ended by the watchdog, which prints what each task waits for.
//!
//! `stress [SECONDS] [WORKERS] [SEED]`; 20 s, 8 workers and a seed of the clock's by default.

use shinkan::io::{AsyncReadExt, AsyncWriteExt};
use shinkan::net::{TcpListener, TcpStream};
use shinkan::sync::{Mutex, Notify, Semaphore, broadcast, mpsc, oneshot};
use shinkan::task::JoinSet;
use shinkan::time::{Duration, Instant, sleep, timeout};
use shinkan_base::rng::Rng;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

static ROUND: AtomicU64 = AtomicU64::new(0);

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().expect("a number"));
    let seconds = args.next().unwrap_or(20);
    let workers = args.next().unwrap_or(8) as usize;
    let seed = args.next().unwrap_or_else(|| {
        let now = std::time::SystemTime::now();
        now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos() as u64
    });
    println!("stress: {seconds} s, {workers} workers, seed {seed}");
    let started = std::time::Instant::now();
    let mut rng = Rng::new(seed);
    let (mut rounds, mut moved) = (0u64, 0u64);
    while started.elapsed().as_secs() < seconds {
        let runtime = shinkan::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .stall_threshold(Duration::from_millis(1))
            .stall_report(false)
            .build()
            .expect("a runtime");
        watchdog(runtime.handle().clone(), rounds + 1, seed);
        ROUND.store(rounds + 1, Ordering::SeqCst);
        let stuck = rounds.is_multiple_of(8);
        runtime.block_on(round(rng.next_u64(), stuck));
        moved += runtime.metrics().seizure_count();
        if rng.below(2) == 0 {
            // Ends with tasks in every state.
            for _ in 0..200 {
                let nap = Duration::from_micros(u64::from(rng.below(2_000)));
                runtime.spawn(async move {
                    sleep(nap).await;
                    shinkan::task::yield_now().await;
                });
            }
        }
        drop(runtime);
        rounds += 1;
    }
    ROUND.store(u64::MAX, Ordering::SeqCst);
    println!("stress: {rounds} rounds, all of them whole; {moved} cores moved on");
}

/// Ends the program with a dump if round `nth` lasts longer than a minute.
fn watchdog(handle: shinkan::runtime::Handle, nth: u64, seed: u64) {
    std::thread::spawn(move || {
        let limit = 60;
        let started = std::time::Instant::now();
        while started.elapsed().as_secs() < limit {
            std::thread::sleep(std::time::Duration::from_millis(200));
            let now = ROUND.load(Ordering::SeqCst);
            if now > nth {
                return;
            }
        }
        eprintln!("stress: round {nth} of seed {seed} hangs:");
        eprintln!("{}", shinkan_diag::Snapshot::take(&handle));
        let metrics = handle.metrics();
        let local: Vec<_> =
            (0..metrics.num_workers()).map(|w| metrics.worker_local_queue_depth(w)).collect();
        eprintln!("queued: {local:?}, from outside {}", metrics.global_queue_depth());
        eprintln!("sleepers, searchers: {:?}", metrics.idle_counts());
        std::process::exit(1);
    });
}

async fn round(seed: u64, stuck: bool) {
    let mut all = JoinSet::new();
    if stuck {
        all.spawn(stalls(seed));
    }
    all.spawn(storm(seed));
    all.spawn(ping_pong(200));
    all.spawn(locks());
    all.spawn(channels());
    all.spawn(timers(seed));
    all.spawn(aborts(seed));
    all.spawn(blocking());
    all.spawn(echo());
    while let Some(ended) = all.join_next().await {
        ended.expect("a part of the round failed");
    }
}

/// Tasks that spawn tasks, joined; none may be lost or run twice.
async fn storm(seed: u64) {
    let ran = Arc::new(AtomicU64::new(0));
    let mut rng = Rng::new(seed);
    let mut set = JoinSet::new();
    let mut expected = 0;
    for _ in 0..300 {
        let children = u64::from(rng.below(8));
        expected += 1 + children;
        let ran = ran.clone();
        set.spawn(async move {
            let children: Vec<_> = (0..children)
                .map(|_| {
                    let ran = ran.clone();
                    shinkan::spawn(async move {
                        shinkan::task::yield_now().await;
                        ran.fetch_add(1, Ordering::Relaxed);
                    })
                })
                .collect();
            ran.fetch_add(1, Ordering::Relaxed);
            for child in children {
                child.await.expect("a child");
            }
        });
    }
    while let Some(ended) = set.join_next().await {
        ended.expect("a parent");
    }
    assert_eq!(ran.load(Ordering::Relaxed), expected);
}

/// Tasks that block or spin long enough to lose their worker's core, and wake others in between.
async fn stalls(seed: u64) {
    let mut rng = Rng::new(seed);
    let polls = Arc::new(AtomicU64::new(0));
    let mut set = JoinSet::new();
    for nth in 0..24 {
        let (polls, us) = (polls.clone(), u64::from(rng.below(6_000)));
        set.spawn(async move {
            let (send, receive) = oneshot::channel();
            let woken = shinkan::spawn(receive);
            let started = std::time::Instant::now();
            if nth % 2 == 0 {
                std::thread::sleep(std::time::Duration::from_micros(us));
            }
            send.send(nth).expect("its receiver waits");
            while started.elapsed().as_micros() < u128::from(us) {
                std::hint::spin_loop();
            }
            polls.fetch_add(1, Ordering::Relaxed);
            shinkan::task::yield_now().await;
            assert_eq!(woken.await.expect("it does not panic"), Ok(nth));
            polls.fetch_add(1, Ordering::Relaxed);
        });
    }
    while let Some(ended) = set.join_next().await {
        ended.expect("one that was stuck");
    }
    assert_eq!(polls.load(Ordering::Relaxed), 48);
}

async fn ping_pong(times: usize) {
    for _ in 0..times {
        let (there, here) = oneshot::channel();
        let (back, answer) = oneshot::channel();
        shinkan::spawn(async move { back.send(here.await.expect("ping")).expect("pong") });
        there.send(7).expect("there");
        assert_eq!(answer.await, Ok(7));
    }
}

async fn locks() {
    let (mutex, semaphore) = (Arc::new(Mutex::new(0u64)), Arc::new(Semaphore::new(3)));
    let notify = Arc::new(Notify::new());
    let mut set = JoinSet::new();
    for _ in 0..16 {
        let (mutex, semaphore, notify) = (mutex.clone(), semaphore.clone(), notify.clone());
        set.spawn(async move {
            for i in 0..50 {
                let _permit = semaphore.acquire().await.expect("open");
                let mut count = mutex.lock().await;
                if i % 8 == 0 {
                    shinkan::task::yield_now().await;
                }
                *count += 1;
                notify.notify_one();
            }
        });
    }
    // Hears at least the last notification, since nobody else takes it.
    let listener = shinkan::spawn(async move { notify.notified().await });
    while let Some(ended) = set.join_next().await {
        ended.expect("a locker");
    }
    listener.await.expect("a listener");
    assert_eq!(*mutex.lock().await, 16 * 50);
}

async fn channels() {
    let (send, mut receive) = mpsc::channel(4);
    let (tell, _) = broadcast::channel(1_024);
    let listeners: Vec<_> = (0..4)
        .map(|_| {
            let mut listen = tell.subscribe();
            shinkan::spawn(async move {
                let mut heard = 0u64;
                while listen.recv().await.is_ok() {
                    heard += 1;
                }
                heard
            })
        })
        .collect();
    for sender in 0..4u64 {
        let send = send.clone();
        shinkan::spawn(async move {
            for i in 0..100 {
                send.send(sender * 100 + i).await.expect("the receiver lives");
            }
        });
    }
    drop(send);
    let mut sum = 0;
    while let Some(n) = receive.recv().await {
        sum += n;
        tell.send(n).expect("listeners live");
    }
    drop(tell);
    assert_eq!(sum, (0..400).sum::<u64>());
    for listener in listeners {
        assert_eq!(listener.await.expect("a listener"), 400);
    }
}

async fn timers(seed: u64) {
    let mut rng = Rng::new(seed ^ 1);
    let mut set = JoinSet::new();
    for _ in 0..200 {
        let nap = Duration::from_micros(u64::from(rng.below(5_000)));
        set.spawn(async move {
            let until = Instant::now() + nap;
            sleep(nap).await;
            assert!(Instant::now() >= until, "a sleep ended early");
            let late = timeout(Duration::from_millis(1), std::future::pending::<()>()).await;
            assert!(late.is_err());
            timeout(Duration::from_secs(60), shinkan::task::yield_now()).await.expect("at once");
        });
    }
    while let Some(ended) = set.join_next().await {
        ended.expect("a sleeper");
    }
}

async fn aborts(seed: u64) {
    let mut rng = Rng::new(seed ^ 2);
    for _ in 0..200 {
        let nap = Duration::from_micros(u64::from(rng.below(300)));
        let task = shinkan::spawn(async move {
            loop {
                shinkan::task::yield_now().await;
                sleep(nap).await;
            }
        });
        for _ in 0..rng.below(4) {
            shinkan::task::yield_now().await;
        }
        task.abort();
        assert!(task.await.expect_err("it never ends").is_cancelled());
    }
}

async fn blocking() {
    let mut set = JoinSet::new();
    for i in 0..40u64 {
        set.spawn(async move {
            let twice = shinkan::task::spawn_blocking(move || {
                std::thread::sleep(std::time::Duration::from_micros(50));
                i * 2
            });
            let here = shinkan::task::block_in_place(|| {
                std::thread::sleep(std::time::Duration::from_micros(50));
                i
            });
            twice.await.expect("a closure") + here
        });
    }
    let mut sum = 0;
    while let Some(ended) = set.join_next().await {
        sum += ended.expect("a blocker");
    }
    assert_eq!(sum, 3 * (0..40).sum::<u64>());
}

async fn echo() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let server = shinkan::spawn(async move {
        for _ in 0..20 {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            shinkan::spawn(async move {
                let mut buffer = [0; 64];
                while let Ok(n @ 1..) = stream.read(&mut buffer).await {
                    stream.write_all(&buffer[..n]).await.expect("the client reads");
                }
            });
        }
    });
    let mut set = JoinSet::new();
    for client in 0..20u8 {
        set.spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a server");
            for i in 0..20u8 {
                let message = [client, i, 3, 4, 5, 6, 7, 8];
                stream.write_all(&message).await.expect("written");
                let mut back = [0; 8];
                stream.read_exact(&mut back).await.expect("an echo");
                assert_eq!(back, message);
            }
        });
    }
    while let Some(ended) = set.join_next().await {
        ended.expect("a client");
    }
    server.await.expect("the server");
}
