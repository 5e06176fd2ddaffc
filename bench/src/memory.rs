//! Bytes that waiting tasks and connections take, and what is left when they have ended: each
//! measured in a process of its own, so that nothing before it has used the memory.

use clap::ValueEnum;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::Side;
use crate::allocations;
use crate::load::client::TOGETHER;

/// What stands still.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Still {
    Pending,
    Sleeping,
    Connection,
}

const ALL: [(Still, &str, &str); 3] = [
    (Still::Pending, "pending", "a task that waits for ever"),
    (Still::Sleeping, "sleeping", "a task that sleeps"),
    (Still::Connection, "connection", "a task that waits at a TCP connection"),
];
/// Descriptors that a process needs beside its connections.
const SPARE: usize = 64;

/// What the process has at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Bytes allocated and not freed.
    live: i64,
    /// Bytes of memory that the kernel has given to it.
    resident: i64,
}

impl Look {
    pub(crate) fn now() -> Look {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages: i64 = statm.split(' ').nth(1).and_then(|f| f.parse().ok()).unwrap_or(0);
        Look { live: allocations::live(), resident: pages * 4096 }
    }
}

/// Bytes for each, while they are there and after they have ended.
#[derive(Clone, Copy, Debug)]
struct Bytes {
    live: f64,
    resident: f64,
    live_left: f64,
    resident_left: f64,
}

/// The child: counts, and prints four numbers.
pub(crate) fn run(still: Still, count: usize, side: Side) {
    allocations::start();
    if still == Still::Connection {
        raise_descriptors();
    }
    let [before, with, after] = (side.memory)(still, count);
    let per = |a: i64, b: i64| (a - b) as f64 / count as f64;
    println!(
        "{} {} {} {}",
        per(with.live, before.live),
        per(with.resident, before.resident),
        per(after.live, before.live),
        per(after.resident, before.resident)
    );
}

/// All of them on each side, a line each, as a table.
pub(crate) fn report(count: usize, sides: &[Side], say: &dyn Fn(&str)) -> Result<String, String> {
    let mut table = String::from(
        "| bytes for | how many | Tokio | shinkan | resident | left after | resident after |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (still, name, about) in ALL {
        let most = if still == Still::Connection { descriptors() } else { usize::MAX };
        let count = count.min(most);
        let bytes: Vec<Bytes> =
            sides.iter().map(|side| measure(name, count, side.name)).collect::<Result<_, _>>()?;
        let pair = |of: fn(&Bytes) -> f64| {
            bytes.iter().map(|bytes| format!("{:.1}", of(bytes))).collect::<Vec<_>>().join(" → ")
        };
        let each: Vec<String> = bytes.iter().map(|bytes| format!("{:.0}", bytes.live)).collect();
        let (resident, left) = (pair(|b| b.resident), pair(|b| b.live_left));
        let resident_left = pair(|b| b.resident_left);
        say(&format!(
            "{about}, {count}: {} bytes; resident {resident}; left {left}, resident {resident_left}",
            each.join(" → ")
        ));
        let _ = writeln!(
            table,
            "| {about} | {count} | {} | {resident} | {left} | {resident_left} |",
            each.join(" | ")
        );
    }
    Ok(table)
}

fn measure(still: &str, count: usize, side: &str) -> Result<Bytes, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(this);
    command.args(["--still", still, "--runtime", side, "--count", &count.to_string()]);
    let done = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&done.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    let [live, resident, live_left, resident_left] = numbers[..] else {
        let why = String::from_utf8_lossy(&done.stderr);
        return Err(format!("{still} on {side} ended with {}: {why}", done.status));
    };
    Ok(Bytes { live, resident, live_left, resident_left })
}

/// Clients of so many connections, in processes of their own; they end when this is dropped.
pub(crate) struct Clients {
    child: Child,
    orders: Option<ChildStdin>,
}

/// Connects in the background; the caller accepts.
pub(crate) fn connections(to: SocketAddr, count: usize) -> Clients {
    let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["--load", &format!("idle {count} 0 {to} 0ms")])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("this program starts again");
    Clients { orders: child.stdin.take(), child }
}

impl Clients {
    /// Has them go on, where they wait for it; `count` are accepted.
    pub(crate) fn accepted(&mut self, count: usize) {
        if count.is_multiple_of(TOGETHER) {
            let orders = self.orders.as_mut().expect("it is there until the end");
            // Who has ended is noticed by the connections that do not come.
            let _ = writeln!(orders);
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        drop(self.orders.take());
        // It ends by itself; how, matters to nobody.
        drop(self.child.wait());
    }
}

/// As many descriptors as this process may have.
pub(crate) fn raise_descriptors() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where it may not, there are fewer connections.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

fn descriptors() -> usize {
    use nix::sys::resource::{Resource, getrlimit};
    let hard = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |limits| limits.1);
    usize::try_from(hard).unwrap_or(usize::MAX).saturating_sub(SPARE)
}
