//! The load: tasks of many kinds, each of which does a little and waits.

use rustix::time::{ClockId, clock_gettime};
use shinkan::fs;
use shinkan::io::{AsyncReadExt, AsyncWriteExt};
use shinkan::net::{TcpListener, TcpStream, UdpSocket, UnixStream};
use shinkan::runtime::Runtime;
use shinkan::sync::{Mutex, Notify, Semaphore, broadcast, mpsc, oneshot, watch};
use shinkan::task::{JoinHandle, JoinSet};
use shinkan::time::{interval, sleep, timeout};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const KINDS: [&str; 8] =
    ["echo", "datagrams", "timers", "messages", "spawned", "blocking", "computed", "files"];
const ECHO: usize = 0;
const DATAGRAMS: usize = 1;
const TIMERS: usize = 2;
const MESSAGES: usize = 3;
const SPAWNED: usize = 4;
const BLOCKING: usize = 5;
const COMPUTED: usize = 6;
const FILES: usize = 7;

#[derive(Default)]
struct Counts {
    done: [AtomicU64; KINDS.len()],
    late: AtomicU64,
}

impl Counts {
    fn add(&self, kind: usize, count: u64) {
        self.done[kind].fetch_add(count, Ordering::Relaxed);
    }
}

/// Operations done so far.
pub(crate) struct Totals {
    done: [u64; KINDS.len()],
    late: u64,
}

impl Totals {
    pub(crate) fn all(&self) -> u64 {
        self.done.iter().sum()
    }

    /// Computing polls that took longer than the monitor's threshold by the clock, for want of a
    /// processor.
    pub(crate) fn late_polls(&self) -> u64 {
        self.late
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, done) in KINDS.iter().zip(self.done) {
            write!(f, "{kind} {done}  ")?;
        }
        Ok(())
    }
}

/// Runs until it is dropped.
pub(crate) struct Load {
    counts: Arc<Counts>,
    tasks: Vec<JoinHandle<io::Result<()>>>,
    folder: PathBuf,
}

impl Load {
    pub(crate) fn start(runtime: &Runtime) -> io::Result<Self> {
        let counts = Arc::new(Counts::default());
        let folder = std::env::temp_dir().join(format!("shinkan-mixed-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let mut load = Self { counts: counts.clone(), tasks: Vec::new(), folder };
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        load.add(runtime, serve(listener));
        for nth in 0..16 {
            load.add(runtime, ask(address, nth, counts.clone()));
        }
        load.add(runtime, datagrams(counts.clone()));
        load.add(runtime, pair(counts.clone()));
        for nth in 0..32 {
            load.add(runtime, timers(nth, counts.clone()));
        }
        let shared = Arc::new(Mutex::new(0));
        for _ in 0..4 {
            load.add(runtime, messages(shared.clone(), counts.clone()));
        }
        load.add(runtime, spawns(counts.clone()));
        for nth in 0..2 {
            load.add(runtime, blocks(nth, counts.clone()));
            let path = load.folder.join(nth.to_string());
            load.add(runtime, files(path, counts.clone()));
        }
        for nth in 0..4 {
            load.add(runtime, computes(nth, counts.clone()));
        }
        Ok(load)
    }

    /// A line of its own for each kind, so that a report tells them apart.
    #[track_caller]
    fn add(
        &mut self,
        runtime: &Runtime,
        task: impl Future<Output = io::Result<()>> + Send + 'static,
    ) {
        self.tasks.push(runtime.spawn(task));
    }

    pub(crate) fn totals(&self) -> Totals {
        for task in &self.tasks {
            assert!(!task.is_finished(), "a part of the load has ended");
        }
        let done = self.counts.done.each_ref().map(|count| count.load(Ordering::Relaxed));
        Totals { done, late: self.counts.late.load(Ordering::Relaxed) }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        shinkan::spawn(echo(socket));
    }
}

async fn echo(mut socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let n = socket.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        socket.write_all(&buffer[..n]).await?;
    }
}

/// Sends messages of 1 to 16,384 bytes and reads them back; a new connection every hundred.
async fn ask(address: std::net::SocketAddr, nth: u64, counts: Arc<Counts>) -> io::Result<()> {
    let mut buffer = vec![nth as u8; 16 * 1024];
    loop {
        let mut socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        for trip in 0..100_u32 {
            let n = 1 << (trip % 15);
            let (mut reads, mut writes) = socket.split();
            let (wrote, read) = shinkan::join!(
                writes.write_all(&[7; 16 * 1024][..n]),
                reads.read_exact(&mut buffer[..n])
            );
            wrote.and(read.map(drop))?;
            counts.add(ECHO, 1);
            sleep(Duration::from_millis(15 + nth)).await;
        }
    }
}

async fn datagrams(counts: Arc<Counts>) -> io::Result<()> {
    let (one, other) =
        (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    one.connect(other.local_addr()?).await?;
    let mut buffer = [0; 512];
    loop {
        one.send(&[1; 512]).await?;
        // Even the loopback may lose one.
        if let Ok(received) = timeout(Duration::from_secs(1), other.recv(&mut buffer)).await {
            received?;
            counts.add(DATAGRAMS, 1);
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// A pair of local sockets, each end written to in turn.
async fn pair(counts: Arc<Counts>) -> io::Result<()> {
    let (mut one, mut other) = UnixStream::pair()?;
    let mut buffer = [0; 4096];
    let mut ticks = interval(Duration::from_millis(10));
    loop {
        one.write_all(&[1; 4096]).await?;
        other.read_exact(&mut buffer).await?;
        other.write_all(&buffer).await?;
        one.read_exact(&mut buffer).await?;
        counts.add(ECHO, 1);
        ticks.tick().await;
    }
}

async fn timers(nth: u64, counts: Arc<Counts>) -> io::Result<()> {
    for round in 0_u64.. {
        sleep(Duration::from_millis(1 + (nth * 7 + round * 13) % 50)).await;
        // One that fires and one that does not.
        let fired = timeout(Duration::from_millis(2), std::future::pending::<()>()).await.is_err();
        let done = timeout(Duration::from_secs(30), shinkan::task::yield_now()).await.is_ok();
        counts.add(TIMERS, 1 + u64::from(fired) + u64::from(done));
    }
    Ok(())
}

/// A burst through every kind of channel and lock.
async fn messages(shared: Arc<Mutex<u64>>, counts: Arc<Counts>) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<oneshot::Sender<u64>>(16);
    let answers = shinkan::spawn(async move {
        while let Some(back) = receiver.recv().await {
            let _ = back.send(7);
        }
    });
    let (news, _) = broadcast::channel(64);
    let (state, mut changes) = watch::channel(0_u64);
    let (permits, notify) = (Semaphore::new(2), Notify::new());
    loop {
        let mut listens = news.subscribe();
        for round in 0..50 {
            let (back, answer) = oneshot::channel();
            sender.send(back).await.map_err(io::Error::other)?;
            let seven = answer.await.map_err(io::Error::other)?;
            *shared.lock().await += seven;
            let _permit = permits.acquire().await.map_err(io::Error::other)?;
            news.send(round).map_err(io::Error::other)?;
            listens.recv().await.map_err(io::Error::other)?;
            state.send_modify(|value| *value += 1);
            changes.changed().await.map_err(io::Error::other)?;
            notify.notify_one();
            notify.notified().await;
        }
        counts.add(MESSAGES, 50 * 6);
        assert!(!answers.is_finished());
        sleep(Duration::from_millis(20)).await;
    }
}

async fn spawns(counts: Arc<Counts>) -> io::Result<()> {
    loop {
        let mut set = JoinSet::new();
        for nth in 0..100 {
            set.spawn(async move {
                shinkan::task::yield_now().await;
                nth
            });
        }
        while let Some(done) = set.join_next().await {
            done.map_err(io::Error::other)?;
        }
        counts.add(SPAWNED, 100);
        sleep(Duration::from_millis(30)).await;
    }
}

/// What may block does so where it may, for longer than the threshold.
async fn blocks(nth: u64, counts: Arc<Counts>) -> io::Result<()> {
    loop {
        shinkan::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(5 + 20 * nth));
        })
        .await
        .map_err(io::Error::other)?;
        counts.add(BLOCKING, 1);
        sleep(Duration::from_millis(50)).await;
    }
}

/// Up to a millisecond of processor time, by the thread's own clock.
async fn computes(nth: u64, counts: Arc<Counts>) -> io::Result<()> {
    for round in nth.. {
        let (most, start) = (Duration::from_micros(100 + round % 10 * 90), Instant::now());
        let from = thread_time();
        while thread_time() - from < most {
            for x in 0..1_000_u64 {
                std::hint::black_box(x);
            }
        }
        if start.elapsed() > Duration::from_millis(10) {
            counts.late.fetch_add(1, Ordering::Relaxed);
        }
        counts.add(COMPUTED, 1);
        sleep(Duration::from_millis(70)).await;
    }
    Ok(())
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

async fn files(path: PathBuf, counts: Arc<Counts>) -> io::Result<()> {
    let text = vec![b'x'; 10_000];
    loop {
        let mut file = fs::File::create(&path).await?;
        file.write_all(&text).await?;
        file.flush().await?;
        drop(file);
        let mut file = fs::File::open(&path).await?;
        let mut back = Vec::new();
        file.read_to_end(&mut back).await?;
        assert_eq!(back.len(), text.len());
        fs::remove_file(&path).await?;
        counts.add(FILES, 5);
        sleep(Duration::from_millis(40)).await;
    }
}
