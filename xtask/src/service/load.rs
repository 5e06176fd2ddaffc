//! Clients that put load on a server until it ends, on plain threads and sockets: nothing here
//! stands on a runtime that is under test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// A whole answer that takes longer is lost.
const ANSWER_MAX: Duration = Duration::from_secs(30);

const REQUESTS: [&str; 5] = [
    "GET /plaintext HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET /json HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET /slow?ms=20 HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET /numbers?count=5&every_ms=3 HTTP/1.1\r\nhost: x\r\n\r\n",
    "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
     content-length: 15\r\n\r\n{\"text\":\"load\"}",
];

/// What became of a client's requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Whole answers with a status of success.
    pub(super) answered: usize,
    /// Requests whose connection ended before the first byte of an answer.
    pub(super) refused: usize,
    /// What must not happen.
    pub(super) lost: Vec<String>,
}

/// Asks, one request after the other, until one is refused or lost. A client that `keeps` its
/// connection sends all on one; the others open one for each.
pub(super) fn run(address: SocketAddr, at: usize, keeps: bool, answered: &AtomicUsize) -> Outcome {
    let mut outcome = Outcome::default();
    let mut connection = None;
    for turn in at.. {
        let request = REQUESTS[turn % REQUESTS.len()];
        if connection.is_none() {
            connection = TcpStream::connect(address).ok();
        }
        let Some(mut socket) = connection.take() else {
            outcome.refused += 1;
            return outcome;
        };
        match ask(&mut socket, request) {
            Ok(Some(closes)) => {
                outcome.answered += 1;
                answered.fetch_add(1, Relaxed);
                connection = (keeps && !closes).then_some(socket);
            }
            Ok(None) => {
                outcome.refused += 1;
                return outcome;
            }
            Err(why) => {
                outcome.lost.push(format!("{}: {why}", request.lines().next().unwrap_or_default()));
                return outcome;
            }
        }
    }
    outcome
}

/// `Some(whether the connection ends here)` for a whole answer, `None` where not one byte came.
fn ask(socket: &mut TcpStream, request: &str) -> Result<Option<bool>, String> {
    socket.set_nodelay(true).map_err(|e| e.to_string())?;
    socket.set_read_timeout(Some(ANSWER_MAX)).map_err(|e| e.to_string())?;
    if socket.write_all(request.as_bytes()).is_err() {
        // The other side has closed; whatever it had sent before would be an answer to nothing.
        return Ok(None);
    }
    answer(socket)
}

/// The same, once it was asked.
fn answer(socket: &mut impl Read) -> Result<Option<bool>, String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = whole(&bytes)? {
            return Ok(Some(end));
        }
        match socket.read(&mut piece) {
            Ok(0) if bytes.is_empty() => return Ok(None),
            Ok(0) => return Err(format!("ended after {} bytes of its answer", bytes.len())),
            Ok(len) => bytes.extend_from_slice(&piece[..len]),
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset && bytes.is_empty() => {
                return Ok(None);
            }
            // A receive with a time limit ends so where the process was stopped and goes on, also
            // without a handler: signal(7).
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(format!("{e} after {} bytes of its answer", bytes.len())),
        }
    }
}

/// Whether `bytes` are a whole answer; if so, whether it is the connection's last.
fn whole(bytes: &[u8]) -> Result<Option<bool>, String> {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(None) };
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        return Err(format!("answered with {status}"));
    }
    let field = |name: &str| {
        let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| *field == name).map(|(_, value)| value.to_string())
    };
    let is_whole = match field("content-length") {
        Some(len) => body.len() >= len.parse().map_err(|_| "a length that is no number")?,
        None => body.ends_with("0\r\n\r\n"),
    };
    Ok(is_whole.then(|| field("connection").as_deref() == Some("close")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// What a client makes of a server that answers `answers`, one a connection, and ends.
    fn outcome<const N: usize>(answers: [&'static str; N], keeps: bool) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            for answer in answers {
                let (mut socket, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                assert_ne!(socket.read(&mut request).unwrap(), 0);
                socket.write_all(answer.as_bytes()).unwrap();
            }
        });
        let outcome = run(address, 0, keeps, &AtomicUsize::new(0));
        server.join().unwrap();
        outcome
    }

    const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

    #[test]
    fn answered_until_refused() {
        for keeps in [false, true] {
            let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi";
            let seen = outcome([closing, closing], keeps);
            assert_eq!(seen, Outcome { answered: 2, refused: 1, lost: vec![] });
        }
    }

    #[test]
    fn closed_before_the_first_byte() {
        let seen = outcome([WHOLE, ""], false);
        assert_eq!(seen, Outcome { answered: 1, refused: 1, lost: vec![] });
    }

    #[test]
    fn half_an_answer_is_lost() {
        let halves = [
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n",
        ];
        for half in halves {
            let seen = outcome([half], true);
            assert_eq!((seen.answered, seen.refused, seen.lost.len()), (0, 0, 1), "{half}");
        }
    }

    #[test]
    fn a_receive_that_was_interrupted_is_done_again() {
        struct Stopped<'a>(&'a [u8], bool);
        impl Read for Stopped<'_> {
            fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
                self.1 = !self.1;
                if self.1 { Err(std::io::ErrorKind::Interrupted.into()) } else { self.0.read(to) }
            }
        }
        assert_eq!(answer(&mut Stopped(WHOLE.as_bytes(), false)), Ok(Some(false)));
        assert_eq!(answer(&mut Stopped(b"", false)), Ok(None));
    }

    #[test]
    fn a_bad_status_is_lost() {
        let seen = outcome(["HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"], true);
        assert_eq!(seen.lost, ["GET /plaintext HTTP/1.1: answered with 500"]);
    }
}
