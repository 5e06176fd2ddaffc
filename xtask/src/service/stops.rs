//! Starts and graceful stops under load lose no accepted request.
//!
//! A request is **accepted** when the service has read its head and counts it; it is **answered**
//! when its client has the whole answer, with a status of success. A connection that ends before
//! the first byte of an answer is a refusal, which HTTP lets a client repeat (RFC 9112, 9.3.1): it
//! was in the kernel's queue, or its connection was idle when the service closed it. A round holds if
//!
//! - no client got a part of an answer, another status, or nothing for half a minute,
//! - the service counted as many requests as its clients have answers: each that it accepted,
//! - it ended by itself, with 0.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::load::{self, Outcome};
use super::side::Built;
use crate::run::say;

/// Clients that keep their connection, and as many that open one for each request.
const CLIENTS: usize = 8;
/// Before the signal comes, so many answers have been there, and up to twice as many.
const ANSWERS_MIN: usize = 100;
const ROUND_MAX: Duration = Duration::from_secs(60);

/// A service that runs, and ends with this.
pub(super) struct Running {
    child: Child,
    pub(super) address: SocketAddr,
    out: BufReader<std::process::ChildStdout>,
}

impl Running {
    pub(super) fn start(built: &Built) -> Result<Self, String> {
        let mut command = Command::new(&built.program);
        command.args(["serve", "--http", "127.0.0.1:0"]).stdin(Stdio::null());
        command.env_remove("DATABASE_URL").env_remove("REDIS_URL");
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot start {}: {e}", built.program.display()))?;
        let mut out = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut address = None;
        loop {
            let mut line = String::new();
            let read = out.read_line(&mut line).map_err(|e| e.to_string())?;
            if let Some(url) = line.trim_end().strip_prefix("http http://") {
                address = url.parse().ok();
            }
            match address {
                Some(address) if line == "ready\n" => return Ok(Self { child, address, out }),
                _ if read == 0 => return Err(format!("the service on {} ended", built.side)),
                _ => {}
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn ask_to_end(&self) -> Result<(), String> {
        let pid = self.child.id().to_string();
        crate::output(Command::new("kill").args(["-TERM", &pid])).map(drop)
    }

    /// Waits for its end; how many requests it counted, and its exit code.
    pub(super) fn ended(mut self) -> Result<(usize, Option<i32>), String> {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).map_err(|e| e.to_string())?;
        let status = self.child.wait().map_err(|e| e.to_string())?;
        let counted = rest.trim_end().strip_prefix("served ");
        let counted = counted.and_then(|rest| rest.strip_suffix(" requests")?.parse().ok());
        Ok((counted.ok_or_else(|| format!("the service said {rest:?}"))?, status.code()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless something went wrong.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs `rounds` of them; true if no round lost a request.
pub(super) fn run(built: &Built, rounds: usize) -> Result<bool, String> {
    let (mut wrong, mut answered, mut refused, mut slowest) = (0, 0, 0, Duration::ZERO);
    for at in 0..rounds {
        let round = round(built, at)?;
        answered += round.clients.answered;
        refused += round.clients.refused;
        slowest = slowest.max(round.stop);
        for what in round.wrong() {
            wrong += 1;
            say(&format!("round {at} on {}: {what}", built.side));
        }
    }
    let slowest = slowest.as_millis();
    say(&format!(
        "{rounds} starts and stops on {}: {answered} requests answered, {refused} refused, \
         {wrong} wrong; the slowest stop took {slowest} ms",
        built.side
    ));
    Ok(wrong == 0)
}

struct Round {
    clients: Outcome,
    counted: usize,
    code: Option<i32>,
    stop: Duration,
}

impl Round {
    fn wrong(&self) -> Vec<String> {
        let mut wrong = self.clients.lost.clone();
        let (counted, answered) = (self.counted, self.clients.answered);
        if wrong.is_empty() && counted != answered {
            wrong.push(format!("{counted} requests were accepted, {answered} answered"));
        }
        if self.code != Some(0) {
            wrong.push(format!("the service ended with {:?}", self.code));
        }
        wrong
    }
}

fn round(built: &Built, at: usize) -> Result<Round, String> {
    let running = Running::start(built)?;
    let address = running.address;
    let answers = AtomicUsize::new(0);
    // Each round's signal meets the clients somewhere else.
    let enough = ANSWERS_MIN + at * 37 % ANSWERS_MIN;
    let (clients, ended) = thread::scope(|scope| {
        let start = |client| {
            let answers = &answers;
            scope.spawn(move || load::run(address, client, client % 2 == 0, answers))
        };
        let clients: Vec<_> = (0..2 * CLIENTS).map(start).collect();
        let before = Instant::now();
        while answers.load(Relaxed) < enough && before.elapsed() < ROUND_MAX {
            thread::sleep(Duration::from_micros(100));
        }
        let asked_at = Instant::now();
        // Where it cannot be asked, it is killed, and its clients end.
        let asked = running.ask_to_end();
        let ended = asked.and_then(|()| running.ended());
        let stopped = asked_at.elapsed();
        let mut sum = Outcome::default();
        for client in clients {
            let one = client.join().unwrap_or_else(|_| Outcome {
                lost: vec!["a client died".into()],
                ..Outcome::default()
            });
            sum.answered += one.answered;
            sum.refused += one.refused;
            sum.lost.extend(one.lost);
        }
        (sum, ended.map(|ended| (ended, stopped)))
    });
    let ((counted, code), stop) = ended?;
    Ok(Round { clients, counted, code, stop })
}
