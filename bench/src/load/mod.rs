//! The load generator: this program started once more, so that its CPU time is not counted to the
//! runtime that serves it. The parent's half is here; the loop is in `client`.

pub(crate) mod client;
pub(crate) mod raw;

use std::fmt::{self, Display, Formatter};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use crate::sample::{Latency, Mark, Sample};

/// What the clients do: each connection sends a request, waits for its answer, and sends the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) kind: Kind,
    pub(crate) connections: usize,
    /// Bytes of a request, where it is not HTTP.
    pub(crate) bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Bytes that come back.
    Echo,
    /// The same once on each connection, which is then closed.
    Churn,
    /// Connections that are open and silent until the parent closes the pipe.
    Idle,
    /// A GET that is answered with the same bytes each time.
    Http,
}

const KINDS: [(Kind, &str); 4] =
    [(Kind::Echo, "echo"), (Kind::Churn, "churn"), (Kind::Idle, "idle"), (Kind::Http, "http")];

/// A whole order to the generator, as it stands on its command line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) load: Load,
    pub(crate) to: SocketAddr,
    pub(crate) lasts: Lasts,
}

/// How long a load goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Lasts {
    Time(Duration),
    /// So many messages over all connections together.
    Messages(u64),
}

impl Lasts {
    /// A tenth of a time. Who counts messages counts all.
    fn warmth(self) -> Lasts {
        match self {
            Lasts::Time(time) => Lasts::Time(time / 10),
            Lasts::Messages(_) => Lasts::Messages(0),
        }
    }
}

/// Has the server at `to` loaded, after some warm-up, and measures this process meanwhile.
pub(crate) fn drive(load: Load, to: SocketAddr, lasts: Lasts) -> Sample {
    let name = KINDS.iter().find(|kind| kind.0 == load.kind).expect("all have names").1;
    let Load { connections, bytes, .. } = load;
    let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
        .arg("--load")
        .arg(format!("{name} {connections} {bytes} {to} {lasts}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts again");
    let mut orders = child.stdin.take().expect("it is piped");
    let mut answers = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut answer = || answers.next().expect("the generator goes on").expect("it is text");
    assert_eq!(answer(), "ready");
    let mark = Mark::now();
    writeln!(orders, "go").expect("the generator listens");
    let result = answer();
    let fields: Vec<f64> = result.split(' ').map(|f| f.parse().expect("a number")).collect();
    let [messages, elapsed_ns, p50, p99, p999] = fields[..] else { panic!("five numbers") };
    if let Lasts::Messages(all) = lasts {
        assert_eq!(messages as u64, all, "the generator sends as many as it is told");
    }
    let latency = Some(Latency { p50, p99, p999 });
    let sample = mark.sample_of(messages as u64, Duration::from_nanos(elapsed_ns as u64), latency);
    // It closes its connections, so that the server's tasks end, and ends.
    drop(orders);
    assert!(child.wait().expect("it is our child").success(), "the generator failed");
    sample
}

impl Display for Lasts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Lasts::Time(time) => write!(f, "{}ms", time.as_millis()),
            Lasts::Messages(count) => write!(f, "{count}"),
        }
    }
}

impl FromStr for Lasts {
    type Err = String;

    fn from_str(text: &str) -> Result<Lasts, String> {
        let number = |digits: &str| digits.parse().map_err(|error| format!("{digits}: {error}"));
        match text.strip_suffix("ms") {
            Some(ms) => Ok(Lasts::Time(Duration::from_millis(number(ms)?))),
            None => Ok(Lasts::Messages(number(text)?)),
        }
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Order, String> {
        let parse = |field: &str| field.parse::<usize>().map_err(|e| format!("{field}: {e}"));
        let fields: Vec<&str> = text.split(' ').collect();
        let [kind, connections, bytes, to, lasts] = fields[..] else {
            return Err(
                "write `kind connections bytes address 4000ms`, or a number of messages".into()
            );
        };
        let known = KINDS.iter().find(|known| known.1 == kind).ok_or("what kind is that?")?;
        let load = Load { kind: known.0, connections: parse(connections)?, bytes: parse(bytes)? };
        let to = to.parse().map_err(|e| format!("{to}: {e}"))?;
        Ok(Order { load, to, lasts: lasts.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        for lasts in [Lasts::Time(Duration::from_secs(30)), Lasts::Messages(30)] {
            let order: Order = format!("http 64 0 127.0.0.1:80 {lasts}").parse().unwrap();
            assert_eq!((order.lasts, order.load.connections), (lasts, 64));
        }
        assert!("http 64 0 127.0.0.1:80 4s".parse::<Order>().is_err());
    }
}
