//! The floor of the served rows: two threads at one edge-triggered epoll that answer the same load
//! without a runtime. A message is read whole and answered at once; there is nothing less to do.

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Kind, Lasts, Load, drive};
use crate::sample::Sample;

const LISTENER: u64 = u64::MAX;
const STOP: u64 = u64::MAX - 1;
/// Long enough for a median, and short beside the rounds of the rows.
const LASTS: Duration = Duration::from_secs(1);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\
    date: Mon, 23 Nov 2026 00:00:00 GMT\r\n\r\nHello, World!";

struct Server {
    epoll: Epoll,
    listener: TcpListener,
    kind: Kind,
    /// By its event's number. Two threads may have an event of one connection each.
    connections: Mutex<Vec<Connection>>,
}

/// None once it has ended.
type Connection = Arc<Mutex<Option<TcpStream>>>;

/// What a message costs under this load.
pub(crate) fn serve(load: Load) -> Sample {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let to = listener.local_addr().unwrap();
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    let (stop, mut end) = std::os::unix::net::UnixStream::pair().unwrap();
    let edge = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER)).unwrap();
    let server = Server { epoll, listener, kind: load.kind, connections: Mutex::default() };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| server.work(edge));
        }
        let sample = drive(load, to, Lasts::Time(LASTS));
        end.write_all(&[0]).unwrap();
        server.epoll.add(stop.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, STOP)).unwrap();
        sample
    })
}

impl Server {
    fn work(&self, edge: EpollFlags) {
        let mut events = [EpollEvent::empty(); 64];
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Ok(count) => count,
                Err(nix::Error::EINTR) => continue,
                Err(error) => panic!("epoll_wait: {error}"),
            };
            for event in &events[..count] {
                match event.data() {
                    STOP => return,
                    LISTENER => self.accept(edge),
                    nth => self.answer(nth as usize, &mut buffer),
                }
            }
        }
    }

    fn accept(&self, edge: EpollFlags) {
        while let Ok((stream, _)) = self.listener.accept() {
            stream.set_nodelay(true).unwrap();
            stream.set_nonblocking(true).unwrap();
            let mut connections = self.connections.lock().unwrap();
            let event = EpollEvent::new(edge, connections.len() as u64);
            self.epoll.add(&stream, event).unwrap();
            connections.push(Arc::new(Mutex::new(Some(stream))));
        }
    }

    fn answer(&self, nth: usize, buffer: &mut [u8]) {
        let connection = self.connections.lock().unwrap()[nth].clone();
        let mut connection = connection.lock().unwrap();
        while let Some(stream) = connection.as_mut() {
            let done = match stream.read(buffer) {
                Ok(bytes) if bytes > 0 => {
                    let answer = if self.kind == Kind::Http { ANSWER } else { &buffer[..bytes] };
                    // A short read has emptied the socket; the next bytes are an edge of their own.
                    stream.write_all(answer).map(|()| bytes < buffer.len())
                }
                Ok(_) => Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
                Err(error) => Err(error),
            };
            match done {
                Ok(true) => return,
                Ok(false) => {}
                Err(_) => *connection = None,
            }
        }
    }
}
