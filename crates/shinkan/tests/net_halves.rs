//! Halves of streams answer as the whole stream does: lent or owned, of both families.

mod support;

use shinkan::io::{AsyncReadExt, AsyncWriteExt, Interest};
use shinkan::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use std::io::ErrorKind;
use support::{is_pending, on_both};

/// What each pair of halves must do. Their types share no trait.
macro_rules! moves_bytes {
    ($read:expr, $write:expr, $peer:expr) => {
        let mut buf = [0; 4];
        assert_eq!($read.try_read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!($write.ready(Interest::WRITABLE).await.unwrap().is_writable());
        assert_eq!($write.try_write(b"word").unwrap(), 4);
        $peer.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"word");
        $peer.write_all(b"back").await.unwrap();
        assert!($read.ready(Interest::READABLE).await.unwrap().is_readable());
        assert_eq!($read.try_read(&mut buf[..2]).unwrap(), 2);
        let mut rest = Vec::with_capacity(8);
        assert_eq!($read.try_read_buf(&mut rest).unwrap(), 2);
        assert_eq!((&buf[..2], &*rest), (&b"ba"[..], &b"ck"[..]));
    };
}

#[test]
fn of_tcp() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let (near, far) = shinkan::join!(TcpStream::connect(there), listener.accept());
        let (mut near, (mut far, here)) = (near.unwrap(), far.unwrap());

        let (read, write) = near.split();
        assert_eq!((read.local_addr().unwrap(), read.peer_addr().unwrap()), (here, there));
        assert_eq!((write.local_addr().unwrap(), write.peer_addr().unwrap()), (here, there));
        moves_bytes!(read, write, far);

        let (mut read, write) = near.into_split();
        assert_eq!((read.local_addr().unwrap(), read.peer_addr().unwrap()), (here, there));
        assert_eq!((write.local_addr().unwrap(), write.peer_addr().unwrap()), (here, there));
        moves_bytes!(read, write, far);

        far.write_all(b"seen").await.unwrap();
        let mut buf = [0; 4];
        assert_eq!(read.peek(&mut buf).await.unwrap(), 4);
        let mut near = write.reunite(read).unwrap();
        near.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"seen");
    });
}

#[test]
fn of_the_unix_family() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let (near, far) = shinkan::join!(UnixStream::connect(&path), listener.accept());
        let (mut near, (mut far, _)) = (near.unwrap(), far.unwrap());

        let (read, write) = near.split();
        assert!(read.local_addr().unwrap().is_unnamed());
        assert_eq!(read.peer_addr().unwrap().as_pathname(), Some(&*path));
        assert!(write.local_addr().unwrap().is_unnamed());
        assert_eq!(write.peer_addr().unwrap().as_pathname(), Some(&*path));
        moves_bytes!(read, write, far);

        let (read, write) = near.into_split();
        assert!(read.local_addr().unwrap().is_unnamed());
        assert_eq!(read.peer_addr().unwrap().as_pathname(), Some(&*path));
        assert!(write.local_addr().unwrap().is_unnamed());
        assert_eq!(write.peer_addr().unwrap().as_pathname(), Some(&*path));
        moves_bytes!(read, write, far);
    });
}

#[test]
fn unix_halves_are_put_together_from_either_side() {
    on_both(|| async {
        let (near, mut far) = UnixStream::pair().unwrap();
        let (read, write) = near.into_split();
        let (read, write) = read.reunite(write).unwrap().into_split();
        let (other, _) = UnixStream::pair().unwrap().0.into_split();
        let error = write.reunite(other).unwrap_err();
        assert!(error.to_string().contains("same stream"), "{error}");
        let mut near = error.1.reunite(read).unwrap();
        near.write_all(b"x").await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'x');
    });
}

#[test]
fn a_forgotten_unix_half_does_not_end_the_peers_input() {
    on_both(|| async {
        let (near, mut far) = UnixStream::pair().unwrap();
        let (_read, write) = near.into_split();
        write.forget();
        assert!(is_pending(far.read_u8()).await);
    });
}
