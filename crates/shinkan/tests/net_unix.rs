//! Unix sockets and pipes, by situation.

mod support;

use shinkan::net::unix::pipe;
use shinkan::net::{UnixDatagram, UnixListener, UnixSocket, UnixStream};
use shinkan_io::{AsyncReadExt, AsyncWriteExt};
use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use support::{is_pending, on_both};

/// A path in a directory of its own, which goes with it.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("shinkan-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir(&dir).unwrap();
        Dir(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_stream_by_path_knows_its_peer() {
    on_both(|| async {
        let dir = Dir::new();
        let path = dir.path("socket");
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
        assert_eq!(UnixListener::bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        let mut client = UnixStream::connect(&path).await.unwrap();
        let (mut server, from) = listener.accept().await.unwrap();
        assert!(from.is_unnamed());
        assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(&*path));
        let cred = server.peer_cred().unwrap();
        assert_eq!(cred.pid(), Some(std::process::id() as i32));
        assert_eq!(cred, client.peer_cred().unwrap());
        client.write_all(b"hello").await.unwrap();
        client.shutdown().await.unwrap();
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"hello");
    });
}

#[test]
fn a_name_that_is_in_no_file_system() {
    on_both(|| async {
        let name =
            format!("\0shinkan-test-{}-{:?}", std::process::id(), std::thread::current().id());
        let listener = UnixListener::bind(&name).unwrap();
        let addr = listener.local_addr().unwrap();
        assert_eq!(addr.as_abstract_name(), Some(&name.as_bytes()[1..]));
        let _client = UnixStream::connect(&name).await.unwrap();
        let _other = UnixStream::connect_addr(&addr).await.unwrap();
        listener.accept().await.unwrap();
        listener.accept().await.unwrap();
    });
}

#[test]
fn nobody_listens() {
    on_both(|| async {
        let dir = Dir::new();
        let error = UnixStream::connect(dir.path("none")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        drop(UnixListener::bind(dir.path("left")).unwrap());
        let error = UnixStream::connect(dir.path("left")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_pair_and_its_halves() {
    on_both(|| async {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut read, mut write) = a.into_split();
        let (mut peer_read, mut peer_write) = b.into_split();
        let echo = shinkan_rt::spawn(async move {
            shinkan_io::copy(&mut peer_read, &mut peer_write).await.unwrap()
        });
        let sent = vec![3; 1 << 20];
        let writer = shinkan_rt::spawn(async move {
            write.write_all(&vec![3; 1 << 20]).await.unwrap();
            write
        });
        let mut back = vec![0; sent.len()];
        read.read_exact(&mut back).await.unwrap();
        assert!(back == sent);
        drop(writer.await.unwrap());
        assert_eq!(echo.await.unwrap(), sent.len() as u64);
        assert_eq!(read.read(&mut [0; 1]).await.unwrap(), 0);
    });
}

#[test]
fn datagrams_by_path_and_by_pair() {
    on_both(|| async {
        let dir = Dir::new();
        let a = UnixDatagram::bind(dir.path("a")).unwrap();
        let b = UnixDatagram::bind(dir.path("b")).unwrap();
        a.send_to(b"to b", dir.path("b")).await.unwrap();
        let mut buf = [0; 16];
        let (n, from) = b.recv_from(&mut buf).await.unwrap();
        assert_eq!((n, from.as_pathname()), (4, Some(&*dir.path("a"))));
        let c = UnixDatagram::unbound().unwrap();
        c.connect(dir.path("a")).unwrap();
        c.send(b"c").await.unwrap();
        let (n, from) = a.recv_from(&mut buf).await.unwrap();
        assert!(n == 1 && from.is_unnamed());

        let (c, d) = UnixDatagram::pair().unwrap();
        let mut sent = 0;
        while c.try_send(&[0; 1024]).is_ok() {
            sent += 1;
        }
        assert!(is_pending(c.send(b"full")).await);
        for _ in 0..sent {
            assert_eq!(d.recv(&mut [0; 1024]).await.unwrap(), 1024);
        }
        c.send(b"room").await.unwrap();
        assert_eq!(d.recv(&mut buf).await.unwrap(), 4);
    });
}

#[test]
fn a_socket_becomes_what_it_was_made_for() {
    on_both(|| async {
        let dir = Dir::new();
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(dir.path("s")).unwrap();
        let listener = socket.listen(4).unwrap();
        let client = UnixSocket::new_stream().unwrap().connect(dir.path("s")).await.unwrap();
        listener.accept().await.unwrap();
        drop(client);
        assert!(UnixSocket::new_datagram().unwrap().listen(4).is_err());
        assert!(UnixSocket::new_stream().unwrap().datagram().is_err());
        UnixSocket::new_datagram().unwrap().datagram().unwrap();
    });
}

#[test]
fn a_pipe_ends_with_its_last_writer_and_breaks_with_its_last_reader() {
    on_both(|| async {
        let (mut sender, mut receiver) = pipe::pipe().unwrap();
        let writer = shinkan_rt::spawn(async move {
            sender.write_all(&vec![1; 300_000]).await.unwrap();
        });
        let mut all = Vec::new();
        receiver.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 300_000);
        writer.await.unwrap();

        let (mut sender, receiver) = pipe::pipe().unwrap();
        drop(receiver);
        assert_eq!(sender.write(b"1").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_file_is_no_pipe() {
    on_both(|| async {
        let file = File::open("Cargo.toml").unwrap();
        let error = pipe::Receiver::from_file(file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let (sender, receiver) = pipe::pipe().unwrap();
        let writes: OwnedFd = sender.into_blocking_fd().unwrap();
        let error = pipe::Receiver::from_owned_fd(writes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let reads = receiver.into_nonblocking_fd().unwrap();
        pipe::Receiver::from_owned_fd(reads).unwrap();
    });
}
