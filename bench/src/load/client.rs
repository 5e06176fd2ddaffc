//! The generator's loop: one thread, one epoll, all connections. Prints `ready`, waits for a line,
//! and prints messages, nanoseconds, and the percentiles of the messages' latencies.

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::SockRef;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{Kind, Lasts, Load, Order};

/// Silent connections that are made before the server has accepted them: the listener has room
/// for more than that on either runtime; Tokio asks for 128.
pub(crate) const TOGETHER: usize = 100;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: shinkan-bench\r\n\r\n";

/// One connection and its message on the way.
struct Connection {
    stream: TcpStream,
    sent: Instant,
    /// Bytes of the answer that are still to come.
    missing: usize,
}

struct Client {
    order: Order,
    epoll: Epoll,
    connections: Vec<Connection>,
    request: Vec<u8>,
    /// Bytes of an answer: all are equally long.
    answer: usize,
    buffer: Vec<u8>,
    latencies: Vec<u32>,
}

/// The whole life of the generator.
pub(crate) fn run(order: Order) -> io::Result<()> {
    if order.load.kind == Kind::Idle {
        return idle(order);
    }
    let mut client = Client::connect(order)?;
    client.work(order.lasts.warmth())?;
    println!("ready");
    io::stdin().read_line(&mut String::new())?;
    client.make_room();
    let start = Instant::now();
    client.work(order.lasts)?;
    let elapsed = start.elapsed();
    let sorted = &mut client.latencies;
    sorted.sort_unstable();
    let at = |part: f64| sorted[((sorted.len() - 1) as f64 * part) as usize];
    let ns = elapsed.as_nanos();
    println!("{} {ns} {} {} {}", sorted.len(), at(0.5), at(0.99), at(0.999));
    Ok(())
}

/// One pair of addresses has ports for some ten thousands only, and those of the process before are
/// still taken for a while; but loopback has addresses enough, and the server listens at all.
fn idle(order: Order) -> io::Result<()> {
    crate::memory::raise_descriptors();
    let own = 1 + (std::process::id() % 200) as u8;
    let connect = |nth: usize| {
        let to = Ipv4Addr::new(127, own, (nth / 10_000) as u8, 1);
        TcpStream::connect((to, order.to.port()))
    };
    let mut streams = Vec::with_capacity(order.load.connections);
    for nth in 0..order.load.connections {
        if nth > 0 && nth % TOGETHER == 0 {
            // A full queue of the listener's drops what comes, and each waits for a second then.
            io::stdin().read_line(&mut String::new())?;
        }
        streams.push(connect(nth)?);
    }
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}

impl Client {
    fn connect(order: Order) -> io::Result<Client> {
        let Load { kind, connections, bytes } = order.load;
        let request = if kind == Kind::Http { GET.to_vec() } else { vec![7; bytes] };
        let answer = if kind == Kind::Http { answer_bytes(order.to)? } else { bytes };
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let mut client = Client {
            order,
            epoll,
            connections: Vec::with_capacity(connections),
            request,
            answer,
            buffer: vec![0; 64 << 10],
            latencies: Vec::with_capacity(1 << 22),
        };
        for nth in 0..connections {
            let connection = client.open(nth)?;
            client.connections.push(connection);
        }
        Ok(client)
    }

    fn open(&self, nth: usize) -> io::Result<Connection> {
        let sent = Instant::now();
        let stream = TcpStream::connect(self.order.to)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        if self.order.load.kind == Kind::Churn {
            // Else the closed connections fill the ports for a minute.
            SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        }
        let event = EpollEvent::new(EpollFlags::EPOLLIN, nth as u64);
        self.epoll.add(&stream, event)?;
        Ok(Connection { stream, sent, missing: 0 })
    }

    /// For the latencies of ten times as many messages as there were for warmth, and half as many
    /// again: a list that grows in the middle would be one of them.
    fn make_room(&mut self) {
        let expected = self.latencies.len() * 15;
        self.latencies.clear();
        self.latencies.reserve(expected);
    }

    /// Each connection sends its first message, and one more for each answer until the time is up,
    /// or all are sent; then the answers that are on their way are awaited.
    fn work(&mut self, lasts: Lasts) -> io::Result<()> {
        let (end, mut left) = match lasts {
            Lasts::Time(time) => (Some(Instant::now() + time), u64::MAX),
            Lasts::Messages(count) => (None, count),
        };
        let mut waiting = self.connections.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        for nth in 0..waiting {
            self.send(nth)?;
        }
        left -= waiting as u64;
        let mut events = [EpollEvent::empty(); 256];
        while waiting > 0 {
            let count = self.epoll.wait(&mut events, EpollTimeout::NONE)?;
            if end.is_some_and(|end| Instant::now() >= end) {
                left = 0;
            }
            for event in &events[..count] {
                let nth = event.data() as usize;
                if !self.receive(nth)? {
                    continue;
                }
                if self.order.load.kind == Kind::Churn {
                    self.connections[nth] = self.open(nth)?;
                }
                if left == 0 {
                    waiting -= 1;
                } else {
                    left -= 1;
                    self.send(nth)?;
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, nth: usize) -> io::Result<()> {
        let connection = &mut self.connections[nth];
        // A connection that was opened for this message has its time count from there.
        if self.order.load.kind != Kind::Churn {
            connection.sent = Instant::now();
        }
        connection.missing = self.answer;
        // Larger messages than the socket's buffer would need a queue here; the rows have none.
        connection.stream.write_all(&self.request)
    }

    /// Whether the message's answer is complete.
    fn receive(&mut self, nth: usize) -> io::Result<bool> {
        let connection = &mut self.connections[nth];
        match connection.stream.read(&mut self.buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => {
                connection.missing = connection
                    .missing
                    .checked_sub(bytes)
                    .ok_or_else(|| io::Error::other("more bytes came back than the answer has"))?;
                let done = connection.missing == 0;
                if done {
                    let ns = connection.sent.elapsed().as_nanos();
                    self.latencies.push(u32::try_from(ns).unwrap_or(u32::MAX));
                }
                Ok(done)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// One request, to learn how long its answer is: its head, and what that says of its body.
fn answer_bytes(to: SocketAddr) -> io::Result<usize> {
    let mut stream = TcpStream::connect(to)?;
    stream.write_all(GET)?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let bytes = stream.read(&mut buffer)?;
        if bytes == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&buffer[..bytes]);
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        if let Some(head) = text.find("\r\n\r\n") {
            let body = text[..head]
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())
                .ok_or_else(|| io::Error::other("the answer has no content-length"))?;
            return Ok(head + 4 + body);
        }
    }
}
